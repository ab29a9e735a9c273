import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../../support/process.ts';
import { kinds } from './case.ts';
import { type FuzzResult, hangMs, runFuzz } from './run.ts';

/**
 * `npm run test:fuzz -- [--cases 1000000] [--seed 1] [--only 17,23] [--keep FOLDER]`: exit code 0 when
 * nothing crashed, hung, was answered wrongly or grew, and every valid request was counted. The same seed
 * makes the same cases; bodies of findings are written to --keep.
 */
const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    keep: { type: 'string' },
  },
});
const cases = Number(values.cases);
const seed = Number(values.seed);
/** The last third may lie this far above the middle one: the garbage collector's own noise. */
const growthMost = 1.15;

const folder = temporaryFolder();
try {
  const result = await runFuzz({
    cases,
    seed,
    storePath: `${folder.path}/rollcall.db`,
    ...(values.only === undefined ? {} : { only: values.only.split(',').map(Number) }),
    progress: (done, rssMiB) => {
      process.stderr.write(`\r${done} of ${cases}, ${rssMiB.toFixed(0)} MiB `);
    },
  });
  process.stderr.write('\n');
  process.stdout.write(`${report(result)}\n`);
  if (values.keep !== undefined) keep(values.keep, result);
  process.exitCode = isGood(result) ? 0 : 1;
} finally {
  folder.remove();
}

function report(result: FuzzResult): string {
  const { seconds, wrong, hangs, stalls, crash, rssMiB, control } = result;
  const done = kinds.reduce((sum, kind) => sum + result.byKind[kind].cases, 0);
  const rows = kinds.map((kind) => {
    const { cases: count, codes, slowestMs } = result.byKind[kind];
    const answers = Object.entries(codes)
      .map(([code, times]) => `${kind.startsWith('http') ? 'ended' : code}: ${times}`)
      .join(', ');
    return `| ${kind} | ${count} | ${answers} | ${slowestMs.toFixed(0)} ms |`;
  });
  return [
    '| kind | cases | answers | slowest |',
    '|---|---|---|---|',
    ...rows,
    '',
    `${done} cases in ${seconds.toFixed(0)} s, ${Math.round(done / seconds)} a second, seed ${seed}`,
    `${crash === undefined ? 0 : 1} crashes ${crash ?? ''}`,
    `${hangs.length} hangs over ${hangMs} ms; ${stalls} answers were late once and not again`,
    `${wrong.length} wrong codes`,
    ...[...hangs, ...wrong].slice(0, 20).map(({ index, kind, what, body }) => {
      return `  ${kind} ${index}: ${what}: ${body.toString('hex').slice(0, 200)} (${body.length} bytes)`;
    }),
    `RSS by thirds ${rssMiB.map((mib) => mib.toFixed(0)).join(', ')} MiB`,
    `${control.counted} of ${control.sent} valid requests counted`,
  ].join('\n');
}

function isGood({ wrong, hangs, crash, rssMiB, control }: FuzzResult): boolean {
  const isFlat = rssMiB[2] <= rssMiB[1] * growthMost;
  const isSound = crash === undefined && hangs.length === 0 && wrong.length === 0;
  return isSound && control.counted === control.sent && (isFlat || values.only !== undefined);
}

function keep(path: string, { wrong, hangs }: FuzzResult): void {
  mkdirSync(path, { recursive: true });
  for (const { kind, index, body } of [...wrong, ...hangs]) {
    writeFileSync(join(path, `${kind}-${index}.bin`), body);
  }
}
