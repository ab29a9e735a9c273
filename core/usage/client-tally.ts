import { grown } from '../column.ts';
import { limits } from '../limits.ts';
import { outcomeIndexes } from '../outcome.ts';
import { estimate, mix, observe, registerCount } from './distinct-clients.ts';
import { putVarint, type VarintReader } from './varint.ts';

/** A power of two; tables grow by doubling. */
const fewestSlots = 1024;
/** A larger table is given back when the tally is cleared: 9 MB. */
const mostKeptSlots = 1 << 17;

/**
 * Numbers of one client, in one cache line: calls, errors, calls by the outcomes refused, missing and failed (as in
 * `outcomes`), calls of unrecorded outcome, and the minutes of the first and last call. Every other call was answered.
 */
const width = 8;
const errorsAt = 1;
/** Index of an outcome's calls less the outcome's index in `outcomes`. */
const outcomesFrom = 1;
const refusedAt = 2;
const unrecordedAt = 5;
const firstAt = 6;
const lastAt = 7;

/** Bits of the number that says which of a client's rarer numbers follow. */
const errorsDiffer = 16;

/** Calls of one client. Minutes since the epoch. */
export interface ClientCounts {
  calls: number;
  errors: number;
  refused: number;
  missing: number;
  failed: number;
  /** Calls that a release without outcomes counted. */
  unrecorded: number;
  /** 0 when calls are among these whose minute is not recorded. */
  firstMinute: number;
  /** 0 when no minute is recorded. */
  lastMinute: number;
}

/** What is known of the calls of an entry whose clients have no outcomes: release 0.1.0 wrote it. */
export interface KnownOutcomes {
  /** The outcome of all its errors, as an index of `outcomes`; 0 when they have several. */
  errors: number;
  /** Its other calls were answered. */
  areOthersAnswered: boolean;
}

/**
 * Calls by client number: outcomes, errors, first and last minute; reused for one endpoint after another. Exact up to
 * `limits.clientsPerEndpoint` in stored usage. Beyond, the clients with the most calls stay, all others share one
 * counted remainder, and the number of distinct clients is an estimate.
 */
export class ClientTally {
  /** False: only the distinct clients are kept, which costs a third; their calls cannot be asked for. Set while the
   *  tally is empty. */
  countsCalls = true;
  #keys = new Int32Array(fewestSlots);
  /** `width` numbers for each slot. */
  #counts = new Float64Array(fewestSlots * width);
  /** Slots in use, in the order of their first use. */
  #used = new Int32Array(fewestSlots / 2);
  #size = 0;
  /** The first added encoding is kept by reference instead of copied: it usually holds most of the clients. */
  #base: Uint32Array | undefined;
  #baseStart = 0;
  #registers: Uint8Array | undefined;
  #estimated = false;
  /** The minute of the call that was added last; 0 before the first one. Roll-up adds the calls of one minute. */
  #minute = 0;
  /** Whether the numbers may be of several minutes. */
  #hasMinutes = false;
  /** Numbers of the remainder. */
  readonly #other = new Float64Array(width);
  readonly #added = new Float64Array(width);

  get estimated(): boolean {
    return this.#estimated;
  }

