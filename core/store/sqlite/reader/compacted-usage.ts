import { Tally } from '../../../usage/tally.ts';
import type { Database, Statement } from '../database.ts';
import { type BucketSpan, minutesPerDay } from '../usage/levels.ts';
import { type BlockWithDetails, UsageEntries } from '../usage/usage-entries.ts';
import { MergedUsage } from './merged-usage.ts';

/** Bytes of merged usage in the cache; beyond, the least recently used is evicted. */
const cacheBytes = 64 * 1024 * 1024;

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

  constructor(db: Database) {
    this.#blocks = db
      .prepare(
        'SELECT block FROM usage_block WHERE level_minutes = ? AND minute >= ? AND minute < ? AND shard BETWEEN ? AND ?',
      )
      .pluck();
    this.#versions = db
      .prepare('SELECT shard, version FROM usage_shard WHERE shard BETWEEN ? AND ?')
      .raw();
    this.#detailed = db.prepare(
      'SELECT block, details FROM usage_block WHERE level_minutes = ? AND minute >= ? AND minute < ? AND shard BETWEEN ? AND ?',
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
    return spans.flatMap(
      ({ levelMinutes, fromMinute, toMinute }) =>
        this.#detailed.all(
          levelMinutes,
          fromMinute,
          toMinute,
          firstShard,
          lastShard,
        ) as BlockWithDetails[],
    );
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
    return new MergedUsage(entries, this.#tally);
  }

  #read(
    { levelMinutes, fromMinute, toMinute }: BucketSpan,
    firstShard: number,
    lastShard: number,
  ): Buffer[] {
    return this.#blocks.all(levelMinutes, fromMinute, toMinute, firstShard, lastShard) as Buffer[];
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
