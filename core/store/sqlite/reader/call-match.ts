import type { CallPiece, WantedCalls } from './call-pieces.ts';

/**
 * Finds the calls that are wanted among some of a piece. One column after another: a column is read only while
 * calls are left, and only the calls that passed the columns before are looked at.
 * @param indexes of the calls; used as memory
 * @returns the indexes of the wanted calls, in the same order
 */
export function wantedOf(piece: CallPiece, indexes: Int32Array, wanted: WantedCalls): Int32Array {
  let left = indexes;
  for (const keep of filtersOf(wanted)) {
    if (left.length === 0) break;
    left = left.subarray(0, keep(piece, left));
  }
  return left;
}

/** Moves the indexes that pass to the front. @returns how many they are */
type Filter = (piece: CallPiece, indexes: Int32Array) => number;

/** The filters that mostly leave few calls come first. */
function filtersOf(wanted: WantedCalls): Filter[] {
  const { traceId, client, origins, endpoints, statuses } = wanted;
  const filters: Filter[] = [];
  if (traceId)
    filters.push((piece, indexes) => keepTrace(piece.column('traceId'), indexes, traceId));
  if (client !== undefined) {
    filters.push((piece, indexes) => keepEqual(piece.column('client'), indexes, client));
  }
  if (origins) {
    filters.push((piece, indexes) => keepMembers(piece.column('origin'), indexes, origins));
  }
  if (endpoints) {
    filters.push((piece, indexes) => keepMembers(piece.column('endpoint'), indexes, endpoints));
  }
  if (statuses) {
    const members = new Uint8Array(2 ** 16);
    for (const { from, to } of statuses) members.fill(1, from, to + 1);
    filters.push((piece, indexes) => keepMembers(piece.column('status'), indexes, members));
  }
  const { durationFromNs, durationToNs, endFromS, endToS } = wanted;
  if (durationFromNs !== undefined || durationToNs !== undefined) {
    const from = Math.max(0, durationFromNs ?? 0);
    const to = durationToNs ?? Number.POSITIVE_INFINITY;
    filters.push((piece, indexes) => keepBetween(piece.column('durationNs'), indexes, from, to));
  }
  if (endFromS !== undefined || endToS !== undefined) {
    const from = endFromS ?? 0;
    const to = (endToS ?? Number.POSITIVE_INFINITY) - 1;
    filters.push((piece, indexes) => keepBetween(piece.column('endS'), indexes, from, to));
  }
  return filters;
}

function keepEqual(column: Int32Array, indexes: Int32Array, value: number): number {
  let kept = 0;
  for (let i = 0; i < indexes.length; i += 1) {
    const index = indexes[i]!;
    if (column[index] === value) indexes[kept++] = index;
  }
  return kept;
}

function keepMembers(
  column: Int32Array | Uint16Array,
  indexes: Int32Array,
  members: Int32Array | Uint8Array,
): number {
  let kept = 0;
  for (let i = 0; i < indexes.length; i += 1) {
    const index = indexes[i]!;
    const value = column[index]!;
    if (value < members.length && members[value] !== 0) indexes[kept++] = index;
  }
  return kept;
}

function keepBetween(
  column: Float64Array | Uint32Array,
  indexes: Int32Array,
  from: number,
  to: number,
): number {
  let kept = 0;
  for (let i = 0; i < indexes.length; i += 1) {
    const index = indexes[i]!;
    const value = column[index]!;
    if (value >= from && value <= to) indexes[kept++] = index;
  }
  return kept;
}

function keepTrace(column: Uint8Array, indexes: Int32Array, traceId: Uint8Array): number {
  const [first] = traceId;
  let kept = 0;
  for (let i = 0; i < indexes.length; i += 1) {
    const index = indexes[i]!;
    if (column[index * 16] !== first) continue;
    let at = 1;
    while (at < 16 && column[index * 16 + at] === traceId[at]) at += 1;
    if (at === 16) indexes[kept++] = index;
  }
  return kept;
}
