import { randomFillSync } from 'node:crypto';
import type { CallBatch } from '../../core/call.ts';
import { limits } from '../../core/limits.ts';
import { finish } from '../intern/hash.ts';
import type { TracesReader } from '../otlp/traces-reader.ts';

/**
 * The spans that were counted last, so that a span that is sent twice is one call (two span processors, a
 * Collector that copies). A span is known by trace id and span id; a copy also ends at the same time, give or
 * take `limits.sameSpanS`, since forked processes may draw the same random ids for different calls.
 *
 * The memory is a set-associative cache of `limits.countedSpans` entries: a bucket is one cache line of 8 entries,
 * and a new entry takes the place of the bucket's oldest. So a call costs one access to memory. (Two hash tables
 * of 16 bytes an entry cost 0.17 µs a call, 5 % of all that ingest does.) Bucket and entry hold 47 bits of a keyed
 * hash instead of 24 bytes of ids: with the time, a wrong match has a chance of 1 in 10^9 a call.
 */
export class CountedSpans {
  // The request in hand: the hash of the span of each of its calls, two numbers each; zeros: it has no ids.
  #hashes = new Int32Array(256);

  /** Two numbers an entry: 32 bits of hash (0: free), then the end in seconds and the stamp, 16 bits each. */
  #entries = new Int32Array(0);
  /** By bucket: the entry that is replaced next. */
  #next = new Uint8Array(0);
  /** What `#load` read last: without a use the compiler would leave the reads out. */
  loaded = 0;
  /** Batches that are not committed yet, by the stamp of their entries. */
  readonly #open = new Map<number, CallBatch>();
  readonly #stamps = new WeakMap<CallBatch, number>();
  #lastStamp = 0;

  /**
   * Notes the span of a call of the request in hand.
   * @param call how many calls of the request came before
   * @param service `Resource.serviceHash`: a proxy and the service behind it may share a span's ids
   */
  note(call: number, walk: TracesReader, service: number): void {
    if (call * 2 >= this.#hashes.length) {
      const hashes = new Int32Array(this.#hashes.length * 2);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
    }
    let high = 0;
    let low = 0;
    if (walk.traceIdLength !== 0 && walk.spanIdLength !== 0) {
      const { view } = walk.cursor;
      const trace = walk.traceIdStart;
      const t0 = view.getInt32(trace);
      const t1 = view.getInt32(trace + 4);
      const t2 = view.getInt32(trace + 8);
      const t3 = view.getInt32(trace + 12);
      const s0 = view.getInt32(walk.spanIdStart);
      const s1 = view.getInt32(walk.spanIdStart + 4);
      if ((s0 | s1) !== 0 && (t0 | t1 | t2 | t3) !== 0) {
        high = Math.imul(t0, k0) + Math.imul(t1, k1) + Math.imul(t2, k2) + Math.imul(t3, k3);
        high = finish(high + Math.imul(s0, k4) + Math.imul(s1, k5) + Math.imul(service, k12));
        low = Math.imul(t0, k6) + Math.imul(t1, k7) + Math.imul(t2, k8) + Math.imul(t3, k9);
        low = finish(low + Math.imul(s0, k10) + Math.imul(s1, k11) + Math.imul(service, k13)) | 1;
      }
    }
    this.#hashes[call * 2] = high;
    this.#hashes[call * 2 + 1] = low;
  }

  /**
   * Remembers the spans of the calls from `first` on. In the order of the batch.
   * @returns the calls whose spans were counted before; undefined when there is none, as nearly always
   */
  settle(batch: CallBatch, first: number): Repeated | undefined {
    let repeated: Repeated | undefined;
    if (this.#next.length === 0) this.#allocate();
    const stamp = this.#stampOf(batch);
    const { endS } = batch.columns;
    const hashes = this.#hashes;
    const entries = this.#entries;
    const next = this.#next;
    const mask = next.length - 1;
    for (let call = first; call < batch.length; call += 1) {
      if (((call - first) & (callsAhead - 1)) === 0) {
        this.#load(call - first, Math.min(callsAhead, batch.length - call));
      }
      const at = (call - first) * 2;
      const low = hashes[at + 1]!;
      if (low === 0) continue;
      const bucket = hashes[at]! & mask;
      const start = bucket * entryNumbers * entriesPerBucket;
      const end = endS[call]! & 0xffff;
      const found = entryOf(entries, start, low, end);
      if (found < 0) {
        const entry = start + next[bucket]! * entryNumbers;
        next[bucket] = (next[bucket]! + 1) % entriesPerBucket;
        entries[entry] = low;
        entries[entry + 1] = (end << 16) | stamp;
        continue;
      }
      repeated ??= { calls: [], uncommitted: new Set() };
      repeated.calls.push(call);
      const open = this.#open.get(entries[found + 1]! & 0xffff);
      if (open) repeated.uncommitted.add(open);
    }
    return repeated;
  }

  /**
   * Reads the buckets of the next calls into the processor's cache. No read waits for another one: reading a bucket
   * where it is compared costs twice as much.
   */
  #load(call: number, calls: number): void {
    const mask = this.#next.length - 1;
    let loaded = 0;
    for (let at = call * 2; at < (call + calls) * 2; at += 2) {
      const bucket = this.#hashes[at]! & mask;
      loaded |= this.#next[bucket]! | this.#entries[bucket * entryNumbers * entriesPerBucket]!;
    }
    this.loaded = loaded;
  }

  /** The batch is durable. */
  committed(batch: CallBatch): void {
    const stamp = this.#stamps.get(batch);
    if (stamp !== undefined) this.#open.delete(stamp);
  }

  /** The batch was not committed: its spans are counted when they come again. */
  forget(batch: CallBatch): void {
    const stamp = this.#stamps.get(batch);
    if (stamp === undefined) return;
    this.#open.delete(stamp);
    const entries = this.#entries;
    for (let entry = 0; entry < entries.length; entry += entryNumbers) {
      if ((entries[entry + 1]! & 0xffff) === stamp) entries[entry] = 0;
    }
  }

  #stampOf(batch: CallBatch): number {
    let stamp = this.#stamps.get(batch);
    if (stamp === undefined) {
      this.#lastStamp = (this.#lastStamp + 1) & 0xffff;
      stamp = this.#lastStamp;
      this.#stamps.set(batch, stamp);
      this.#open.set(stamp, batch);
    }
    return stamp;
  }

