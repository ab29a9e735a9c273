import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from './faults.ts';
import type { Outcome, TestCopy } from './test-copy.ts';

/** A test that runs a fault's code. */
export interface CoveringTest {
  file: string;
  name: string;
  durationMs: number;
}

interface ScriptCoverage {
  url: string;
  functions: {
    functionName: string;
    ranges: { startOffset: number; endOffset: number; count: number }[];
  }[];
}

/**
 * Which tests run which code, by V8's coverage of the tests' process and of all threads and processes that they start.
 * Node removes types without moving code, so V8's offsets are those of the source.
 */
export class Coverage {
  /** By source file: each test with what it ran. */
  readonly #tests = new Map<string, { test: CoveringTest; scripts: ScriptCoverage[] }[]>();

  /**
   * Runs a test file once, without a fault.
   * @param folder the copy's NODE_V8_COVERAGE
   * @returns why it failed, twice: then none of its tests is run against faults; undefined when it passed
   */
  async add(
    copy: TestCopy,
    folder: string,
    file: string,
    sources: ReadonlySet<string>,
  ): Promise<string | undefined> {
    let outcome: Outcome = 'timeout';
    // On a busy machine a test may fail once.
    for (let attempt = 0; attempt < 2 && (outcome === 'timeout' || !outcome.passed); attempt += 1) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      outcome = await copy.run({ file }, boundMs);
    }
    if (outcome === 'timeout') return 'no end in 900 s';
    if (!outcome.passed) return outcome.failures.join('\n');
    const all = [...scriptsIn(folder, sources), ...scriptsIn(join(folder, 'all'), sources)];
    for (const entry of readdirSync(folder)) {
      if (!/^\d+$/.test(entry)) continue;
      const own = join(folder, entry);
      const name = readFileSync(join(own, 'test.txt'), 'utf8');
      const test = { file, name, durationMs: outcome.tests[name] ?? 0 };
      const bySource = Map.groupBy([...all, ...scriptsIn(own, sources)], ({ url }) => url);
      for (const [source, scripts] of bySource) {
        const tests = this.#tests.get(source) ?? [];
        this.#tests.set(source, tests);
        tests.push({ test, scripts });
      }
    }
    return undefined;
  }

  /** The tests that run the code of a fault, the quickest first. */
  testsOf({ file, start, end }: Fault): CoveringTest[] {
    return (this.#tests.get(file) ?? [])
      .filter(({ scripts }) => scripts.some((script) => isRun(script, start, end)))
      .map(({ test }) => test)
      .sort((a, b) => a.durationMs - b.durationMs);
  }
}

/** Of one test file without a fault; the contract suite of the store takes four minutes on a busy machine. */
const boundMs = 900_000;

/** Whether the innermost range around the code was run. */
function isRun({ functions }: ScriptCoverage, start: number, end: number): boolean {
  let size = Number.POSITIVE_INFINITY;
  let count = 0;
  for (const { ranges } of functions) {
    for (const range of ranges) {
      const length = range.endOffset - range.startOffset;
      if (range.startOffset > start || range.endOffset < end || length > size) continue;
      size = length;
      count = range.count;
    }
  }
  return count > 0;
}

function scriptsIn(folder: string, sources: ReadonlySet<string>): ScriptCoverage[] {
  if (!existsSync(folder)) return [];
  const found: ScriptCoverage[] = [];
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.json')) continue;
    for (const { url, functions } of reportOf(join(folder, name))) {
      const source = /\/copy\/(.+)$/.exec(url)?.[1];
      if (source !== undefined && sources.has(source)) found.push({ url: source, functions });
    }
  }
  return found;
}

/** Empty for the report of a process that was killed while it wrote. */
function reportOf(path: string): ScriptCoverage[] {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { result: ScriptCoverage[] }).result;
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