  /** Calls of the clients past the bound. */
  get other(): ClientCounts {
    return countsAt(this.#other, 0);
  }

  /** @param client its number, from 1 on @param weight core/weight.ts @param minute in which it ended */
  addCall(client: number, status: number, weight: number, minute: number): void {
    const at = this.#at(client, minute);
    const counts = this.#counts;
    counts[at]! += weight;
    if (status >= 400 || status < 100) {
      counts[at + outcomesFrom + outcomeIndexes[status]!]! += weight;
      if (status >= 400) counts[at + errorsAt]! += weight;
    }
    if (minute !== this.#minute) this.#take(minute);
    if (this.#hasMinutes) widen(counts, at, minute, minute);
  }

  /** The calls that follow end in another minute. */
  #take(minute: number): void {
    this.#hasMinutes ||= this.#minute !== 0;
    this.#minute = minute;
  }

  /** Adds what `encode` wrote with the same scale. */
  addEncoded(reader: VarintReader, scale = 1): void {
    const unit = 1 / scale;
    const half = unit / 2;
    const head = reader.next();
    if (head === 0) return;
    this.#hasMinutes = true;
    const start = reader.next();
    const isOneMinute = start % 2 === 1;
    const base = (start - (isOneMinute ? 1 : 0)) / 2;
    let client = 0;
    const clients = head >>> 1;
    if (!this.countsCalls) this.#addNumbers(reader, clients, isOneMinute ? 'outcomes' : 'times');
    for (let left = this.countsCalls ? clients : 0; left > 0; left--) {
      const step = reader.next();
      client += (step >>> 1) ^ -(step & 1);
      let first = base;
      let last = base;
      if (!isOneMinute) {
        const after = reader.next();
        first = base + (after >>> 1);
        last = after % 2 === 0 ? first : first + reader.next();
      }
      const slot = slotOf(this.#keys, client);
      let at = slot * width;
      if (this.#keys[slot] === client) widen(this.#counts, at, first, last);
      else at = this.#insert(client, slot, first, last);
      const counts = this.#counts;
      const calls = reader.next();
      if (calls % 2 === 0) counts[at]! += calls * half;
      else {
        counts[at]! += (calls - 1) * half;
        readRarer(reader, counts, at, unit);
      }
    }
    if (head % 2 === 0) return;
    const other = this.#added.fill(0);
    other[0] = reader.next() * unit;
    readRarer(reader, other, 0, unit);
    other[firstAt] = base + reader.next();
    other[lastAt] = other[firstAt]! + reader.next();
    this.#addOther(other, 0);
    this.#readRegisters(reader);
  }

  /** Adds clients as releases before outcomes and times wrote them. */
  addEncodedWithoutOutcomes(reader: VarintReader, scale: number, known: KnownOutcomes): void {
    this.#hasMinutes = true;
    const head = reader.next();
    const unit = 1 / scale;
    let client = 0;
    const clients = head >>> 1;
    if (!this.countsCalls) this.#addNumbers(reader, clients, 'errors');
    for (let left = this.countsCalls ? clients : 0; left > 0; left--) {
      const step = reader.next();
      client += (step >>> 1) ^ -(step & 1);
      const calls = reader.next();
      const errors = calls % 2 === 0 ? 0 : reader.next() * unit;
      const at = this.#at(client, unknownMinute);
      const counts = this.#counts;
      counts[at + firstAt] = unknownMinute;
      addKnown(counts, at, Math.floor(calls / 2) * unit, errors, known);
    }
    if (head % 2 === 0) return;
    const other = this.#added.fill(0);
    const otherCalls = reader.next() * unit;
    addKnown(other, 0, otherCalls, reader.next() * unit, known);
    this.#addOther(other, 0);
    this.#readRegisters(reader);
  }

  /** The most bytes `encode` can write now. */
  get encodedBytesMax(): number {
    this.#pour();
    return (
      32 +
      this.#size * 64 +
      (this.#estimated || this.#size > limits.clientsPerVersion ? registerCount + 80 : 0)
    );
  }

  /**
   * `varint 2 * clients + (there is a remainder)`, and unless that is 0 `varint 2 * the first minute + (it is every
   * client's only one)`. Then by client: the zigzag difference to the number before; unless all have one minute `2
   * * the first one after the base + (there is a later one)`, and that after the first; `2 * calls + (its rarer numbers
   * follow)`, and those.
   * @param scale a power of two that makes every count a whole number (core/weight.ts)
   * @param most clients that are kept
   */
  encode(out: Uint8Array, at: number, scale = 1, most: number = limits.clientsPerEndpoint): number {
    this.#requireCounts();
    this.#pour();
    if (this.#size > most) this.#foldRarest(most / 2);
    const head = this.#size * 2 + (this.#estimated ? 1 : 0);
    at = putVarint(out, at, head);
    if (head === 0) return at;
    const counts = this.#counts;
    const [base, last] = this.#hasMinutes ? this.#minutes() : [this.#minute, this.#minute];
    const isOneMinute = last === base;
    at = putVarint(out, at, base * 2 + (isOneMinute ? 1 : 0));
    const double = 2 * scale;
    let before = 0;
    for (const slot of this.#slotsByClient()) {
      const client = this.#keys[slot]!;
      const from = slot * width;
      const step = client - before;
      before = client;
      at = putVarint(out, at, step < 0 ? -step * 2 - 1 : step * 2);
      if (!isOneMinute) {
        const first = counts[from + firstAt]!;
        const minutes = counts[from + lastAt]! - first;
        at = putVarint(out, at, (first - base) * 2 + (minutes > 0 ? 1 : 0));
        if (minutes > 0) at = putVarint(out, at, minutes);
      }
      if (hasRarer(counts, from)) {
        at = putVarint(out, at, counts[from]! * double + 1);
        at = putRarer(out, at, counts, from, scale);
      } else at = putVarint(out, at, counts[from]! * double);
    }
    if (!this.#estimated) return at;
    const other = this.#other;
    at = putVarint(out, at, other[0]! * scale);
    at = putRarer(out, at, other, 0, scale);
    at = putVarint(out, at, other[firstAt]! - base);
    at = putVarint(out, at, other[lastAt]! - other[firstAt]!);
    out.set(this.#registers!, at);
    return at + registerCount;
  }

  /** Whether `putUint32s` can represent this tally, when no count exceeds 32 bits. */
  get fitsUint32s(): boolean {
    this.#pour();
    return !this.#estimated && this.#size <= limits.clientsPerEndpoint;
  }

  get uint32Count(): number {
    this.#pour();
    return 2 + this.#size * 4 + this.#withRarer() * rarerUint32s;
  }

  /**
   * Appends the number of clients and of those with rarer numbers, all clients' numbers, each one's calls, first and
   * last minute; then by client with rarer numbers its index and those.
   */
  putUint32s(out: Uint32Array, at: number): number {
    this.#requireCounts();
    this.#pour();
    const counts = this.#counts;
    const size = this.#size;
    out[at++] = size;
    out[at++] = this.#withRarer();
    for (let i = 0; i < size; i++) out[at++] = this.#keys[this.#used[i]!]!;
    let rarer = at + size * 3;
    for (let i = 0; i < size; i++) {
      const from = this.#used[i]! * width;
      out[at++] = counts[from]!;
      out[at++] = counts[from + firstAt]!;
      out[at++] = counts[from + lastAt]!;
      if (!hasRarer(counts, from)) continue;
      out[rarer++] = i;
      for (let of = errorsAt; of <= unrecordedAt; of++) out[rarer++] = counts[from + of]!;
    }
    return rarer;
  }

  /** Adds the output of `putUint32s`, which must not change until `clear`. */
  addUint32s(words: Uint32Array, start: number): void {
    this.#hasMinutes = true;
    if (this.#base === undefined) {
      this.#base = words;
      this.#baseStart = start;
    } else this.#addUint32s(words, start);
  }

  /** Distinct clients: exact unless `estimated`. */
  unique(): number {
    if (this.#estimated) {
      this.#pour();
      const registers = this.#registers!.slice();
      for (let i = 0; i < this.#size; i++) observe(registers, this.#keys[this.#used[i]!]!);
      return estimate(registers);
    }
    const base = this.#base;
    let unique = this.#size;
    if (base === undefined) return unique;
    if (unique === 0) return base[this.#baseStart]!;
    const from = this.#baseStart + 2;
    const to = from + base[this.#baseStart]!;
    for (let at = from; at < to; at++)
      if (this.#keys[slotOf(this.#keys, base[at]!)] === 0) unique += 1;
    return unique;
  }

  /**
   * Adds 1 at the index of each client's number. The base stays as it is.
   * @returns the numbers, or a larger copy
   */
  countDistinct(into: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
    const keys = this.#keys;
    for (let i = 0; i < this.#size; i++) into = countOne(into, keys[this.#used[i]!]!);
    const base = this.#base;
    if (base === undefined) return into;
    const from = this.#baseStart + 2;
    const to = from + base[this.#baseStart]!;
    for (let at = from; at < to; at++) {
      const client = base[at]!;
      if (this.#size === 0 || keys[slotOf(keys, client)] === 0) into = countOne(into, client);
    }
    return into;
  }

  get size(): number {
    this.#pour();
    return this.#size;
  }

  forEach(visit: (client: number, calls: number) => void): void {
    this.#requireCounts();
    this.#pour();
    for (let i = 0; i < this.#size; i++) {
      const slot = this.#used[i]!;
      visit(this.#keys[slot]!, this.#counts[slot * width]!);
    }
  }

  /** The calls of one client; undefined when none of them is counted for it alone. @param client from 1 on */
  find(client: number): ClientCounts | undefined {
    this.#requireCounts();
    const base = this.#base;
    const from = this.#baseStart + 2;
    if (base?.subarray(from, from + base[from - 2]!).includes(client)) this.#pour();
    const slot = slotOf(this.#keys, client);
    return this.#keys[slot] === client ? countsAt(this.#counts, slot * width) : undefined;
  }

  /** @param client one that `forEach` visits */
  countsOf(client: number): ClientCounts {
    this.#requireCounts();
    this.#pour();
    return countsAt(this.#counts, slotOf(this.#keys, client) * width);
  }

  /** Adds the numbers of a client that `forEach` visits. */
  addTo(sum: ClientCounts, client: number): void {
    this.#requireCounts();
    this.#pour();
    const at = slotOf(this.#keys, client) * width;
    const counts = this.#counts;
    const [first, last] = [counts[at + firstAt]!, counts[at + lastAt]!];
    if (sum.calls === 0 || first < sum.firstMinute) sum.firstMinute = first;
    if (last > sum.lastMinute) sum.lastMinute = last;
    sum.calls += counts[at]!;
    sum.errors += counts[at + errorsAt]!;
    sum.refused += counts[at + refusedAt]!;
    sum.missing += counts[at + refusedAt + 1]!;
    sum.failed += counts[at + refusedAt + 2]!;
    sum.unrecorded += counts[at + unrecordedAt]!;
  }

  clear(): void {
    this.#minute = 0;
    this.#hasMinutes = false;
    if (this.#keys.length > mostKeptSlots) this.#allocate(fewestSlots);
    else for (let i = 0; i < this.#size; i++) this.#keys[this.#used[i]!] = 0;
    this.#size = 0;
    this.#base = undefined;
    if (!this.#estimated) return;
    this.#registers!.fill(0);
    this.#estimated = false;
    this.#other.fill(0);
  }

  /** Where a client's numbers begin. @param minute of a first call, if it is new */
  #at(client: number, minute: number): number {
    const slot = slotOf(this.#keys, client);
    return this.#keys[slot] === client ? slot * width : this.#insert(client, slot, minute, minute);
  }

  /** @param slot the free one for the client @returns where its numbers begin, without a call */
  #insert(client: number, slot: number, first: number, last: number): number {
    if (this.#size === this.#used.length) {
      this.#grow();
      return this.#insert(client, slotOf(this.#keys, client), first, last);
    }
    this.#keys[slot] = client;
    this.#used[this.#size++] = slot;
    const counts = this.#counts;
    const at = slot * width;
    counts[at] = 0;
    counts[at + 1] = 0;
    counts[at + 2] = 0;
    counts[at + 3] = 0;
    counts[at + 4] = 0;
    counts[at + 5] = 0;
    counts[at + firstAt] = first;
    counts[at + lastAt] = last;
    return at;
  }

  /** Adds numbers that stand in `from` at `start` to those of a client. */
  #addCounts(client: number, from: Float64Array, start: number): void {
    const at = this.#at(client, from[start + firstAt]!);
    const counts = this.#counts;
    for (let of = 0; of < firstAt; of++) counts[at + of]! += from[start + of]!;
    widen(counts, at, from[start + firstAt]!, from[start + lastAt]!);
  }

  #addOther(from: Float64Array, start: number): void {
    const other = this.#other;
    if (other[0] === 0) other[firstAt] = from[start + firstAt]!;
    for (let of = 0; of < firstAt; of++) other[of]! += from[start + of]!;
    widen(other, 0, from[start + firstAt]!, from[start + lastAt]!);
  }

  #readRegisters(reader: VarintReader): void {
    const registers = this.#startEstimate();
    for (let i = 0; i < registerCount; i++) {
      const rank = reader.bytes[reader.at + i]!;
      if (rank > registers[i]!) registers[i] = rank;
    }
    reader.at += registerCount;
  }

  /** The first and the last minute of all clients. */
  #minutes(): [number, number] {
    let [first, last] = [Number.POSITIVE_INFINITY, 0];
    if (this.#estimated) [first, last] = [this.#other[firstAt]!, this.#other[lastAt]!];
    for (let i = 0; i < this.#size; i++) {
      const at = this.#used[i]! * width;
      if (this.#counts[at + firstAt]! < first) first = this.#counts[at + firstAt]!;
      if (this.#counts[at + lastAt]! > last) last = this.#counts[at + lastAt]!;
    }
    return [first, last];
  }

  /** How many clients have rarer numbers. */
  #withRarer(): number {
    let n = 0;
    for (let i = 0; i < this.#size; i++) {
      if (hasRarer(this.#counts, this.#used[i]! * width)) n += 1;
    }
    return n;
  }

  /** Sorted by client number when there are many: small differences take fewer bytes. */
  #slotsByClient(): Int32Array {
    const keys = this.#keys;
    const slots = this.#used.subarray(0, this.#size);
    // For a few, sorting saves no bytes.
    if (slots.length <= sortedFrom) return slots;
    // A native sort of the numbers and one look-up each is faster than a comparator.
    const clients = new Int32Array(slots.length);
    for (let i = 0; i < slots.length; i++) clients[i] = keys[slots[i]!]!;
    clients.sort();
    for (let i = 0; i < clients.length; i++) slots[i] = slotOf(keys, clients[i]!);
    return slots;
  }

  #requireCounts(): void {
    if (!this.countsCalls) throw new Error('the tally keeps distinct clients, not their calls');
  }

  /** Copies the base into the counts, so that it can change. */
  #pour(): void {
    const base = this.#base;
    if (base === undefined) return;
    this.#base = undefined;
    this.#addUint32s(base, this.#baseStart);
  }

  #addUint32s(words: Uint32Array, start: number): void {
    const count = words[start]!;
    const clients = start + 2;
    if (!this.countsCalls) {
      for (let at = clients; at < clients + count; at++) this.#addNumber(words[at]!);
      return;
    }
    const numbers = clients + count;
    for (let i = 0; i < count; i++) {
      const from = numbers + i * 3;
      const first = words[from + 1]!;
      const at = this.#at(words[clients + i]!, first);
      this.#counts[at]! += words[from]!;
      widen(this.#counts, at, first, words[from + 2]!);
    }
    let rarer = numbers + count * 3;
    for (let left = words[start + 1]!; left > 0; left--) {
      const slot = slotOf(this.#keys, words[clients + words[rarer++]!]!);
      for (let of = errorsAt; of <= unrecordedAt; of++) {
        this.#counts[slot * width + of]! += words[rarer++]!;
      }
    }
  }

  /**
   * Adds encoded clients without their numbers. Varints are decoded inline: a VarintReader takes nearly twice as long.
   * @param form what follows each client: calls, with its errors if it has any; calls and rarer numbers; minutes,
   *   calls and rarer numbers
   */
  #addNumbers(reader: VarintReader, clients: number, form: 'errors' | 'outcomes' | 'times'): void {
    const { bytes } = reader;
    let { at } = reader;
    let client = 0;
    for (let left = clients; left > 0; left--) {
      let byte = bytes[at++]!;
      let step = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        step |= (byte & 127) << shift;
      }
      client += (step >>> 1) ^ -(step & 1);
      this.#addNumber(client);
      // The lowest bit of the minutes and of the calls says whether more follows.
      if (form === 'times') {
        const hasLast = bytes[at]! & 1;
        at = behindVarint(bytes, at);
        if (hasLast) at = behindVarint(bytes, at);
      }
      const hasMore = bytes[at]! & 1;
      at = behindVarint(bytes, at);
      if (!hasMore) continue;
      let numbers = form === 'errors' ? 1 : bytes[at++]!;
      for (; numbers !== 0; numbers &= numbers - 1) at = behindVarint(bytes, at);
    }
    reader.at = at;
  }

  /** Adds a client without its numbers. */
  #addNumber(client: number): void {
    const slot = slotOf(this.#keys, client);
    if (this.#keys[slot] === client) return;
    if (this.#size === this.#used.length) {
      this.#insert(client, slot, unknownMinute, unknownMinute);
      return;
    }
    this.#keys[slot] = client;
    this.#used[this.#size++] = slot;
  }

  #startEstimate(): Uint8Array {
    this.#registers ??= new Uint8Array(registerCount);
    this.#estimated = true;
    return this.#registers;
  }

  /** Keeps the clients with the most calls; the others go into the remainder. */
  #foldRarest(kept: number): void {
    const registers = this.#startEstimate();
    const slots = [...this.#used.subarray(0, this.#size)];
    const [keys, counts] = [this.#keys, this.#counts];
    slots.sort((a, b) => counts[b * width]! - counts[a * width]! || keys[a]! - keys[b]!);
    for (const slot of slots) observe(registers, keys[slot]!);
    for (const slot of slots.slice(kept)) this.#addOther(counts, slot * width);
    this.#keys = new Int32Array(keys.length);
    this.#counts = new Float64Array(counts.length);
    this.#size = 0;
    for (const slot of slots.slice(0, kept)) this.#addCounts(keys[slot]!, counts, slot * width);
  }

  #allocate(slots: number): void {
    this.#keys = new Int32Array(slots);
    this.#counts = new Float64Array(slots * width);
    this.#used = new Int32Array(slots / 2);
  }

  #grow(): void {
    const [keys, counts, used] = [this.#keys, this.#counts, this.#used];
    const size = this.#size;
    this.#allocate(keys.length * 2);
    this.#size = 0;
    for (let i = 0; i < size; i++) this.#addCounts(keys[used[i]!]!, counts, used[i]! * width);
  }
}

/** 32-bit integers of a client's rarer numbers, with its index. */
const rarerUint32s = 1 + unrecordedAt;

/** Whether some call was not answered, or is not known to have been. */
function hasRarer(counts: Float64Array, at: number): boolean {
  return (
    counts[at + refusedAt]! +
      counts[at + refusedAt + 1]! +
      counts[at + refusedAt + 2]! +
      counts[at + unrecordedAt]! >
    0
  );
}

/** Errors are the refused, missing and failed calls, unless calls without a status or of unrecorded outcome are among
 *  the client's. */
function putRarer(
  out: Uint8Array,
  at: number,
  counts: Float64Array,
  from: number,
  scale: number,
): number {
  let bits = 0;
  let notAnswered = 0;
  for (let i = 0; i < 4; i++) {
    if (counts[from + refusedAt + i] !== 0) bits |= 1 << i;
    if (i < 3) notAnswered += counts[from + refusedAt + i]!;
  }
  const errors = counts[from + errorsAt]!;
  if (errors !== notAnswered) bits |= errorsDiffer;
  out[at++] = bits;
  for (let i = 0; i < 4; i++) {
    if ((bits >> i) & 1) at = putVarint(out, at, counts[from + refusedAt + i]! * scale);
  }
  return bits & errorsDiffer ? putVarint(out, at, errors * scale) : at;
}

/** Adds the output of `putRarer`. */
function readRarer(reader: VarintReader, counts: Float64Array, at: number, unit: number): void {
  const bits = reader.next();
  let errors = 0;
  for (let i = 0; i < 4; i++) {
    if (((bits >> i) & 1) === 0) continue;
    const calls = reader.next() * unit;
    counts[at + refusedAt + i]! += calls;
    if (i < 3) errors += calls;
  }
  counts[at + errorsAt]! += bits & errorsDiffer ? reader.next() * unit : errors;
}

function behindVarint(bytes: Uint8Array, at: number): number {
  while (bytes[at]! > 127) at += 1;
  return at + 1;
}

/** Adds calls whose outcomes are known as far as all calls of their entry say. */
function addKnown(
  counts: Float64Array,
  at: number,
  calls: number,
  errors: number,
  known: KnownOutcomes,
): void {
  counts[at]! += calls;
  if (errors !== 0) {
    counts[at + errorsAt]! += errors;
    counts[at + (known.errors === 0 ? unrecordedAt : outcomesFrom + known.errors)]! += errors;
  }
  if (!known.areOthersAnswered) counts[at + unrecordedAt]! += calls - errors;
}

/** Stands for the minutes of calls of which none is recorded: a first minute then stays unknown. */
const unknownMinute = 0;

function widen(counts: Float64Array, at: number, first: number, last: number): void {
  if (first < counts[at + firstAt]!) counts[at + firstAt] = first;
  if (last > counts[at + lastAt]!) counts[at + lastAt] = last;
}

function countsAt(counts: Float64Array, at: number): ClientCounts {
  return {
    calls: counts[at]!,
    errors: counts[at + errorsAt]!,
    refused: counts[at + refusedAt]!,
    missing: counts[at + refusedAt + 1]!,
    failed: counts[at + refusedAt + 2]!,
    unrecorded: counts[at + unrecordedAt]!,
    firstMinute: counts[at + firstAt]!,
    lastMinute: counts[at + lastAt]!,
  };
}

const sortedFrom = 32;

/** @returns the numbers, or a larger copy */
function countOne(into: Int32Array<ArrayBuffer>, client: number): Int32Array<ArrayBuffer> {
  const counts = client < into.length ? into : grown(into, client * 2);
  counts[client]! += 1;
  return counts;
}

/** The slot of a client, or the free slot for it. */
function slotOf(keys: Int32Array, client: number): number {
  const mask = keys.length - 1;
  let slot = mix(client) & mask;
  for (let key = keys[slot]!; key !== client && key !== 0; key = keys[slot]!) {
    slot = (slot + 1) & mask;
  }
  return slot;
}
