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
 * Two generations of hash tables, together `limits.countedSpans` entries: when the younger is full the older is
 * emptied. An entry holds 64 bits of a keyed hash instead of 24 bytes of ids: among all entries a wrong match
 * has a chance of 1 in 10^14 a span.
 */
export class CountedSpans {
  // The request in hand: the hash of the span of each of its calls, two numbers each; zeros: it has no ids.
  #hashes = new Int32Array(256);

  #young = new Table();
  #old = new Table();
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
    const stamp = this.#stampOf(batch);
    const { endS } = batch.columns;
    const hashes = this.#hashes;
    for (let call = first; call < batch.length; call += 1) {
      const at = (call - first) * 2;
      const high = hashes[at]!;
      const low = hashes[at + 1]!;
      if (low === 0) continue;
      const end = endS[call]!;
      const before = this.#young.stampOf(high, low, end) || this.#old.stampOf(high, low, end);
      if (before === 0) {
        if (this.#young.isFull) this.#turn();
        this.#young.add(high, low, end, stamp);
        continue;
      }
      repeated ??= { calls: [], uncommitted: new Set() };
      repeated.calls.push(call);
      const open = this.#open.get(before);
      if (open) repeated.uncommitted.add(open);
    }
    return repeated;
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
    this.#young.forget(stamp);
    this.#old.forget(stamp);
  }

  #stampOf(batch: CallBatch): number {
    let stamp = this.#stamps.get(batch);
    if (stamp === undefined) {
      this.#lastStamp = (this.#lastStamp % 0x3fff_ffff) + 1;
      stamp = this.#lastStamp;
      this.#stamps.set(batch, stamp);
      this.#open.set(stamp, batch);
    }
    return stamp;
  }

  #turn(): void {
    const old = this.#old;
    this.#old = this.#young;
    this.#young = old;
    old.clear();
  }
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

const entriesMost = limits.countedSpans / 2;
/** Beyond it a span is not looked for: hashes are spread evenly unless somebody broke the hash. */
const probesMost = 64;
const freed = -1;

/** Open addressing, four numbers a slot: two of hash, the end in seconds, and a stamp; a stamp of 0 is free. */
class Table {
  #slots = new Int32Array(1024 * 4);
  #size = 0;

  get isFull(): boolean {
    return this.#size >= entriesMost;
  }

  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
  }

  /** The stamp of the entry that has this hash and ended then; 0 when there is none. */
  stampOf(high: number, low: number, endS: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (high << 2) & mask;
    for (let probes = 0; probes < probesMost && slots[at + 3] !== 0; probes += 1) {
      if (slots[at] === high && slots[at + 1] === low && slots[at + 3] !== freed) {
        if (Math.abs((slots[at + 2]! >>> 0) - endS) <= limits.sameSpanS) return slots[at + 3]!;
      }
      at = (at + 4) & mask;
    }
    return 0;
  }

  add(high: number, low: number, endS: number, stamp: number): void {
    if (this.#size * 8 >= this.#slots.length) this.#grow();
    if (this.#put(high, low, endS, stamp)) this.#size += 1;
  }

  /** Frees the entries with this stamp. */
  forget(stamp: number): void {
    const slots = this.#slots;
    for (let at = 3; at < slots.length; at += 4) if (slots[at] === stamp) slots[at] = freed;
  }

  #put(high: number, low: number, endS: number, stamp: number): boolean {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (high << 2) & mask;
    for (let probes = 0; slots[at + 3] !== 0; probes += 1) {
      if (probes === probesMost) return false;
      at = (at + 4) & mask;
    }
    slots[at] = high;
    slots[at + 1] = low;
    slots[at + 2] = endS;
    slots[at + 3] = stamp;
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 4) {
      const stamp = old[at + 3]!;
      if (stamp !== 0 && stamp !== freed) {
        this.#put(old[at]!, old[at + 1]!, old[at + 2]! >>> 0, stamp);
      }
    }
  }
}
