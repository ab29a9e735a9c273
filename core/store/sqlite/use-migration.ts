import { addDay, emptyDays } from '../../day-set.ts';
import type { Database } from './database.ts';
import { minutesPerDay } from './usage/levels.ts';
import { UsageEntries } from './usage/usage-entries.ts';
import { type UseFacts, UseRecords, useOfBlocks } from './usage/use-facts.ts';

/** The schema's step to the permanent use of endpoints (core/endpoint-use.ts) and heard hours. */
export const useTables = `
  CREATE TABLE endpoint_use (
    endpoint_id INTEGER PRIMARY KEY,
    last_use_ms INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    other_calls INTEGER NOT NULL,
    last_other_ms INTEGER NOT NULL,
    sampled_calls INTEGER NOT NULL,
    first_day INTEGER NOT NULL,
    days BLOB NOT NULL -- core/day-set.ts
  );
  -- Use by endpoint of a run's calls; NULL in runs of earlier releases.
  ALTER TABLE usage_run ADD COLUMN use BLOB;
  -- The consumer matches ROLLCALL_IGNORE_CONSUMERS, as of the writer's start.
  ALTER TABLE origin ADD COLUMN ignored INTEGER NOT NULL DEFAULT 0;
  -- Hours of the day in which the service was heard, bit n for hour n; all of them where only the day is known.
  ALTER TABLE service_day ADD COLUMN hours INTEGER NOT NULL DEFAULT 16777215;
`;

/** Fills both from the usage blocks that are kept: by hours and by days. */
export function fillUse(db: Database): void {
  fillHours(db);
  const records = new UseRecords(db);
  const shards = db.prepare('SELECT DISTINCT shard FROM usage_block').pluck().all() as number[];
  const blocksOf = db
    .prepare('SELECT block FROM usage_block WHERE level_minutes = ? AND shard = ?')
    .pluck();
  const found: UseFacts = new Map();
  for (const shard of shards) {
    for (const [row, use] of useOfBlocks(blocksOf.all(minutesPerDay, shard) as Buffer[])) {
      found.set(row, use);
    }
  }
  const facts: UseFacts = new Map();
  const endpoints = db.prepare(
    'SELECT id, first_call_ms, last_call_ms, lifetime_calls FROM endpoint WHERE last_call_ms IS NOT NULL',
  );
  for (const [row, firstMs, lastMs, calls] of endpoints.raw().all() as number[][]) {
    const use = found.get(row!) ?? {
      // Its days are past their retention: it was used at both ends of its life.
      ...{ lastMs: lastMs!, calls: calls!, otherCalls: 0, lastOtherMs: 0, sampledCalls: 0 },
      days: ends(dayOf(firstMs!), dayOf(lastMs!)),
    };
    if (dayOf(use.lastMs) === dayOf(lastMs!)) use.lastMs = lastMs!;
    facts.set(row!, use);
  }
  records.add(facts);
}

const dayOf = (ms: number): number => Math.floor(ms / 86_400_000);

function ends(first: number, last: number) {
  const days = emptyDays();
  addDay(days, first);
  addDay(days, last);
  return days;
}

function fillHours(db: Database): void {
  const serviceOf = new Map(
    db.prepare('SELECT id, service_id FROM endpoint').raw().all() as [number, number][],
  );
  const hours = new Map<string, number>();
  const blocks = db.prepare('SELECT block FROM usage_block WHERE level_minutes = 60').raw();
  for (const [block] of blocks.iterate() as Iterable<[Buffer]>) {
    const entries = new UsageEntries();
    entries.addBlock(block);
    for (let i = 0; i < entries.length; i++) {
      const service = serviceOf.get(entries.endpoint[i]!);
      const minute = entries.minute[i]!;
      const key = `${service} ${Math.floor(minute / minutesPerDay)}`;
      hours.set(key, (hours.get(key) ?? 0) | (1 << Math.floor((minute % minutesPerDay) / 60)));
    }
  }
  const set = db.prepare('UPDATE service_day SET hours = ? WHERE service_id = ? AND day = ?');
  for (const [key, bits] of hours) set.run(bits, ...key.split(' ').map(Number));
}
