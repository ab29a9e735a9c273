import type { FuzzCase } from './case.ts';

/** A connection or several that cases of one transport go through, and whom it tells what came back. */
export interface Lane {
  /** Resolves when `next` gave no more cases and all are answered. */
  run(): Promise<void>;
}

export interface LaneOptions {
  address: { host: string; port: number };
  /** The next case of the lane's transport; undefined when there is none left. */
  next(): FuzzCase | undefined;
  /** @param ms from when the server could begin with it until its answer */
  answered(fuzzed: FuzzCase, code: number, ms: number): void;
  /** The connection ended or nothing came within `silentMs` while the case was the next to be answered. */
  unanswered(fuzzed: FuzzCase, why: string): void;
}

/** A case that is not answered by then has no answer. */
export const silentMs = 15_000;
