import { Tally } from '../tally.ts';
import type { Database, Statement } from './database.ts';
import { levels, minutesPerDay, type Piece } from './levels.ts';
import { shardBits, sortBy, UsageEntries } from './usage-block.ts';

/** Bytes of merged usage that are remembered; past it the longest unused goes. */
const rememberedBytes = 64 * 1024 * 1024;

/** More than any minute: everything is taken. */
const wholeTime = 2 ** 30;

/**
 * Whole hours and days of a window, merged once and remembered: the next window over the same ones (a
 * dashboard's, a minute later) merges only its minutes anew. What is remembered holds as long as its shard's
 * blocks are the ones it was made of, which their version says in the same snapshot.
 */
export class MergedBlocks {
  readonly #remembered = new Map<string, MergedUsage>();
  #bytes = 0;
  readonly #tally = new Tally();
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

  /** By shard, for those that have any usage: what it has in each of the stretches. */
  merged(stretches: Piece[][], firstShard: number, lastShard: number): Map<number, MergedUsage[]> {
    const versions = this.#versions.all(firstShard, lastShard) as [number, number][];
    return new Map(
      versions.map(([shard, version]) => [
        shard,
        stretches.map((pieces) => this.#remember(pieces, shard, version)),
      ]),
    );
  }

  #remember(pieces: readonly Piece[], shard: number, version: number): MergedUsage {
    const times = pieces.map((piece) => Object.values(piece).join(' '));
    const key = `${shard} ${version} ${times.join()}`;
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
    for (const { level, fromMinute, toMinute } of pieces) {
      for (const block of this.#read.all(level, fromMinute, toMinute, shard) as Buffer[]) {
        entries.addBlock(block, 0, wholeTime);
      }
    }
    return new MergedUsage(entries, this.#tally);
  }
}

/**
 * The usage of one shard's endpoints, each as the words of a tally (`Tally.putWords`), or encoded where
 * these cannot tell it. Words are three to four times as large as what is encoded.
 */
export class MergedUsage {
  /** Where an endpoint's words begin, by its number within the shard; 0: it has none. */
  readonly #starts = new Uint32Array(1 << shardBits);
  /** The first belongs to no endpoint. */
  #words = new Uint32Array(1024);
  readonly #encoded = new Map<number, Buffer>();
  #encodedBytes = 0;

  /** @param entries of one shard @param tally an empty one, which is left empty */
  constructor(entries: UsageEntries, tally: Tally) {
    const order = sortBy(entries.length, entries.endpoint);
    let end = 1;
    for (let i = 0; i < order.length; ) {
      const endpoint = entries.endpoint[order[i]!]!;
      for (; i < order.length && entries.endpoint[order[i]!] === endpoint; i++) {
        entries.addTo(tally, order[i]!);
      }
      if (tally.fitsWords) {
        if (end + tally.wordCount > this.#words.length) this.#grow(end + tally.wordCount);
        this.#starts[endpoint & (this.#starts.length - 1)] = end;
        end = tally.putWords(this.#words, end);
      } else {
        const bytes = Buffer.allocUnsafeSlow(tally.encodedBytesMax);
        this.#encoded.set(endpoint, bytes.subarray(0, tally.encode(bytes, 0)));
        this.#encodedBytes += bytes.length;
      }
      tally.clear();
    }
    this.#words = this.#words.slice(0, end);
  }

  get bytes(): number {
    return this.#starts.byteLength + this.#words.byteLength + this.#encodedBytes;
  }

  /** @returns whether the endpoint has any */
  addTo(tally: Tally, endpoint: number): boolean {
    const start = this.#starts[endpoint & (this.#starts.length - 1)]!;
    if (start !== 0) {
      tally.addWords(this.#words, start);
      return true;
    }
    const bytes = this.#encoded.get(endpoint);
    if (bytes) tally.addEncoded(bytes, 0);
    return bytes !== undefined;
  }

  #grow(words: number): void {
    const next = new Uint32Array(Math.max(words, this.#words.length * 2));
    next.set(this.#words);
    this.#words = next;
  }
}

/**
 * What of a window is worth remembering: its whole days, when these are more than one bucket, and on either
 * side of them its whole hours. Minutes pass too quickly.
 */
export function splitPieces(pieces: readonly Piece[]): { lasting: Piece[][]; passing: Piece[] } {
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