  #allocate(): void {
    this.#entries = new Int32Array(limits.countedSpans * entryNumbers);
    this.#next = new Uint8Array(limits.countedSpans / entriesPerBucket);
  }
}

/** 8 entries of 8 bytes: a cache line. */
const entriesPerBucket = 8;
const entryNumbers = 2;
/** Calls whose buckets are loaded at once; a power of two. */
const callsAhead = 16;

/** The entry of the bucket at `start` with this hash and, within `limits.sameSpanS`, this end; -1 for none. */
function entryOf(entries: Int32Array, start: number, hash: number, end: number): number {
  for (let at = start; at < start + entriesPerBucket * entryNumbers; at += entryNumbers) {
    if (entries[at] !== hash) continue;
    const apart = (end - (entries[at + 1]! >>> 16)) & 0xffff;
    if (apart <= limits.sameSpanS || apart >= 0x10000 - limits.sameSpanS) return at;
  }
  return -1;
}

/** Calls of a request whose spans were counted before. */
export interface Repeated {
  /** Places in the batch, ascending. */
  calls: number[];
  /** Batches that hold the first copies and are not committed yet. */
  uncommitted: Set<CallBatch>;
}

/** Secret factors: a sender cannot choose ids whose hashes are equal. Odd, so that every bit counts. */
const secret = (): number => randomFillSync(new Int32Array(1))[0]! | 1;
const [k0, k1, k2, k3, k4, k5, k12] = [
  secret(),
  secret(),
  secret(),
  secret(),
  secret(),
  secret(),
  secret(),
];
const [k6, k7, k8, k9, k10, k11, k13] = [
  secret(),
  secret(),
  secret(),
  secret(),
  secret(),
  secret(),
  secret(),
];
