import { Tally } from '../../../usage/tally.ts';
import { readCallsAfter } from '../calls/not-rolled-up.ts';
import type { Database, Statement } from '../database.ts';
import type { DamagedError } from '../sealed.ts';
import { CallRows } from '../usage/call-rows.ts';
import { addEncodedFacts, encodeFacts } from '../usage/encoded-facts.ts';
import { type EndpointFacts, factsOfCalls } from '../usage/endpoint-facts.ts';
import { EndpointRecords } from '../usage/endpoint-records.ts';
import { isFinest, levels, minutesPerDay } from '../usage/levels.ts';
import { OriginNumbers } from '../usage/origin-numbers.ts';
import { sortBy } from '../usage/radix-sort.ts';
import { BlockWriter, coalesce } from '../usage/usage-block.ts';
import {
  type BlockWithDetails,
  bucketOf,
  shardBits,
  UsageEntries,
} from '../usage/usage-entries.ts';
import { checksumOf, isIntact, runName, usageBlockName } from '../usage/usage-rows.ts';
import {
  addUseOfRun,
  encodeUse,
  type UseFacts,
  UseRecords,
  useOfCalls,
} from '../usage/use-facts.ts';

/** Runs of one tier that are merged into one of the next: each call is rewritten log8 times. */
const runsPerTier = 8;

/**
 * A shard is compacted when its runs are this large or this old. Larger: a coarse block is rewritten less often.
 * Smaller: a report reads less beside the levels. Runs smaller than four times the shard's coarsest block wait for
 * their age, or rewriting that block would cost more than everything else (10,000 endpoints with 1,400 clients
 * each: 9.9 CPU-seconds per million calls, two thirds of them for compaction).
 */
const compactBytes = 256 * 1024;
const compactBlocks = 4;
const compactAfterS = 300;

interface ShardRuns {
  /** Of blocks; details follow them. */
  bytes: number;
  sinceS: number;
  /** Number of runs by tier. */
  tiers: number[];
}

/**
 * Turns committed calls into usage. Each of three steps is one transaction, so that every call is at any moment in
 * exactly one of: calls that are not rolled up, a run, the levels.
 * 1. `rollUp`: calls become one run for each shard: usage, and facts for the endpoints' records.
 * 2. Eight runs of one tier are merged into one of the next.
 * 3. `compact`: a shard's runs are merged into the blocks of every level, their facts into the endpoint records.
 */
export class Rollup {
  /** Committed calls that are in no run. */
  notRolledUp = new CallRows();
  readonly #db: Database;
  readonly #records: EndpointRecords;
  readonly #origins: OriginNumbers;
  readonly #useRecords: UseRecords;
  readonly #tally = new Tally();
  readonly #writer = new BlockWriter();
  readonly #shards = new Map<number, ShardRuns>();
  /** Bytes of the coarsest block that the last compaction of a shard wrote. */
  readonly #compactedBytes = new Map<number, number>();
  readonly #onDamage: (damage: DamagedError) => void;
  readonly #sql: Record<string, Statement>;

