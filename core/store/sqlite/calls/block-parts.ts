import { VarintReader } from '../../../usage/varint.ts';
import { CallWeights } from '../../../weight.ts';
import type { BlockSummary } from './block-summary.ts';
import {
  type CommitRun,
  callsPerTracePart,
  frameCalls,
  linesPerFilterPart,
  parts,
} from './call-block.ts';
import { decodeAscending, decodeCodes } from './coded.ts';
import { readWeights } from './commit-columns.ts';
import { PartReader } from './frames.ts';
import { type Hashes, lineBytes, lineMayHold, lineOf, traceHashes } from './membership.ts';
import { readPacked } from './packed.ts';

/** Decodes the parts of a call block (call-block.ts), each when it is asked for. */

/** Reads a column of repeated numbers: codes of the calls of a frame, and the values that they are indexes of. */
export class CodedReader {
  readonly values: Int32Array;
  readonly #part: PartReader;

  /** @param what names the part for people @throws DamagedError */
  constructor(bytes: Uint8Array, what: string) {
    this.#part = new PartReader(bytes, what);
    this.values = decodeAscending(this.#part.frame(0));
  }

  /** Codes of the calls from `frame * frameCalls` on. */
  codes(frame: number): Uint8Array | Uint16Array {
    return decodeCodes(this.#part.frame(frame + 1), this.values.length);
  }
}

/** Reads the durations or the sizes of a block. −1: no latency, no size. */
export class NumbersReader {
  readonly #part: PartReader;
  readonly #calls: number;
  readonly #reader = new VarintReader();

  /** @param calls of the block @param what names the part for people @throws DamagedError */
  constructor(bytes: Uint8Array, calls: number, what: string) {
    this.#part = new PartReader(bytes, what);
    this.#calls = calls;
  }

  /** Of the calls from `frame * frameCalls` on. */
  numbers(frame: number): Float64Array {
    const numbers = new Float64Array(callsOfFrame(this.#calls, frame));
    this.#reader.seek(this.#part.frame(frame), 0);
    readPacked(this.#reader, numbers.length, numbers, 0);
    return numbers;
  }
}

/** Reads the ends of a block's calls. */
export class EndsReader {
  readonly #part: PartReader;
  readonly #calls: number;
  readonly #reader = new VarintReader();

  /** @param calls of the block @param what names the part for people @throws DamagedError */
  constructor(bytes: Uint8Array, calls: number, what: string) {
    this.#part = new PartReader(bytes, what);
    this.#calls = calls;
  }

  /** Of the calls from `frame * frameCalls` on. */
  ends(frame: number): { endS: Uint32Array; endNs: Uint32Array } {
    const calls = callsOfFrame(this.#calls, frame);
    const endS = new Uint32Array(calls);
    const endNs = new Uint32Array(calls);
    this.#reader.seek(this.#part.frame(frame), 0);
    readPacked(this.#reader, calls, endS, 0);
    readPacked(this.#reader, calls, endNs, 0);
    return { endS, endNs };
  }
}

/** The part that holds the trace id of the call with an index, and where in its bytes. */
export function tracePlace(index: number): { part: number; at: number } {
  const part = Math.floor(index / callsPerTracePart);
  return { part: parts.traceIds + part, at: (index - part * callsPerTracePart) * 16 };
}

/** @throws DamagedError */
export function decodeTraceIds(bytes: Uint8Array, what: string): Uint8Array {
  return new PartReader(bytes, what).frame(0);
}

/** @throws DamagedError */
export function decodeFilter(bytes: Uint8Array, what: string): Uint8Array {
  return new PartReader(bytes, what).frame(0);
}

/**
 * Whether a block may hold calls of a trace, by one piece of its filter.
 * @param id 16 bytes
 * @param piece reads a part of the block as `decodeFilter` gives it; undefined when it is not readable
 */
export function mayHoldTrace(
  { traceFilterLines }: Pick<BlockSummary, 'traceFilterLines'>,
  id: Uint8Array,
  piece: (part: number) => Uint8Array | undefined,
): boolean {
  const hashes: Hashes = { line: 0, bits: 0 };
  traceHashes(id, 0, hashes);
  const line = lineOf(hashes.line, traceFilterLines);
  const part = Math.floor(line / linesPerFilterPart);
  const bytes = piece(parts.traceFilter + part);
  const start = (line - part * linesPerFilterPart) * lineBytes;
  return bytes === undefined || lineMayHold(bytes, start, hashes.bits);
}

/** @throws DamagedError */
export function decodeCommits(bytes: Uint8Array, what: string): CommitRun[] {
  const reader = new VarintReader();
  reader.seek(new PartReader(bytes, what).frame(0), 0);
  const commits: CommitRun[] = [];
  let committedS = 0;
  for (let left = reader.next(); left > 0; left--) {
    const calls = reader.next();
    committedS += reader.next();
    commits.push({ calls, committedS });
  }
  return commits;
}

/** @returns weights of the calls by index in the block @throws DamagedError */
export function decodeWeights(bytes: Uint8Array, what: string): CallWeights {
  const reader = new VarintReader();
  reader.seek(new PartReader(bytes, what).frame(0), 0);
  const weights = new CallWeights();
  readWeights(reader, 0, weights);
  return weights;
}

function callsOfFrame(calls: number, frame: number): number {
  return Math.min(frameCalls, calls - frame * frameCalls);
}
