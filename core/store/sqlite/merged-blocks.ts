import { Tally } from '../tally.ts';
import type { Database, Statement } from './database.ts';
import { levels, minutesPerDay, type Piece } from './levels.ts';
import { BlockWriter, coalesce, UsageEntries } from './usage-block.ts';

/** Bytes of merged blocks that are remembered; past it the longest unused go. */
const rememberedBytes = 32 * 1024 * 1024;

/** More than any minute: everything falls into one bucket. */
const wholeTime = 2 ** 30;

/**
 * The inside of a window, its whole days, merged once and remembered: the next window over the same days
 * (a dashboard's, a minute later) merges only its edges anew. A remembered block holds as long as its shard's
 * blocks are the ones it was made of, which their version says in the same snapshot.
 */
export class MergedBlocks {
  readonly #blocks = new Map<string, Buffer>();
  #bytes = 0;
  readonly #tally = new Tally();
  readonly #writer = new BlockWriter();
  readonly #read: Statement;
  readonly #versions: Statement;

  constructor(db: Database) {
    this.#read = db
      .prepare(
        'SELECT block FROM usage_block WHERE level = ? AND minute >= ? AND minute < ? AND shard = ?',
      )
      .pluck();
    this.#versions = db
      .prepare('SELECT shard, version FROM usage_shard WHERE shard BETWEEN ? AND ?')
      .raw();
  }

  /** For each shard that has any usage in the pieces: all of it, one entry an endpoint. */
  merged(pieces: readonly Piece[], firstShard: number, lastShard: number): Buffer[] {
    const days = pieces.map(
      ({ level, fromMinute, toMinute }) => `${level} ${fromMinute} ${toMinute}`,
    );
    const versions = this.#versions.all(firstShard, lastShard) as [number, number][];
    return versions.map(([shard, version]) =>
      this.#remembered(`${shard} ${version} ${days.join()}`, () => this.#merge(pieces, shard)),
    );
  }

  #merge(pieces: readonly Piece[], shard: number): Buffer {
    const entries = new UsageEntries();
    for (const { level, fromMinute, toMinute } of pieces) {
      for (const block of this.#read.all(level, fromMinute, toMinute, shard) as Buffer[]) {
        entries.addBlock(block, 0, wholeTime);
      }
    }
    return coalesce(entries, wholeTime, this.#tally, this.#writer);
  }

  #remembered(key: string, merge: () => Buffer): Buffer {
    let block = this.#blocks.get(key);
    if (block === undefined) {
      block = merge();
      this.#bytes += block.length;
    } else {
      this.#blocks.delete(key);
    }
    this.#blocks.set(key, block);
    for (const [oldest, { length }] of this.#blocks) {
      if (this.#bytes <= rememberedBytes || oldest === key) break;
      this.#blocks.delete(oldest);
      this.#bytes -= length;
    }
    return block;
  }
}

/** Whole days in more than one bucket: what is worth merging ahead. */
export function splitInside(pieces: readonly Piece[]): { inside: Piece[]; edges: Piece[] } {
  const isInside = ({ level }: Piece): boolean => levels[level]!.minutes >= minutesPerDay;
  const inside = pieces.filter(isInside);
  const buckets = inside.reduce(
    (sum, { level, fromMinute, toMinute }) =>
      sum + (toMinute - fromMinute) / levels[level]!.minutes,
    0,
  );
  if (buckets < 2) return { inside: [], edges: [...pieces] };
  return { inside, edges: pieces.filter((piece) => !isInside(piece)) };
}
