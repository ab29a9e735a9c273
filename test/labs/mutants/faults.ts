import { createRequire, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** One small change of one file. Offsets are of UTF-16 code units. */
export interface Fault {
  file: string;
  /** The source without the fault. */
  text: string;
  start: number;
  end: number;
  lineNumber: number;
  /** The line as it stands, without indentation. */
  line: string;
  /** The text that Stryker or a person puts in the place. */
  replacement: string;
  /** Stryker's name of the kind of change. */
  mutator: string;
}

interface StrykerMutant {
  mutatorName: string;
  replacement: string;
  status?: string;
  location: { start: Position; end: Position };
}

interface Position {
  line: number;
  column: number;
}

interface Instrumenter {
  instrument(files: unknown[], options: unknown): Promise<{ mutants: StrykerMutant[] }>;
}

/** Stryker's faults of sources. */
export class FaultMaker {
  readonly #instrumenter: Instrumenter;

  private constructor(instrumenter: Instrumenter) {
    this.#instrumenter = instrumenter;
  }

  /** @param packages the folder in which Stryker is installed */
  static async open(packages: string): Promise<FaultMaker> {
    const path = createRequire(join(packages, 'package.json')).resolve(
      '@stryker-mutator/instrumenter',
    );
    const { Instrumenter: Stryker } = await import(pathToFileURL(path).href);
    const quiet = () => {};
    return new FaultMaker(
      new Stryker({ debug: quiet, info: quiet, warn: quiet, isDebugEnabled: () => false }),
    );
  }

  /** @returns faults in the order of the text, without those that Node cannot load */
  async faultsOf(file: string, text: string): Promise<Fault[]> {
    const options = { plugins: null, ignorers: [], excludedMutations: [], noHeader: true };
    const { mutants } = await this.#instrumenter.instrument(
      [{ name: file, mutate: true, content: text }],
      options,
    );
    const lines = lineStarts(text);
    const faults: Fault[] = [];
    for (const { mutatorName, replacement, status, location } of mutants) {
      if (status === 'Ignored') continue;
      const { start, end } = location;
      const fault: Fault = {
        file,
        text,
        start: lines[start.line]! + start.column,
        end: lines[end.line]! + end.column,
        lineNumber: start.line + 1,
        line: lineAt(text, lines[start.line]!),
        replacement,
        mutator: mutatorName,
      };
      if (canLoad(withFault(fault))) faults.push(fault);
    }
    return faults.sort((a, b) => a.start - b.start || a.end - b.end);
  }
}

/** The source with the fault in it. Expressions are put in parentheses, since their neighbours may bind closer. */
export function withFault({ text, start, end, replacement, mutator }: Fault): string {
  const isPlain =
    mutator === 'by hand' ||
    mutator === 'BlockStatement' ||
    /^(case|default|for)\b/.test(replacement);
  const inserted = isPlain ? replacement : `(${replacement})`;
  return text.slice(0, start) + inserted + text.slice(end);
}

function canLoad(text: string): boolean {
  try {
    stripTypeScriptTypes(text);
    return true;
  } catch {
    return false;
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

export function lineAt(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  return text.slice(start, end < 0 ? text.length : end).trim();
}
