import type { Outcome } from './trial.ts';

/** Kinds of routes against stacks: `ok`, `-` where a framework has no such thing, or how many are wrong. */
export function matrix(outcomes: ReadonlyMap<string, Outcome>): string[] {
  const kinds = [...new Set([...outcomes.values()].flatMap(({ kinds }) => [...kinds.keys()]))];
  const names = [...outcomes.keys()];
  const rows = kinds.map((kind) => [
    kind,
    ...names.map((name) => said(outcomes.get(name)?.kinds.get(kind))),
  ]);
  rows.push(['inventory', ...names.map((name) => said(outcomes.get(name)?.inventory))]);
  return [
    `| | ${names.join(' | ')} |`,
    `|---|${names.map(() => '---|').join('')}`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ];
}

function said(wrong: readonly string[] | undefined): string {
  if (wrong === undefined) return '-';
  return wrong.length === 0 ? 'ok' : `${wrong.length} wrong`;
}
