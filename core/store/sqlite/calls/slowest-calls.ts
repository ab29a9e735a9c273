import { copyCalls } from '../../../call.ts';
import { decodeAscending, encodeAscending } from './coded.ts';
import { decodeCommit, encodeCommit } from './commit-columns.ts';
import { encodePart, PartReader } from './frames.ts';
import { StoredCalls } from './stored-calls.ts';

/**
 * The longest calls of a block once more, all their columns together: a search for the slowest calls reads this part
 * of each block, and the columns of the few blocks of which that is not enough. 45 bytes a call: 0.2 for each call of
 * a whole block.
 */
export const slowestCallsMost = 256;
/** A block of fewer calls has no such part: its columns are read as fast. */
const blockCallsLeast = 8 * slowestCallsMost;

export interface SlowestCalls {
  /** Of the calls in their block, ascending. */
  indexes: Int32Array;
  calls: StoredCalls;
  /** No other call of the block is longer. */
  leastNs: number;
}

/** @returns the part of a block of the calls `from` to `to - 1`; undefined where it has none */
export function encodeSlowest(calls: StoredCalls, from: number, to: number): Buffer | undefined {
  if (to - from < blockCallsLeast) return undefined;
  const indexes = longest(calls.columns.durationNs.subarray(from, to), slowestCallsMost);
  if (indexes.length < slowestCallsMost) return undefined;
  const own = new StoredCalls(indexes.length);
  own.push(indexes.length);
  const { columns } = own;
  indexes.forEach((index, i) => {
    copyCalls(calls.columns, from + index, from + index + 1, columns, i);
  });
  const { call, weight, copies, length } = calls.weights;
  for (let i = 0, place = 0; i < length; i++) {
    while (place < indexes.length && from + indexes[place]! < call[i]!) place += 1;
    if (from + indexes[place]! === call[i]!) own.weights.add(place, weight[i]!, copies[i]!);
  }
  const encoded = encodeCommit(columns, indexes.length, columns, own.weights);
  return encodePart([encodeAscending(indexes), encoded, columns.traceId]);
}

/** @param what names the part for people @throws DamagedError */
export function decodeSlowest(bytes: Uint8Array, what: string): SlowestCalls {
  const part = new PartReader(bytes, what);
  const indexes = decodeAscending(part.frame(0));
  const calls = new StoredCalls(indexes.length);
  decodeCommit(part.frame(1), part.frame(2), what, calls);
  let leastNs = Number.POSITIVE_INFINITY;
  for (const durationNs of calls.columns.durationNs.subarray(0, calls.length)) {
    leastNs = Math.min(leastNs, durationNs);
  }
  return { indexes, calls, leastNs };
}

/** Indexes of the `count` greatest numbers of a column, ascending; fewer where fewer are at least 0. */
function longest(column: Float64Array, count: number): Int32Array {
  let places: number[] = [];
  let leastNs = 0;
  for (let i = 0; i < column.length; i++) {
    if (column[i]! < leastNs) continue;
    if (places.length === 4 * count) {
      places = firstOf(places, column, count);
      leastNs = column[places.at(-1)!]!;
      if (column[i]! < leastNs) continue;
    }
    places.push(i);
  }
  return Int32Array.from(firstOf(places, column, count)).sort();
}

const firstOf = (places: readonly number[], column: Float64Array, count: number): number[] =>
  places.toSorted((a, b) => column[b]! - column[a]!).slice(0, count);
