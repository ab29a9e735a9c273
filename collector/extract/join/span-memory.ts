import type { CallBatch } from '../../../core/call.ts';
import { hashBytes, idHash, sameBytes } from '../../intern/hash.ts';

/** The remembered facts of a SERVER span whose service makes several spans per call. */
export interface Remembered {
  service: number;
  instance: number;
  scope: number;
  /** Hash of method and path. */
  request: number;
  /** As `SpanTable.connection`. */
  connection: number;
  /** 1 when the parent is known to be of another process. */
  parentIsRemote: number;
  startNs: number;
  endNs: number;
}

/**
 * A ring of SERVER spans of earlier requests, so that a call that is split between two requests counts
 * once (collector/extract/join/earlier-requests.ts). Projects are separate. There are two kinds of entries:
 * - `seen`: a SERVER span, and the span that counted for its call (usually itself);
 * - `claim`: the id of a local parent that had not arrived when its child was counted. When the parent arrives,
 * its call is counted already.
 *
 * The oldest entry is overwritten. The first entry allocates the ring; most collectors never do. Ids are in one
 * block of 48 bytes per entry, and are compared through views without copying.
 */
export class SpanMemory {
  #entries: number;
  #made = 0;
  #ids = new DataView(new ArrayBuffer(0));
  #kind = new Uint8Array(0);
  #columns = new Int32Array(0);
  #times = new Float64Array(0);
  /** Number of the next entry with the same hash, from 1; 0 is none. Numbers are never reused. */
  #byId: Chains;
  #byTrace: Chains;
  /** The number of the current project, and of all projects. */
  #project = 0;
  readonly #projects = new Map<string, number>();
  readonly #stamps = new WeakMap<CallBatch, number>();
  #lastStamp = 0;

  /** @param entries capacity: a power of two */
  constructor(entries: number) {
    this.#entries = entries;
    this.#byId = new Chains(0);
    this.#byTrace = new Chains(0);
  }

  get isEmpty(): boolean {
    return this.#made === 0;
  }

