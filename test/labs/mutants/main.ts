import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../../../core/random.ts';
import { temporaryFolder } from '../../support/process.ts';
import { areaOf, areas } from './areas.ts';
import { Coverage, type CoveringTest } from './coverage.ts';
import { equivalents } from './equivalent.ts';
import { type Fault, FaultMaker, withFault } from './faults.ts';
import { handMade, type ThoughtFault, testFilesOf } from './hand-made.ts';
import { isEquivalent, lineOf, type Result, Scores, sampleOf } from './report.ts';
import { TestCopy } from './test-copy.ts';

/**
 * `npm run test:mutants`: puts small faults into a copy of the code, one at a time, and runs the tests against each
 * until one fails. The faults are Stryker's, which is installed in the user's cache: it brings 60 packages.
 *   --changed           only lines changed since origin/main, or since what --since names
 *   --only core/auth    areas or files, by comma; all areas take hours
 *   --sample 100        so many faults of all chosen, drawn by --seed (1 unless given): a score with its error
 *   --by-hand FILE      the faults of a file (hand-made.ts) instead
 *   --bound 60          seconds of tests that a fault gets, the quickest tests first
 *   --concurrency 2     copies in which tests run at a time
 * Exit code 1 when a fault was not noticed that equivalent.ts does not explain.
 */
const { values } = parseArgs({
  options: {
    changed: { type: 'boolean', default: false },
    since: { type: 'string', default: 'origin/main' },
    only: { type: 'string', default: '' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    'by-hand': { type: 'string' },
    bound: { type: 'string', default: '60' },
    concurrency: { type: 'string', default: '1' },
  },
});
const root = fileURLToPath(new URL('../../..', import.meta.url));
const boundMs = Number(values.bound) * 1000;
const folder = temporaryFolder();
const scores = new Scores();
const copies: TestCopy[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const copy of copies) copy.abandon();
    folder.remove();
    process.exit(1);
  });
}
try {
  const byHand = values['by-hand'];
  await tryAll(byHand === undefined ? await drawn() : handMade(readFileSync(byHand, 'utf8'), root));
} finally {
  for (const copy of copies) await copy.close();
  folder.remove();
}
const isSample = values.sample !== undefined;
for (const place of scores.folders()) print(lineOf(place, scores.of(place), isSample));
print(lineOf('all', scores.of('all'), isSample));
process.exitCode = scores.of('all').survived === 0 ? 0 : 1;

async function drawn(): Promise<ThoughtFault[]> {
  const maker = await FaultMaker.open(installStryker());
  const all: ThoughtFault[] = [];
  for (const [file, isChosen] of chosen()) {
    const faults = await maker.faultsOf(file, readFileSync(join(root, file), 'utf8'));
    const testFiles = testFilesOf(areaOf(file)!.tests, root);
    all.push(...faults.filter(isChosen).map((fault) => ({ ...fault, testFiles })));
  }
  print(`${all.length} faults\n`);
  if (values.sample === undefined) return all;
  const random = new Random(Number(values.seed));
  return sampleOf(all, Number(values.sample), () => random.next());
}

