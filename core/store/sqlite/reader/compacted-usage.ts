import { Tally } from '../../../usage/tally.ts';
import type { Database, Statement } from '../database.ts';
import { levels, minutesPerDay, type Piece } from '../usage/levels.ts';
import { UsageEntries } from '../usage/usage-block.ts';
import { MergedUsage } from './merged-usage.ts';

/** Bytes of merged usage that are remembered; past it the longest unused goes. */
const rememberedBytes = 64 * 1024 * 1024;

export interface SettledPieces {
  /** By shard, for those that have any usage. */
  merged: ReadonlyMap<number, readonly MergedUsage[]>;
  /** Usage blocks as they are stored. */
  blocks: readonly Uint8Array[];
}

/**
 * Usage that is settled into levels. Whole hours and days of a window are merged once and remembered: the next
 * window over the same ones (a dashboard's, a minute later) merges only its minutes anew. What is remembered
 * holds as long as its shard's blocks are the ones it was made of, which their version says in the same
 * snapshot.
 */
export class CompactedUsage {
  readonly #remembered = new Map<string, MergedUsage>();
  #bytes = 0;
  readonly #tally = new Tally();
  readonly #blocks: Statement;
  readonly #versions: Statement;

  constructor(db: Database) {
    this.#blocks = db
      .prepare(
        'SELECT block FROM usage_block WHERE level = ? AND minute >= ? AND minute < ? AND shard BETWEEN ? AND ?',
      )
      .pluck();
    this.#versions = db
      .prepare('SELECT shard, version FROM usage_shard WHERE shard BETWEEN ? AND ?')
      .raw();
  }

  /** All that pieces of time hold of some shards: what is worth remembering is merged, the rest is not. */
  read(pieces: readonly Piece[], firstShard: number, lastShard: number): SettledPieces {
    const { lasting, passing } = splitPieces(pieces);
    return {
      merged: lasting.length > 0 ? this.#merged(lasting, firstShard, lastShard) : new Map(),
      blocks: passing.flatMap((piece) => this.#read(piece, firstShard, lastShard)),
    };
  }

  #merged(
    stretches: readonly Piece[][],
    firstShard: number,
    lastShard: number,
  ): Map<number, MergedUsage[]> {
    const versions = this.#versions.all(firstShard, lastShard) as [number, number][];
    return new Map(
      versions.map(([shard, version]) => [
        shard,
        stretches.map((pieces) => this.#remember(pieces, shard, version)),
      ]),
    );
  }

  #remember(pieces: readonly Piece[], shard: number, version: number): MergedUsage {
    const key = JSON.stringify([shard, version, pieces]);
    let usage = this.#remembered.get(key);
    if (usage === undefined) {
      usage = this.#merge(pieces, shard);
      this.#bytes += usage.bytes;
    } else {
      this.#remembered.delete(key);
    }
    this.#remembered.set(key, usage);
    for (const [oldest, { bytes }] of this.#remembered) {
      if (this.#bytes <= rememberedBytes || oldest === key) break;
      this.#remembered.delete(oldest);
      this.#bytes -= bytes;
    }
    return usage;
  }

  #merge(pieces: readonly Piece[], shard: number): MergedUsage {
    const entries = new UsageEntries();
    for (const piece of pieces) {
      for (const block of this.#read(piece, shard, shard)) entries.addBlock(block);
    }
    return new MergedUsage(entries, this.#tally);
  }

  #read({ level, fromMinute, toMinute }: Piece, firstShard: number, lastShard: number): Buffer[] {
    return this.#blocks.all(level, fromMinute, toMinute, firstShard, lastShard) as Buffer[];
  }
}

/**
 * What of a window is worth remembering: its whole days, when these are more than one bucket, and on either
 * side of them its whole hours. Minutes pass too quickly.
 */
function splitPieces(pieces: readonly Piece[]): { lasting: Piece[][]; passing: Piece[] } {
  const days = pieces.filter(({ level }) => levels[level]!.minutes >= minutesPerDay);
  const buckets = days.reduce(
    (sum, { level, fromMinute, toMinute }) =>
      sum + (toMinute - fromMinute) / levels[level]!.minutes,
    0,
  );
  if (buckets < 2) return { lasting: [], passing: [...pieces] };
  const hours = pieces.filter(
    ({ level }) => levels[level]!.minutes >= 60 && levels[level]!.minutes < minutesPerDay,
  );
  const daysFrom = days[0]!.fromMinute;
  const before = hours.filter(({ fromMinute }) => fromMinute < daysFrom);
  const after = hours.filter(({ fromMinute }) => fromMinute > daysFrom);
  return {
    lasting: [days, before, after].filter((stretch) => stretch.length > 0),
    passing: pieces.filter(({ level }) => levels[level]!.minutes < 60),
  };
}