  constructor(db: Database, nowS: number, onDamage: (damage: DamagedError) => void) {
    this.#db = db;
    this.#onDamage = onDamage;
    this.#records = new EndpointRecords(db);
    this.#origins = new OriginNumbers(db);
    this.#useRecords = new UseRecords(db);
    this.#sql = {
      addRun: db.prepare(
        'INSERT INTO usage_run (shard, tier, block, details, facts, use, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ),
      runsOfTier: db.prepare(
        'SELECT id, block, details, facts, use, checksum FROM usage_run WHERE shard = ? AND tier = ?',
      ),
      runsOfShard: db.prepare(
        'SELECT id, block, details, facts, use, checksum FROM usage_run WHERE shard = ?',
      ),
      setAside: db.prepare('INSERT INTO damaged_usage VALUES (?, ?, ?, ?, ?)'),
      deleteTier: db.prepare('DELETE FROM usage_run WHERE shard = ? AND tier = ?'),
      deleteShard: db.prepare('DELETE FROM usage_run WHERE shard = ?'),
      readBlock: db.prepare(
        'SELECT block, details, block_checksum AS blockSum, details_checksum AS detailsSum FROM usage_block WHERE level_minutes = ? AND minute = ? AND shard = ?',
      ),
      writeBlock: db.prepare(
        'INSERT OR REPLACE INTO usage_block (level_minutes, minute, shard, block, details, block_checksum, details_checksum) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ),
      changed: db.prepare(
        'INSERT INTO usage_shard VALUES (?, 1) ON CONFLICT DO UPDATE SET version = version + 1',
      ),
      serviceOf: db.prepare('SELECT service_id FROM endpoint WHERE id = ?').pluck(),
      addHours: db.prepare(
        'INSERT INTO service_day (service_id, day, hours) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET hours = hours | excluded.hours',
      ),
      getMeta: db.prepare('SELECT value FROM meta WHERE key = ?').pluck(),
      raiseMeta: db.prepare('UPDATE meta SET value = max(value, ?) WHERE key = ?'),
      setMeta: db.prepare('UPDATE meta SET value = ? WHERE key = ?'),
    };
    this.recover(nowS);
  }

  /** Rolls up every call that is not; `lastCallId` is the last of them. In the caller's transaction. */
  rollUp(lastCallId: number, nowS: number): void {
    const { notRolledUp } = this;
    if (notRolledUp.length === 0) return;
    const shard = new Int32Array(notRolledUp.length);
    for (let i = 0; i < notRolledUp.length; i++) shard[i] = notRolledUp.endpoint[i]! >> shardBits;
    const order = sortBy(notRolledUp.length, notRolledUp.endpoint, notRolledUp.minute, shard);
    for (let from = 0; from < order.length; ) {
      const runShard = shard[order[from]!]!;
      let to = from + 1;
      while (to < order.length && shard[order[to]!] === runShard) to += 1;
      this.#writer.begin();
      const run = order.subarray(from, to);
      this.#writer.addCalls(notRolledUp, run, this.#tally, this.#origins);
      const facts = encodeFacts(factsOfCalls(notRolledUp, run, this.#origins));
      const use = encodeUse(useOfCalls(notRolledUp, run, this.#origins));
      this.#addRun(runShard, 0, { ...this.#writer.finish(), facts, use }, nowS);
      from = to;
    }
    this.#sql.setMeta!.run(lastCallId, 'rolled_up_call');
    notRolledUp.clear();
  }

  /** A shard that is due to be compacted, if any. */
  dueShard(nowS: number): number | undefined {
    for (const [shard, runs] of this.#shards) {
      const compactedBytes = this.#compactedBytes.get(shard) ?? 0;
      const large = runs.bytes >= Math.max(compactBytes, compactBlocks * compactedBytes);
      if (large || nowS - runs.sinceS >= compactAfterS) return shard;
    }
    return undefined;
  }

  /** Merges a shard's runs into the levels. In the caller's transaction. */
  compact(shard: number): void {
    const stored = this.#intact(this.#sql.runsOfShard!.all(shard) as Run[]);
    const { entries: runs, facts, use } = readRuns(stored);
    this.#records.add(facts);
    this.#useRecords.add(use);
    let minutesFrom = Number.MAX_SAFE_INTEGER;
    let minutesTo = 0;
    for (let i = 0; i < runs.length; i++) {
      minutesFrom = Math.min(minutesFrom, runs.minute[i]!);
      minutesTo = Math.max(minutesTo, runs.minute[i]! + 1);
    }
    let entries = runs;
    for (const level of levels) {
      const { minutes } = level;
      const merged = new UsageEntries();
      addWithDetails(merged, coalesce(entries, minutes, this.#tally, this.#writer));
      this.#compactLevel(level, shard, merged);
      if (minutes === 60) this.#noteHours(merged);
      entries = merged;
    }
    this.#sql.deleteShard!.run(shard);
    this.#sql.changed!.run(shard);
    const compactedTo = this.#meta('compacted_to');
    const isFirst = compactedTo === 0;
    const compactedFrom = isFirst ? minutesFrom : this.#meta('compacted_from');
    this.#sql.setMeta!.run(Math.min(compactedFrom, minutesFrom), 'compacted_from');
    this.#sql.setMeta!.run(Math.max(compactedTo, minutesTo), 'compacted_to');
    this.#shards.delete(shard);
  }

  /** Reads the state in memory from the file: at the start, and after a rollback. */
  recover(nowS: number): void {
    this.#shards.clear();
    this.#origins.forget();
    const runs = this.#db.prepare('SELECT shard, tier, length(block) AS bytes FROM usage_run');
    for (const run of runs.iterate() as Iterable<{ shard: number; tier: number; bytes: number }>) {
      this.#noteRun(run.shard, run.tier, run.bytes, nowS);
    }
    this.notRolledUp.clear();
    readCallsAfter(this.#db, this.#meta('rolled_up_call'), this.notRolledUp, this.#onDamage);
  }

  #addRun(shard: number, tier: number, run: EncodedRun, nowS: number): void {
    const { block, details } = run;
    const checksum = checksumOf(block, details, run.facts, run.use);
    this.#sql.addRun!.run(shard, tier, block, details, run.facts, run.use, checksum);
    const runs = this.#noteRun(shard, tier, block.length, nowS);
    if (runs.tiers[tier]! < runsPerTier) return;
    const merged = readRuns(this.#intact(this.#sql.runsOfTier!.all(shard, tier) as Run[]));
    this.#sql.deleteTier!.run(shard, tier);
    runs.tiers[tier] = 0;
    runs.bytes -= merged.bytes;
    const coalesced = coalesce(merged.entries, 1, this.#tally, this.#writer);
    const facts = encodeFacts(merged.facts);
    this.#addRun(shard, tier + 1, { ...coalesced, facts, use: encodeUse(merged.use) }, nowS);
  }

  #noteRun(shard: number, tier: number, bytes: number, nowS: number): ShardRuns {
    let runs = this.#shards.get(shard);
    if (!runs) {
      runs = { bytes: 0, sinceS: nowS, tiers: [] };
      this.#shards.set(shard, runs);
    }
    runs.bytes += bytes;
    runs.tiers[tier] = (runs.tiers[tier] ?? 0) + 1;
    return runs;
  }

  /** Merges entries, sorted by bucket, into the blocks of one level. Buckets past their retention are left out. */
  #compactLevel(
    { minutes, detail }: (typeof levels)[number],
    shard: number,
    delta: UsageEntries,
  ): void {
    const keptFrom = this.#meta(`${detail}s_from`);
    for (let from = 0; from < delta.length; ) {
      const bucket = bucketOf(delta.minute[from]!, minutes);
      let to = from + 1;
      while (to < delta.length && delta.minute[to] === delta.minute[from]) to += 1;
      if (bucket >= keptFrom) {
        const entries = new UsageEntries();
        const stored = this.#sql.readBlock!.get(minutes, bucket, shard) as StoredBlock | undefined;
        if (stored) {
          const what = (): string => usageBlockName(minutes, bucket, shard);
          if (this.#isIntact(stored, what)) addWithDetails(entries, stored);
        }
        entries.addEntries(delta, from, to);
        const { block, details } = coalesce(entries, minutes, this.#tally, this.#writer);
        const checksums = [checksumOf(block), checksumOf(details)];
        this.#sql.writeBlock!.run(minutes, bucket, shard, block, details, ...checksums);
        this.#compactedBytes.set(shard, block.length);
      } else if (isFinest(minutes)) {
        this.#sql.raiseMeta!.run(bucket + minutes, `${detail}s_purged`);
      }
      from = to;
    }
  }

  /** Puts runs that are damaged aside: their usage is lost, that of the others is not. */
  #intact(runs: readonly Run[]): Run[] {
    return runs.filter((run) => {
      const { id, block, details, facts, use, checksum } = run;
      const what = (): string => runName(id);
      const blobs = [block, details, facts, use];
      if (isIntact(blobs, checksum, what, this.#onDamage)) return true;
      this.#sql.setAside!.run(what(), block, details, facts, use);
      return false;
    });
  }

  /** Whether a block can be added to; one that is damaged is put aside. */
  #isIntact({ block, details, blockSum, detailsSum }: StoredBlock, what: () => string): boolean {
    const isWhole =
      isIntact([block], blockSum, what, this.#onDamage) &&
      (detailsSum === null || isIntact([details], detailsSum, what, this.#onDamage));
    if (!isWhole) this.#sql.setAside!.run(what(), block, details, null, null);
    return isWhole;
  }

  /** Notes the hours in which services were heard. @param entries one for each hour and endpoint */
  #noteHours(entries: UsageEntries): void {
    const services = new Map<number, number>();
    const hours = new Map<string, { service: number; day: number; bits: number }>();
    for (let i = 0; i < entries.length; i++) {
      const endpoint = entries.endpoint[i]!;
      let service = services.get(endpoint);
      if (service === undefined) {
        service = this.#sql.serviceOf!.get(endpoint) as number;
        services.set(endpoint, service);
      }
      const minute = entries.minute[i]!;
      const day = Math.floor(minute / minutesPerDay);
      const key = `${service} ${day}`;
      const noted = hours.get(key) ?? { service, day, bits: 0 };
      noted.bits |= 1 << Math.floor((minute % minutesPerDay) / 60);
      hours.set(key, noted);
    }
    for (const { service, day, bits } of hours.values()) {
      this.#sql.addHours!.run(service, day, bits);
    }
  }

  #meta(key: string): number {
    return this.#sql.getMeta!.get(key) as number;
  }
}

interface EncodedRun {
  block: Buffer;
  details: Buffer;
  facts: Buffer;
  use: Buffer;
}

interface StoredBlock extends BlockWithDetails {
  blockSum: number | null;
  detailsSum: number | null;
}

interface Run extends BlockWithDetails {
  id: number;
  checksum: number | null;
  facts: Buffer;
  /** NULL in a run that an earlier release wrote. */
  use: Buffer | null;
}

function addWithDetails(entries: UsageEntries, { block, details }: BlockWithDetails): void {
  entries.addBlock(block, undefined, 0, Number.POSITIVE_INFINITY, details);
}

function readRuns(runs: readonly Run[]): {
  entries: UsageEntries;
  facts: Map<number, EndpointFacts>;
  use: UseFacts;
  bytes: number;
} {
  const entries = new UsageEntries();
  const byEndpoint = new Map<number, EndpointFacts>();
  const use: UseFacts = new Map();
  let bytes = 0;
  for (const run of runs) {
    addWithDetails(entries, run);
    addEncodedFacts(byEndpoint, run.facts);
    addUseOfRun(use, run);
    bytes += run.block.length;
  }
  return { entries, facts: byEndpoint, use, bytes };
}