function installStryker(): string {
  const cache = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/rollcall-mutants`;
  if (existsSync(join(cache, 'node_modules/@stryker-mutator/instrumenter'))) return cache;
  mkdirSync(cache, { recursive: true });
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const args = ['install', ...quiet, '--prefix', cache, '@stryker-mutator/instrumenter@10.1.1'];
  execFileSync('npm', args, { stdio: 'inherit' });
  return cache;
}

/** Files with the condition that their faults must meet. */
function chosen(): Map<string, (fault: Fault) => boolean> {
  const found = new Map<string, (fault: Fault) => boolean>();
  if (values.changed) {
    for (const [file, ranges] of Map.groupBy(changedLines(), ({ file: name }) => name)) {
      if (areaOf(file) === undefined) continue;
      found.set(file, ({ lineNumber }) =>
        ranges.some(({ from, to }) => from <= lineNumber && lineNumber <= to),
      );
    }
    return found;
  }
  const names = values.only.split(',').filter(Boolean);
  for (const name of names.length > 0 ? names : areas.map(({ folder: at }) => at)) {
    const files = name.endsWith('.ts') ? [name] : globSync(`${name}/**/*.ts`, { cwd: root }).sort();
    const known = files.filter((file) => areaOf(file) !== undefined);
    if (known.length === 0) throw new Error(`--only ${name} is in no area`);
    for (const file of known) found.set(file, () => true);
  }
  return found;
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

interface TriedFault extends Fault {
  /** The quickest first. */
  tests: readonly CoveringTest[];
}

/** Runs each test file once for its coverage, then the tests of each fault. */
async function tryAll(faults: readonly ThoughtFault[]): Promise<void> {
  // Made at once: the work tree may change meanwhile.
  const trials = Array.from({ length: Number(values.concurrency) }, (_, at) =>
    copyAt(`copy-${at}`, {
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(folder.path, 'compiled'),
    }),
  );
  const coverage = await coverageOf(faults);
  await tryEach(
    trials,
    faults.map((fault) => {
      const tests = coverage.testsOf(fault).filter(({ file }) => fault.testFiles.includes(file));
      return { ...fault, tests };
    }),
  );
}

function copyAt(name: string, env: Record<string, string>): TestCopy {
  const copy = new TestCopy(root, join(folder.path, name), env);
  copies.push(copy);
  return copy;
}

async function coverageOf(faults: readonly ThoughtFault[]): Promise<Coverage> {
  const reports = join(folder.path, 'reports');
  const copy = copyAt('coverage', { NODE_V8_COVERAGE: reports, NODE_COMPILE_CACHE: '' });
  const coverage = new Coverage();
  const sources = new Set(faults.map(({ file }) => file));
  const files = new Set(faults.flatMap(({ testFiles }) => testFiles));
  const startedMs = Date.now();
  for (const file of files) {
    const fileStartedMs = Date.now();
    const failure = await coverage.add(copy, reports, file, sources);
    const tookMs = Date.now() - fileStartedMs;
    if (failure !== undefined) print(`left out: ${file} fails without a fault: ${failure}\n`);
    else if (tookMs > 10_000) print(`${file}: ${Math.round(tookMs / 1000)} s\n`);
  }
  await copy.close();
  print(`${files.size} test files run once: ${Math.round((Date.now() - startedMs) / 1000)} s\n`);
  return coverage;
}

/** Tries faults in several copies; results are printed in the order of their ends, and a file's score after its last. */
async function tryEach(trials: readonly TestCopy[], faults: readonly TriedFault[]): Promise<void> {
  const left = new Map<string, number>();
  for (const { file } of faults) left.set(file, (left.get(file) ?? 0) + 1);
  const queue = faults[Symbol.iterator]();
  await Promise.all(
    trials.map(async (copy) => {
      for (const fault of queue) {
        const { file } = fault;
        const result = await tryOne(copy, fault);
        scores.add(file, result);
        if (result === 'survived' || result === 'uncovered') printSurvivor(fault, result);
        left.set(file, left.get(file)! - 1);
        if (left.get(file) === 0) print(lineOf(file, scores.of(file), false));
      }
    }),
  );
}

async function tryOne(copy: TestCopy, fault: TriedFault): Promise<Result> {
  if (isEquivalent(fault, equivalents)) return 'equivalent';
  if (fault.tests.length === 0) return 'uncovered';
  copy.write(fault.file, withFault(fault));
  try {
    let usedMs = 0;
    const affordable = fault.tests.filter(({ durationMs }) => {
      usedMs += durationMs;
      return usedMs <= boundMs || usedMs === durationMs;
    });
    for (const [file, tests] of Map.groupBy(affordable, ({ file: name }) => name)) {
      const expectedMs = tests.reduce((sum, { durationMs }) => sum + durationMs, 0);
      const order = { file, tests: tests.map(({ name }) => name) };
      // Ten times as long as without the fault, on a machine that may be busy.
      const outcome = await copy.run(order, 30_000 + 10 * expectedMs);
      if (outcome === 'timeout') return 'timeout';
      if (!outcome.passed) return 'noticed';
    }
    return 'survived';
  } finally {
    copy.write(fault.file, fault.text);
  }
}

function printSurvivor({ file, lineNumber, line, replacement, mutator }: Fault, result: Result) {
  const why = result === 'uncovered' ? `${mutator}, no test runs it` : mutator;
  print(`${file}:${lineNumber} ${why}\n    ${line}\n    → ${replacement}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