  /**
   * Enlarges the ring and keeps its entries, whose indexes change.
   * @param entries a power of two
   */
  grow(entries: number): void {
    if (entries <= this.#entries) return;
    const [made, entriesOld, ids, kind] = [this.#made, this.#entries, this.#ids, this.#kind];
    const [ofColumns, times] = [this.#columns, this.#times];
    this.#entries = entries;
    if (made === 0) return;
    this.#allocate();
    for (let number = Math.max(1, made - entriesOld + 1); number <= made; number += 1) {
      const from = (number - 1) & (entriesOld - 1);
      const entry = this.#entryOf(number);
      const at = entry * idBytes;
      copy(this.#ids, at, ids, from * idBytes, idBytes);
      this.#kind[entry] = kind[from]!;
      const first = from * columns;
      this.#columns.set(ofColumns.subarray(first, first + columns), entry * columns);
      this.#times.set(times.subarray(from * 2, from * 2 + 2), entry * 2);
      this.#byId.add(entry, number, idHash(this.#ids, at, this.#ids, at + place.id));
      this.#byTrace.add(entry, number, hashBytes(this.#ids, at, 16));
    }
  }

  /** Selects the project of the following calls. */
  open(project: string): void {
    let number = this.#projects.get(project);
    if (number === undefined) {
      number = this.#projects.size + 1;
      this.#projects.set(project, number);
    }
    this.#project = number;
  }

  /** The entry of this kind for the id, or -1. */
  find(kind: EntryKind, traces: DataView, trace: number, ids: DataView, id: number): number {
    if (this.#made === 0) return -1;
    let number = this.#byId.first(idHash(traces, trace, ids, id));
    for (let steps = 0; steps < chainMax && this.#isKept(number); steps += 1) {
      const entry = this.#entryOf(number);
      const at = entry * idBytes;
      if (
        this.#kind[entry] === kind &&
        this.#columns[entry * columns + column.project] === this.#project &&
        sameBytes(this.#ids, at + place.id, ids, id, 8) &&
        sameBytes(this.#ids, at, traces, trace, 16)
      ) {
        return entry;
      }
      number = this.#byId.next(entry);
    }
    return -1;
  }

  /** Calls `visit` with entries of the trace, latest first, until it returns true. @returns that entry, or -1 */
  some(traces: DataView, trace: number, visit: (entry: number) => boolean): number {
    if (this.#made === 0) return -1;
    let number = this.#byTrace.first(hashBytes(traces, trace, 16));
    for (let steps = 0; steps < chainMax && this.#isKept(number); steps += 1) {
      const entry = this.#entryOf(number);
      if (
        this.#kind[entry] !== entryKind.void &&
        this.#columns[entry * columns + column.project] === this.#project &&
        sameBytes(this.#ids, entry * idBytes, traces, trace, 16) &&
        visit(entry)
      ) {
        return entry;
      }
      number = this.#byTrace.next(entry);
    }
    return -1;
  }

  /**
   * Adds an entry; `id` and `by` as above.
   * @param parent 0: none
   * @param by offset in `bys` of the id of the span that counted for the call
   * @param stamp of the batch that holds the counted call
   */
  add(
    kind: EntryKind,
    view: DataView,
    { trace, id, parent }: { trace: number; id: number; parent: number },
    bys: DataView,
    by: number,
    facts: Remembered,
    stamp: number,
  ): void {
    if (this.#made === 0) this.#allocate();
    this.#made += 1;
    const number = this.#made;
    const entry = this.#entryOf(number);
    const at = entry * idBytes;
    // `bys` may be this ring's own memory, and hold the entry that is overwritten.
    const [countedHigh, countedLow] = [bys.getInt32(by), bys.getInt32(by + 4)];
    copy(this.#ids, at, view, trace, 16);
    copy(this.#ids, at + place.id, view, id, 8);
    copy(this.#ids, at + place.parent, parent === 0 ? zeros : view, parent, 8);
    this.#ids.setInt32(at + place.by, countedHigh);
    this.#ids.setInt32(at + place.by + 4, countedLow);
    copy(this.#ids, at + place.taken, zeros, 0, 8);
    this.#kind[entry] = kind;
    const { service, instance, scope, request, connection, parentIsRemote } = facts;
    const project = this.#project;
    this.#columns.set(
      [project, service, instance, scope, request, connection, stamp, parentIsRemote],
      entry * columns,
    );
    this.#times[entry * 2] = facts.startNs;
    this.#times[entry * 2 + 1] = facts.endNs;
    this.#byId.add(entry, number, idHash(view, trace, view, id));
    this.#byTrace.add(entry, number, hashBytes(view, trace, 16));
  }

  /** The stamp of entries that depend on calls of this batch; from 1 on. */
  stampOf(batch: CallBatch): number {
    let stamp = this.#stamps.get(batch);
    if (stamp === undefined) {
      this.#lastStamp = (this.#lastStamp % 0x3fff_ffff) + 1;
      stamp = this.#lastStamp;
      this.#stamps.set(batch, stamp);
    }
    return stamp;
  }

  /** After a failed commit: removes the entries that depend on the batch. */
  forget(batch: CallBatch): void {
    const stamp = this.#stamps.get(batch);
    if (stamp === undefined) return;
    const entries = Math.min(this.#made, this.#entries);
    for (let entry = 0; entry < entries; entry += 1) {
      if (this.#columns[entry * columns + column.stamp] === stamp)
        this.#kind[entry] = entryKind.void;
    }
  }

  get ids(): DataView {
    return this.#ids;
  }

  kind(entry: number): EntryKind {
    return this.#kind[entry]! as EntryKind;
  }

  /** Offset in `ids` of the id of the span that counted. */
  by(entry: number): number {
    return entry * idBytes + place.by;
  }

  /** Offset in `ids` of the parent's id; zeros for none. */
  parent(entry: number): number {
    return entry * idBytes + place.parent;
  }

  /** Offset in `ids` of the id of the enclosing span: its own parent, or the parent that it claims. */
  insideOf(entry: number): number {
    return entry * idBytes + (this.#kind[entry] === entryKind.claim ? place.id : place.parent);
  }

  get(entry: number, of: Exclude<keyof Remembered, 'startNs' | 'endNs'>): number {
    return this.#columns[entry * columns + column[of]]!;
  }

  facts(entry: number): Remembered {
    return {
      service: this.get(entry, 'service'),
      instance: this.get(entry, 'instance'),
      scope: this.get(entry, 'scope'),
      request: this.get(entry, 'request'),
      connection: this.get(entry, 'connection'),
      parentIsRemote: this.get(entry, 'parentIsRemote'),
      startNs: this.startNs(entry),
      endNs: this.endNs(entry),
    };
  }

  /** The stamp of the batch that holds the call on which the entry depends: see `stampOf`. */
  stamp(entry: number): number {
    return this.#columns[entry * columns + column.stamp]!;
  }

  startNs(entry: number): number {
    return this.#times[entry * 2]!;
  }

  endNs(entry: number): number {
    return this.#times[entry * 2 + 1]!;
  }

  /** Whether the entry can make the span at `id` a duplicate: it does so for one span only. */
  isFreeFor(entry: number, ids: DataView, id: number): boolean {
    const taken = entry * idBytes + place.taken;
    const isFree = sameBytes(this.#ids, taken, zeros, 0, 8);
    return isFree || sameBytes(this.#ids, taken, ids, id, 8);
  }

  take(entry: number, ids: DataView, id: number): void {
    copy(this.#ids, entry * idBytes + place.taken, ids, id, 8);
  }

  #entryOf(number: number): number {
    return (number - 1) & (this.#entries - 1);
  }

  /** Whether the entry of this number has not been overwritten. */
  #isKept(number: number): boolean {
    return number > 0 && number > this.#made - this.#entries;
  }

  #allocate(): void {
    this.#ids = new DataView(new ArrayBuffer(this.#entries * idBytes));
    this.#kind = new Uint8Array(this.#entries);
    this.#columns = new Int32Array(this.#entries * columns);
    this.#times = new Float64Array(this.#entries * 2);
    this.#byId = new Chains(this.#entries);
    this.#byTrace = new Chains(this.#entries);
  }
}

export const entryKind = { void: 0, seen: 1, claim: 2 } as const;
export type EntryKind = (typeof entryKind)[keyof typeof entryKind];

/**
 * Chains of entries with one hash, the latest first. Overwritten entries need no removal: numbers decrease
 * along a chain, so a search stops at the first that is too old.
 */
class Chains {
  readonly #first: Float64Array;
  readonly #next: Float64Array;

  constructor(entries: number) {
    this.#first = new Float64Array(entries * 2);
    this.#next = new Float64Array(entries);
  }

  first(hash: number): number {
    return this.#first[hash & (this.#first.length - 1)]!;
  }

  next(entry: number): number {
    return this.#next[entry]!;
  }

  add(entry: number, number: number, hash: number): void {
    const head = hash & (this.#first.length - 1);
    this.#next[entry] = this.#first[head]!;
    this.#first[head] = number;
  }
}

/** Entries visited by one search: a trace can have any number of spans. */
const chainMax = 64;

// Ids of an entry: trace, own, the one counted by, parent, the span this one made a duplicate of.
const place = { id: 16, by: 24, parent: 32, taken: 40 } as const;
const idBytes = 48;
const column = {
  project: 0,
  service: 1,
  instance: 2,
  scope: 3,
  request: 4,
  connection: 5,
  stamp: 6,
  parentIsRemote: 7,
};
const columns = 8;

function copy(to: DataView, toAt: number, from: DataView, fromAt: number, length: number): void {
  for (let i = 0; i < length; i += 4) to.setInt32(toAt + i, from.getInt32(fromAt + i));
}

const zeros = new DataView(new ArrayBuffer(8));
