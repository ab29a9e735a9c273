import type { Finding, Outcome, Removal } from './finding.ts';

/** GitHub refuses a longer comment. */
const commentCharacters = 65_536;

/**
 * Markdown for one comment of a pull request. Its first line is the same for every run on the service, so that a
 * workflow finds the comment of the run before and replaces it.
 */
export function githubComment(outcome: Outcome): string {
  const { service, environment, findings, removals, notes, failed } = outcome;
  const where = environment === null ? '' : ` in \`${cell(environment)}\``;
  const fresh = findings.filter(({ isKnown }) => !isKnown);
  const known = findings.length - fresh.length;
  const head = [
    `<!-- rollcall check ${service.replaceAll('--', '- -')} -->`,
    `### Rollcall: ${failed ? 'fails' : 'passes'} for \`${cell(service)}\`${where}`,
    '',
  ];
  const rows = [
    ...(removals.length > 0 ? ['| removed operation | |', '| --- | --- |'] : []),
    ...removals.map(removalRow),
    ...(removals.length > 0 ? [''] : []),
    ...(fresh.length > 0 ? ['| | finding | operation | |', '| --- | --- | --- | --- |'] : []),
    ...fresh.map(findingRow),
  ];
  const foot = [
    '',
    ...(rows.length === 0 ? ['Nothing new was found.'] : []),
    ...(known > 0 ? [`${known} more are in the baseline.`] : []),
    ...notes.map((note) => `${cell(note)}.`),
    `Judged by ${outcome.operations} operations and the calls of the last ${outcome.window}.`,
  ];
  let room = commentCharacters - [...head, ...foot].join('\n').length - 200;
  const shown: string[] = [];
  for (const row of rows) {
    room -= row.length + 1;
    if (room < 0) break;
    shown.push(row);
  }
  const cut = rows.length - shown.length;
  if (cut > 0) shown.push('', `${cut} more lines do not fit a comment; the job's log has them.`);
  return [...head, ...shown, ...foot].join('\n');
}

const signs = { safe: '✅', breaks: '❌', unproven: '⚠️' } as const;

const removalRow = ({ verdict, method, route, message }: Removal): string =>
  `| \`${cell(`${method} ${route}`)}\` | ${signs[verdict]} ${cell(message)} |`;

const findingRow = ({ kind, method, route, message, fails }: Finding): string =>
  `| ${fails ? '❌' : 'ℹ️'} | ${kind} | \`${cell(`${method} ${route}`)}\` | ${cell(message)} |`;

/** Callers choose routes and agents: no row ends early, no mention notifies a person. */
function cell(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replaceAll('`', "'")
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll('@', '@\u200b');
}
