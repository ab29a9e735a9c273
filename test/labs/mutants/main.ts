import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../../support/process.ts';
import { type Area, areaOf, areas } from './areas.ts';
import { equivalents } from './equivalent.ts';
import { judge, type MutantReport, percentNoticed, type Survivor } from './report.ts';

/**
 * `npm run test:mutants`: puts small faults into the code, one at a time, and runs the tests against each (Stryker, which
 * is installed in the user's cache: it brings 160 packages, some of which warn on Node 20).
 *   --changed [REF]     only lines changed since REF, `origin/main` unless given with --since
 *   --only core/auth    areas or files, by comma; all areas take hours
 *   --static            also constants of modules, for each of which every test runs
 * Exit code 1 when a fault was not noticed that equivalent.ts does not explain.
 */
const { values } = parseArgs({
  options: {
    changed: { type: 'boolean', default: false },
    since: { type: 'string', default: 'origin/main' },
    only: { type: 'string', default: '' },
    static: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '1' },
  },
});
const root = fileURLToPath(new URL('../../..', import.meta.url));
const cache = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/rollcall-mutants`;
const stryker = ['@stryker-mutator/core@10.1.1', '@stryker-mutator/vitest-runner@10.1.1'];
installStryker();
const folder = temporaryFolder();
const survivors: Survivor[] = [];
try {
  for (const [area, mutate] of chosen()) survivors.push(...run(area, mutate));
} finally {
  folder.remove();
}
for (const { file, lineNumber, line, replacement, mutator, isCovered } of survivors) {
  const why = isCovered ? mutator : `${mutator}, no test runs it`;
  process.stdout.write(`${file}:${lineNumber} ${why}\n    ${line}\n    → ${replacement}\n`);
}
process.exitCode = survivors.length === 0 ? 0 : 1;

/** Beside it the project's own vitest: a second copy would not know the tests of the first. */
function installStryker(): void {
  mkdirSync(cache, { recursive: true });
  const vitest = join(cache, 'node_modules/vitest');
  rmSync(vitest, { recursive: true, force: true });
  const quiet = [
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--legacy-peer-deps',
    '--loglevel=error',
  ];
  execFileSync('npm', ['install', ...quiet, '--prefix', cache, ...stryker], { stdio: 'inherit' });
  symlinkSync(join(root, 'node_modules/vitest'), vitest);
}

/** Areas with what is to be changed in them, as Stryker's patterns. */
function chosen(): Map<Area, string[]> {
  const found = new Map<Area, string[]>();
  const add = (file: string, pattern: string): void => {
    const area = areaOf(file);
    if (area !== undefined) found.set(area, [...(found.get(area) ?? []), pattern]);
  };
  if (values.changed) {
    for (const { file, from, to } of changedLines()) add(file, `${file}:${from}-${to}`);
    return found;
  }
  const only = values.only.split(',').filter(Boolean);
  if (only.length === 0) {
    for (const area of areas) found.set(area, patternsOf(area));
  }
  for (const name of only) {
    const area = areas.find(({ folder: at }) => at === name);
    if (area !== undefined) found.set(area, patternsOf(area));
    else if (areaOf(name) === undefined) throw new Error(`--only ${name} is in no area`);
    else add(name, name);
  }
  return found;
}

/** All files of an area that no deeper area holds. */
function patternsOf({ folder: at }: Area): string[] {
  const deeper = areas.filter(({ folder: other }) => other.startsWith(`${at}/`));
  return [`${at}/**/*.ts`, ...deeper.map(({ folder: other }) => `!${other}/**/*.ts`)];
}

function changedLines(): { file: string; from: number; to: number }[] {
  const args = ['diff', '--unified=0', '--no-color', values.since, '--', '*.ts'];
  const text = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const lines: { file: string; from: number; to: number }[] = [];
  let file = '';
  for (const line of text.split('\n')) {
    const name = /^\+\+\+ b\/(.+)$/.exec(line)?.[1];
    if (name !== undefined) file = name;
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk === null) continue;
    const from = Number(hunk[1]);
    const count = Number(hunk[2] ?? 1);
    if (count > 0) lines.push({ file, from, to: from + count - 1 });
  }
  return lines;
}

/** @returns the faults of the area that survived */
function run(area: Area, mutate: string[]): Survivor[] {
  const report = join(folder.path, 'report.json');
  const config = join(folder.path, 'stryker.json');
  writeFileSync(
    config,
    JSON.stringify({
      testRunner: 'vitest',
      plugins: [join(cache, 'node_modules/@stryker-mutator/vitest-runner/dist/src/index.js')],
      vitest: { configFile: 'test/labs/mutants/vitest.config.ts', related: false },
      mutate,
      coverageAnalysis: area.runsElsewhere ? 'off' : 'perTest',
      ignoreStatic: !values.static && !area.runsElsewhere,
      reporters: ['json', 'progress-append-only'],
      jsonReporter: { fileName: report },
      concurrency: Number(values.concurrency),
      tempDirName: join(folder.path, 'copies'),
      // Stryker rewrites a tsconfig by an API that TypeScript 7 does not have.
      tsconfigFile: 'none.json',
      ignorePatterns: ['data', 'analyzer/web/dist'],
      timeoutMS: 30_000,
    }),
  );
  process.stdout.write(`${area.folder}: ${mutate.join(' ')}\n`);
  const env = { ...process.env, MUTANT_TESTS: area.tests.join(',') };
  const bin = join(cache, 'node_modules/@stryker-mutator/core/bin/stryker.js');
  const args = [bin, 'run', config];
  const { status } = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) throw new Error(`Stryker ended with ${status} on ${area.folder}`);
  const found = judge(JSON.parse(readFileSync(report, 'utf8')) as MutantReport, equivalents);
  for (const score of found.folders) {
    const { folder: at, noticed, survived, equivalent } = score;
    process.stdout.write(
      `${at}: ${percentNoticed(score).toFixed(1)} %, ${noticed} noticed, ${survived} survived, ${equivalent} equivalent\n`,
    );
  }
  return found.survivors;
}
