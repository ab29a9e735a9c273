import { Tally } from '../../../usage/tally.ts';
import type { Database, Statement } from '../database.ts';
import { type BucketSpan, minutesPerDay } from '../usage/levels.ts';
import { sortBy } from '../usage/radix-sort.ts';
import { type BlockWithDetails, UsageEntries } from '../usage/usage-entries.ts';
import { isIntact, type NoteDamage, usageBlockName } from '../usage/usage-rows.ts';
import { MergedUsage } from './merged-usage.ts';

/** Bytes of merged usage in the cache; beyond, the least recently used is evicted. */
const cacheBytes = 64 * 1024 * 1024;

interface BlockRow {
  minute: number;
  shard: number;
  block: Buffer;
  blockSum: number | null;
}

interface DetailsOfRow {
  details: Buffer | null;
  detailsSum: number | null;
}

export interface CompactedSpans {
  /** By shard, for shards that have any usage. */
  merged: ReadonlyMap<number, readonly MergedUsage[]>;
  /** Usage blocks as they are stored. */
  blocks: readonly Uint8Array[];
}

/**
 * Reads compacted usage. The whole days and hours of a window are merged once and cached: the next window over
 * the same ones (a dashboard's, a minute later) merges only its minutes again. A cached merge is valid while the
 * shard's version, read in the same snapshot, is unchanged.
 */
export class CompactedUsage {
  /** Least recently used first. */
  readonly #cache = new Map<string, MergedUsage>();
  #bytes = 0;
  readonly #tally = new Tally();
  readonly #blocks: Statement;
  readonly #versions: Statement;
  readonly #detailed: Statement;

  readonly #onDamage: NoteDamage;

  /** @param onDamage called with each block that is damaged and left out, each time it is read */
  constructor(db: Database, onDamage: NoteDamage) {
    this.#onDamage = onDamage;
    const where =
      'FROM usage_block WHERE level_minutes = ? AND minute >= ? AND minute < ? AND shard BETWEEN ? AND ?';
    this.#blocks = db.prepare(`SELECT minute, shard, block, block_checksum AS blockSum ${where}`);
    this.#versions = db
      .prepare('SELECT shard, version FROM usage_shard WHERE shard BETWEEN ? AND ?')
      .raw();
    this.#detailed = db.prepare(
      `SELECT minute, shard, block, details, block_checksum AS blockSum, details_checksum AS detailsSum ${where}`,
    );
  }

  /** Everything the buckets hold of some shards: spans worth caching come merged, the others as blocks. */
  read(spans: readonly BucketSpan[], firstShard: number, lastShard: number): CompactedSpans {
    const { cached, passing } = splitSpans(spans);
    return {
      merged: cached.length > 0 ? this.#merged(cached, firstShard, lastShard) : new Map(),
      blocks: passing.flatMap((span) => this.#read(span, firstShard, lastShard)),
    };
  }

  /** Everything the buckets hold of some shards, with details. */
  readDetailed(
    spans: readonly BucketSpan[],
    firstShard: number,
    lastShard: number,
  ): BlockWithDetails[] {
    return spans.flatMap(({ levelMinutes, fromMinute, toMinute }) => {
      const key = [levelMinutes, fromMinute, toMinute, firstShard, lastShard];
      const rows = this.#detailed.all(...key) as (BlockRow & DetailsOfRow)[];
      return rows.filter(
        (row) =>
          this.#isIntact(levelMinutes, row, row.block, row.blockSum) &&
          (row.detailsSum === null ||
            this.#isIntact(levelMinutes, row, row.details, row.detailsSum)),
      );
    });
  }

  #merged(
    groups: readonly BucketSpan[][],
    firstShard: number,
    lastShard: number,
  ): Map<number, MergedUsage[]> {
    const versions = this.#versions.all(firstShard, lastShard) as [number, number][];
    return new Map(
      versions.map(([shard, version]) => [
        shard,
        groups.map((spans) => this.#cachedMerge(spans, shard, version)),
      ]),
    );
  }

  #cachedMerge(spans: readonly BucketSpan[], shard: number, version: number): MergedUsage {
    const key = JSON.stringify([shard, version, spans]);
    let usage = this.#cache.get(key);
    if (usage === undefined) {
      usage = this.#merge(spans, shard);
      this.#bytes += usage.bytes;
    } else {
      this.#cache.delete(key);
    }
    this.#cache.set(key, usage);
    for (const [oldest, { bytes }] of this.#cache) {
      if (this.#bytes <= cacheBytes || oldest === key) break;
      this.#cache.delete(oldest);
      this.#bytes -= bytes;
    }
    return usage;
  }

  #merge(spans: readonly BucketSpan[], shard: number): MergedUsage {
    const entries = new UsageEntries();
    for (const span of spans) {
      for (const block of this.#read(span, shard, shard)) entries.addBlock(block);
    }
    return new MergedUsage(entries, sortBy(entries.length, entries.endpoint), this.#tally);
  }

  #read(
    { levelMinutes, fromMinute, toMinute }: BucketSpan,
    firstShard: number,
    lastShard: number,
  ): Buffer[] {
    const key = [levelMinutes, fromMinute, toMinute, firstShard, lastShard];
    const rows = this.#blocks.all(...key) as BlockRow[];
    return rows
      .filter((row) => this.#isIntact(levelMinutes, row, row.block, row.blockSum))
      .map(({ block }) => block);
  }

  #isIntact(
    levelMinutes: number,
    { minute, shard }: BlockRow,
    bytes: Uint8Array | null,
    checksum: number | null,
  ): boolean {
    const what = (): string => usageBlockName(levelMinutes, minute, shard);
    return isIntact([bytes], checksum, what, this.#onDamage);
  }
}

/**
 * Chooses the spans worth caching: a window's whole days, when they are more than one bucket, and the whole hours
 * on either side of them. The minutes of a window change with every report.
 */
function splitSpans(spans: readonly BucketSpan[]): {
  cached: BucketSpan[][];
  passing: BucketSpan[];
} {
  const days = spans.filter(({ levelMinutes }) => levelMinutes >= minutesPerDay);
  const buckets = days.reduce(
    (sum, { levelMinutes, fromMinute, toMinute }) => sum + (toMinute - fromMinute) / levelMinutes,
    0,
  );
  if (buckets < 2) return { cached: [], passing: [...spans] };
  const hours = spans.filter(
    ({ levelMinutes }) => levelMinutes >= 60 && levelMinutes < minutesPerDay,
  );
  const daysFrom = days[0]!.fromMinute;
  const before = hours.filter(({ fromMinute }) => fromMinute < daysFrom);
  const after = hours.filter(({ fromMinute }) => fromMinute > daysFrom);
  return {
    cached: [days, before, after].filter((group) => group.length > 0),
    passing: spans.filter(({ levelMinutes }) => levelMinutes < 60),
  };
}
