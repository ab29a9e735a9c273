import { addDay, daysOf } from '../../../day-set.ts';
import { addUse, type EndpointUse, isReached, noUse } from '../../../endpoint-use.ts';
import { Tally } from '../../../usage/tally.ts';
import { putVarint, VarintReader } from '../../../usage/varint.ts';
import type { Database, Statement } from '../database.ts';
import type { CallRows } from './call-rows.ts';
import { minutesPerDay } from './levels.ts';
import type { OriginNumbers } from './origin-numbers.ts';
import { UsageEntries } from './usage-entries.ts';

/** Use by endpoint row. */
export type UseFacts = Map<number, EndpointUse>;

/** @param order of the calls. Fastest when calls of one endpoint are neighbours, ascending in time. */
export function useOfCalls(calls: CallRows, order: Uint32Array, origins: OriginNumbers): UseFacts {
  const byEndpoint: UseFacts = new Map();
  let endpoint = 0;
  let day = -1;
  let use = noUse();
  for (let at = order.length - 1; at >= 0; at--) {
    const i = order[at]!;
    if (calls.endpoint[i] !== endpoint) {
      endpoint = calls.endpoint[i]!;
      use = useIn(byEndpoint, endpoint);
      day = -1;
    }
    if (calls.weighted > 0 && calls.weight![i] !== 1) use.sampledCalls += 1;
    if (!isReached(calls.status[i]!)) continue;
    const endMs = calls.endMs[i]!;
    if (!origins.counts(calls.origin[i]!)) {
      use.otherCalls += 1;
      if (endMs > use.lastOtherMs) use.lastOtherMs = endMs;
      continue;
    }
    use.calls += 1;
    if (endMs > use.lastMs) use.lastMs = endMs;
    const callDay = Math.floor(calls.minute[i]! / minutesPerDay);
    if (callDay === day) continue;
    day = callDay;
    addDay(use.days, day);
  }
  return byEndpoint;
}

/**
 * The use that usage blocks show, for calls that a release without these facts counted: every caller counts, since
 * a block does not hold its robots. The last use of a day is taken as its end.
 */
export function useOfBlocks(blocks: readonly Uint8Array[]): UseFacts {
  const byEndpoint: UseFacts = new Map();
  const tally = new Tally();
  const entries = new UsageEntries();
  for (const block of blocks) entries.addBlock(block);
  for (let i = 0; i < entries.length; i++) {
    entries.addTo(tally, i);
    const { statuses, sampling } = tally.usage();
    tally.clear();
    let reached = 0;
    for (const [status, calls] of statuses) if (isReached(status)) reached += calls;
    const use = useIn(byEndpoint, entries.endpoint[i]!);
    if (sampling) use.sampledCalls += sampling.seen;
    if (reached === 0) continue;
    const day = Math.floor(entries.minute[i]! / minutesPerDay);
    use.calls += Math.ceil(reached);
    use.lastMs = Math.max(use.lastMs, (day + 1) * minutesPerDay * 60_000 - 1);
    addDay(use.days, day);
  }
  return byEndpoint;
}

function useIn(byEndpoint: UseFacts, endpoint: number): EndpointUse {
  let use = byEndpoint.get(endpoint);
  if (use === undefined) {
    use = noUse();
    byEndpoint.set(endpoint, use);
  }
  return use;
}

/** As bytes, for runs: varints, times in milliseconds, days as differences. */
export function encodeUse(byEndpoint: UseFacts): Buffer {
  let out = Buffer.allocUnsafe(4096);
  let at = 0;
  for (const [endpoint, use] of byEndpoint) {
    const days = daysOf(use.days);
    const bytesMax = 64 + days.length * 3;
    if (at + bytesMax > out.length) {
      const next = Buffer.allocUnsafe(out.length * 2 + bytesMax);
      out.copy(next, 0, 0, at);
      out = next;
    }
    at = putVarint(out, at, endpoint);
    at = putVarint(out, at, use.lastMs);
    at = putVarint(out, at, use.calls);
    at = putVarint(out, at, use.otherCalls);
    at = putVarint(out, at, use.lastOtherMs);
    at = putVarint(out, at, use.sampledCalls);
    at = putVarint(out, at, days.length);
    let before = 0;
    for (const day of days) {
      at = putVarint(out, at, day - before);
      before = day;
    }
  }
  return out.subarray(0, at);
}

/** Adds encoded use to that of each endpoint. */
export function addEncodedUse(byEndpoint: UseFacts, bytes: Uint8Array): void {
  const reader = new VarintReader();
  reader.seek(bytes, 0);
  while (reader.at < bytes.length) {
    const endpoint = reader.next();
    const more = noUse();
    more.lastMs = reader.next();
    more.calls = reader.next();
    more.otherCalls = reader.next();
    more.lastOtherMs = reader.next();
    more.sampledCalls = reader.next();
    let day = 0;
    for (let left = reader.next(); left > 0; left--) {
      day += reader.next();
      addDay(more.days, day);
    }
    addUse(useIn(byEndpoint, endpoint), more);
  }
}

/** Of a run: its own facts, or, in a run that an earlier release wrote, what its block shows. */
export function addUseOfRun(
  byEndpoint: UseFacts,
  run: { block: Uint8Array; use: Buffer | null },
): void {
  if (run.use !== null) {
    addEncodedUse(byEndpoint, run.use);
    return;
  }
  for (const [endpoint, use] of useOfBlocks([run.block])) addUse(useIn(byEndpoint, endpoint), use);
}

/** The columns of `endpoint_use`, as a row beside others. */
export const useColumns =
  'last_use_ms, uses, other_calls, last_other_ms, sampled_calls, first_day, days';

export interface UseRow {
  last_use_ms: number | null;
  uses: number | null;
  other_calls: number | null;
  last_other_ms: number | null;
  sampled_calls: number | null;
  first_day: number | null;
  days: Uint8Array | null;
}

/** @param row all null where the endpoint has no row of `endpoint_use` */
export function useOfRow(row: UseRow): EndpointUse {
  return {
    lastMs: row.last_use_ms ?? 0,
    calls: row.uses ?? 0,
    otherCalls: row.other_calls ?? 0,
    lastOtherMs: row.last_other_ms ?? 0,
    sampledCalls: row.sampled_calls ?? 0,
    days: { firstDay: row.first_day ?? 0, bits: new Uint8Array(row.days ?? []) },
  };
}

/** The table `endpoint_use`: the permanent use of each endpoint row. */
export class UseRecords {
  readonly #read: Statement;
  readonly #write: Statement;

  constructor(db: Database) {
    this.#read = db.prepare(`SELECT ${useColumns} FROM endpoint_use WHERE endpoint_id = ?`);
    this.#write = db.prepare(
      `INSERT OR REPLACE INTO endpoint_use (endpoint_id, ${useColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  add(byEndpoint: UseFacts): void {
    for (const [endpoint, more] of byEndpoint) {
      const row = this.#read.get(endpoint) as UseRow | undefined;
      const use = row === undefined ? more : useOfRow(row);
      if (row !== undefined) addUse(use, more);
      const { lastMs, calls, otherCalls, lastOtherMs, sampledCalls, days } = use;
      const counts = [lastMs, calls, otherCalls, lastOtherMs, sampledCalls] as const;
      this.#write.run(endpoint, ...counts, days.firstDay, days.bits);
    }
  }
}
