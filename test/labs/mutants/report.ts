import { dirname } from 'node:path';
import type { Fault } from './faults.ts';

/** A fault that changes nothing that anyone can observe. */
export interface Equivalent {
  file: string;
  /** The line as it stands, without indentation. */
  line: string;
  replacement: string;
  reason: string;
}

/** `uncovered`: no test runs the code. `timeout`: a test did not end, which counts as noticed. */
export type Result = 'noticed' | 'timeout' | 'survived' | 'uncovered' | 'equivalent';

export interface Score {
  noticed: number;
  timeout: number;
  survived: number;
  equivalent: number;
}

export function isEquivalent(fault: Fault, equivalents: readonly Equivalent[]): boolean {
  return equivalents.some(
    ({ file, line, replacement }) =>
      file === fault.file && line === fault.line && replacement === fault.replacement,
  );
}

/** Counts results by file, by folder and in all. */
export class Scores {
  readonly #scores = new Map<string, Score>();

  add(file: string, result: Result): void {
    for (const place of [file, dirname(file), 'all']) {
      const score = this.of(place);
      this.#scores.set(place, score);
      if (result === 'noticed' || result === 'timeout') score.noticed += 1;
      if (result === 'timeout') score.timeout += 1;
      if (result === 'survived' || result === 'uncovered') score.survived += 1;
      if (result === 'equivalent') score.equivalent += 1;
    }
  }

  of(place: string): Score {
    return this.#scores.get(place) ?? { noticed: 0, timeout: 0, survived: 0, equivalent: 0 };
  }

  /** Folders in the order of their first fault. */
  folders(): string[] {
    return [...this.#scores.keys()].filter((place) => place !== 'all' && !place.endsWith('.ts'));
  }
}

/** Noticed faults in percent of all that are not equivalent; 100 for none. */
export function percentNoticed({ noticed, survived }: Score): number {
  const all = noticed + survived;
  return all === 0 ? 100 : (100 * noticed) / all;
}

/** Half the width of the 95 % confidence interval of a sample's score, in percentage points (Agresti and Coull). */
export function errorOf({ noticed, survived }: Score): number {
  const all = noticed + survived + 4;
  const share = (noticed + 2) / all;
  return 196 * Math.sqrt((share * (1 - share)) / all);
}

export function lineOf(place: string, score: Score, isSample: boolean): string {
  const error = isSample ? ` ± ${errorOf(score).toFixed(1)}` : '';
  const { noticed, timeout, survived, equivalent } = score;
  return `${place}: ${percentNoticed(score).toFixed(1)}${error} %, ${noticed} noticed (${timeout} by a time-out), ${survived} survived, ${equivalent} equivalent\n`;
}

/**
 * Draws `count` items so that each is equally likely and the order is kept: one from each of `count` equal stretches,
 * so that each file gives as many as its share.
 */
export function sampleOf<T>(items: readonly T[], count: number, random: () => number): T[] {
  if (count >= items.length) return [...items];
  const stretch = items.length / count;
  return Array.from({ length: count }, (_, at) => {
    return items[Math.min(items.length - 1, Math.floor((at + random()) * stretch))]!;
  });
}
