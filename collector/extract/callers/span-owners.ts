import { limits } from '../../../core/limits.ts';

/**
 * A join of two streams in bounded memory: spans that may be the parent of a call, and calls whose parent has not
 * arrived. Each is one entry under the hash of the parent's ids, and whichever comes second finds the first.
 *
 * It is a set-associative cache: a bucket is one cache line of 4 entries, and a new entry takes the place of the
 * bucket's oldest. So a span costs one access to memory. Bucket and entry hold 47 bits of a keyed hash instead of 24
 * bytes of ids.
 */
export class SpanOwners {
  /** Four numbers an entry: hash (0: free), `info`, and two values. */
  readonly entries = new Int32Array(limits.rememberedParents * entryInts);
  readonly #mask = limits.rememberedParents / entriesPerBucket - 1;
  /** By bucket: the entry that is replaced next. */
  readonly #next = new Uint8Array(limits.rememberedParents / entriesPerBucket);
  /** What `load` read last: without a use the compiler would leave the reads out. */
  loaded = 0;

  /** The first number of the bucket of a key. */
  bucket(high: number): number {
    return (high & this.#mask) * entryInts * entriesPerBucket;
  }

  /** Puts an entry in the place of the bucket's oldest. @returns its first number */
  put(bucket: number, low: number, info: number, a: number, b: number): number {
    const number = bucket / (entryInts * entriesPerBucket);
    const at = bucket + this.#next[number]! * entryInts;
    this.#next[number] = (this.#next[number]! + 1) % entriesPerBucket;
    this.set(at, low, info, a, b);
    return at;
  }

  set(at: number, low: number, info: number, a: number, b: number): void {
    const { entries } = this;
    entries[at] = low;
    entries[at + 1] = info;
    entries[at + 2] = a;
    entries[at + 3] = b;
  }

  /**
   * Reads buckets into the processor's cache. No read waits for another one: reading a bucket where it is compared
   * costs twice as much.
   * @param keys the hash of every key, `step` numbers apart
   */
  load(keys: Int32Array, from: number, end: number, step: number): void {
    const { entries } = this;
    let loaded = 0;
    for (let at = from; at < end; at += step) {
      const bucket = keys[at]! & this.#mask;
      loaded |= this.#next[bucket]! | entries[bucket * entryInts * entriesPerBucket]!;
    }
    this.loaded = loaded;
  }

  clear(): void {
    this.entries.fill(0);
  }
}

/** 4 entries of 16 bytes: a cache line. */
export const entriesPerBucket = 4;
export const entryInts = 4;
