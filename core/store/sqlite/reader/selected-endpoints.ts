import type { Tally } from '../../../usage/tally.ts';
import { shardBits } from '../usage/usage-entries.ts';
import type { KnownEndpoint } from './endpoint-cache.ts';
import type { MergedUsage } from './merged-usage.ts';

/** The endpoints of a selection, and their rows. */
export interface Selected {
  /** Ascending by first row. */
  endpoints: readonly KnownEndpoint[];
  /** By row of a spelling: the first row of its endpoint; 0 where the endpoint is not selected. */
  keys: Int32Array;
  firstRow: number;
  lastRow: number;
}

export function selectedOf(endpoints: readonly KnownEndpoint[]): Selected {
  let firstRow = endpoints[0]?.spellings[0]?.row ?? 0;
  let lastRow = firstRow;
  for (const { spellings } of endpoints) {
    for (const { row } of spellings) {
      firstRow = Math.min(firstRow, row);
      lastRow = Math.max(lastRow, row);
    }
  }
  const keys = new Int32Array(lastRow + 1);
  for (const { spellings } of endpoints) {
    for (const { row } of spellings) keys[row] = spellings[0]!.row;
  }
  return { endpoints, keys, firstRow, lastRow };
}

/** By shard, the compacted usage and then the recent one. */
export function joined(
  compacted: ReadonlyMap<number, readonly MergedUsage[]>,
  recent: ReadonlyMap<number, MergedUsage>,
): Map<number, readonly MergedUsage[]> {
  const all = new Map(compacted);
  for (const [shard, usage] of recent) all.set(shard, [...(all.get(shard) ?? []), usage]);
  return all;
}

/** The shards that hold the endpoints, as ranges `[first, last]`: few endpoints of a page lie far from each other. */
export function shardsOf(endpoints: readonly KnownEndpoint[]): [first: number, last: number][] {
  const shards = new Set<number>();
  for (const { spellings } of endpoints)
    for (const { row } of spellings) shards.add(row >> shardBits);
  const ranges: [number, number][] = [];
  for (const shard of [...shards].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === shard - 1) range[1] = shard;
    else ranges.push([shard, shard]);
  }
  return ranges;
}

/** Whether the endpoint has any merged usage. */
export function hasMerged(
  merged: ReadonlyMap<number, readonly MergedUsage[]>,
  spellings: KnownEndpoint['spellings'],
): boolean {
  return spellings.some(
    ({ row }) => merged.get(row >> shardBits)?.some((usage) => usage.has(row)) ?? false,
  );
}

/** @returns whether the endpoint has any merged usage */
export function addMerged(
  merged: ReadonlyMap<number, readonly MergedUsage[]>,
  spellings: KnownEndpoint['spellings'],
  tally: Tally,
): boolean {
  let isUsed = false;
  if (merged.size === 0) return isUsed;
  for (const { row } of spellings) {
    for (const usage of merged.get(row >> shardBits) ?? []) {
      if (usage.addTo(tally, row)) isUsed = true;
    }
  }
  return isUsed;
}
