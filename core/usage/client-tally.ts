import { limits } from '../limits.ts';
import { putVarint, type VarintReader } from './varint.ts';

/** 2^12 registers of the HyperLogLog that counts beyond the bound: standard error 1.04/√4096 = 1.6 %. */
const registerBits = 12;
const registerCount = 1 << registerBits;

/** A power of two; tables grow by doubling. */
const fewestSlots = 1024;

/**
 * Calls and errors by client number; reused for one endpoint after another. Exact up to
 * `limits.clientsPerEndpoint` in stored usage. Beyond, the clients with the most calls stay, all others share one
 * counted remainder, and the number of distinct clients is an estimate.
 */
export class ClientTally {
  #keys = new Int32Array(fewestSlots);
  #calls = new Float64Array(fewestSlots);
  #errors = new Float64Array(fewestSlots);
  /** Slots in use, in the order of their first use. */
  #used = new Int32Array(fewestSlots / 2);
  #size = 0;
  /** The first added encoding is kept by reference instead of copied: it usually holds most of the clients. */
  #base: Uint32Array | undefined;
  #baseStart = 0;
  #registers: Uint8Array | undefined;
  #estimated = false;
  otherCalls = 0;
  otherErrors = 0;

  get estimated(): boolean {
    return this.#estimated;
  }

  /** @param client its number, from 1 on */
  add(client: number, calls: number, errors: number): void {
    const keys = this.#keys;
    const slot = slotOf(keys, client);
    if (keys[slot] === client) {
      this.#calls[slot]! += calls;
      this.#errors[slot]! += errors;
    } else if (this.#size < this.#used.length) {
      keys[slot] = client;
      this.#used[this.#size++] = slot;
      this.#calls[slot] = calls;
      this.#errors[slot] = errors;
    } else {
      this.#grow();
      this.add(client, calls, errors);
    }
  }

  /** Adds what `encode` wrote with the same scale. */
  addEncoded(reader: VarintReader, scale = 1): void {
    const head = reader.next();
    const unit = 1 / scale;
    const half = unit / 2;
    let client = 0;
    for (let left = head >>> 1; left > 0; left--) {
      const step = reader.next();
      client += (step >>> 1) ^ -(step & 1);
      const calls = reader.next();
      if (calls % 2 === 0) this.add(client, calls * half, 0);
      else this.add(client, (calls - 1) * half, reader.next() * unit);
    }
    if (head % 2 === 0) return;
    this.otherCalls += reader.next() * unit;
    this.otherErrors += reader.next() * unit;
    const registers = this.#startEstimate();
    for (let i = 0; i < registerCount; i++) {
      const rank = reader.bytes[reader.at + i]!;
      if (rank > registers[i]!) registers[i] = rank;
    }
  }

  /** The most bytes `encode` can write now. */
  get encodedBytesMax(): number {
    this.#pour();
    return (
      16 +
      this.#size * 24 +
      (this.#estimated || this.#size > limits.clientsPerEndpoint ? registerCount + 24 : 0)
    );
  }

  /** @param scale a power of two that makes every count a whole number (core/weight.ts) */
  encode(out: Uint8Array, at: number, scale = 1): number {
    this.#pour();
    if (this.#size > limits.clientsPerEndpoint) this.#foldRarest();
    const double = 2 * scale;
    at = putVarint(out, at, this.#size * 2 + (this.#estimated ? 1 : 0));
    let last = 0;
    for (const slot of this.#slotsByClient()) {
      const client = this.#keys[slot]!;
      const errors = this.#errors[slot]!;
      const step = client - last;
      at = putVarint(out, at, step < 0 ? -step * 2 - 1 : step * 2);
      at = putVarint(out, at, this.#calls[slot]! * double + (errors > 0 ? 1 : 0));
      if (errors > 0) at = putVarint(out, at, errors * scale);
      last = client;
    }
    if (this.#estimated) {
      at = putVarint(out, at, this.otherCalls * scale);
      at = putVarint(out, at, this.otherErrors * scale);
      out.set(this.#registers!, at);
      at += registerCount;
    }
    return at;
  }

  /** Whether `putUint32s` can represent this tally, when no count exceeds 32 bits. */
  get fitsUint32s(): boolean {
    this.#pour();
    return !this.#estimated && this.#size <= limits.clientsPerEndpoint;
  }

  get uint32Count(): number {
    this.#pour();
    return 1 + this.#size * 3;
  }

  /** Appends the number of clients, their numbers, and each one's calls and errors. */
  putUint32s(out: Uint32Array, at: number): number {
    this.#pour();
    out[at++] = this.#size;
    for (let i = 0; i < this.#size; i++) out[at++] = this.#keys[this.#used[i]!]!;
    for (let i = 0; i < this.#size; i++) {
      out[at++] = this.#calls[this.#used[i]!]!;
      out[at++] = this.#errors[this.#used[i]!]!;
    }
    return at;
  }

  /** Adds the output of `putUint32s`, which must not change until `clear`. */
  addUint32s(words: Uint32Array, start: number): void {
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
    const from = this.#baseStart + 1;
    const to = from + base[this.#baseStart]!;
    for (let at = from; at < to; at++)
      if (this.#keys[slotOf(this.#keys, base[at]!)] === 0) unique += 1;
    return unique;
  }

  /** Visits the number of each client once. Cheaper than `forEach`: the base stays as it is. */
  forEachNumber(visit: (client: number) => void): void {
    const keys = this.#keys;
    for (let i = 0; i < this.#size; i++) visit(keys[this.#used[i]!]!);
    const base = this.#base;
    if (base === undefined) return;
    const from = this.#baseStart + 1;
    const to = from + base[this.#baseStart]!;
    for (let at = from; at < to; at++) {
      const client = base[at]!;
      if (this.#size === 0 || keys[slotOf(keys, client)] === 0) visit(client);
    }
  }

  forEach(visit: (client: number, calls: number, errors: number) => void): void {
    this.#pour();
    for (let i = 0; i < this.#size; i++) {
      const slot = this.#used[i]!;
      visit(this.#keys[slot]!, this.#calls[slot]!, this.#errors[slot]!);
    }
  }

  clear(): void {
    for (let i = 0; i < this.#size; i++) this.#keys[this.#used[i]!] = 0;
    this.#size = 0;
    this.#base = undefined;
    if (this.#estimated) this.#registers!.fill(0);
    this.#estimated = false;
    this.otherCalls = 0;
    this.otherErrors = 0;
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

  /** Copies the base into the counts, so that it can change. */
  #pour(): void {
    const base = this.#base;
    if (base === undefined) return;
    this.#base = undefined;
    this.#addUint32s(base, this.#baseStart);
  }

  #addUint32s(words: Uint32Array, start: number): void {
    const count = words[start]!;
    const clients = start + 1;
    const counts = clients + count;
    for (let i = 0; i < count; i++) {
      this.add(words[clients + i]!, words[counts + i * 2]!, words[counts + i * 2 + 1]!);
    }
  }

  #startEstimate(): Uint8Array {
    this.#registers ??= new Uint8Array(registerCount);
    this.#estimated = true;
    return this.#registers;
  }

  /** Keeps the half of the bound with the most calls; the others go into the remainder. */
  #foldRarest(): void {
    const registers = this.#startEstimate();
    const slots = [...this.#used.subarray(0, this.#size)];
    slots.sort((a, b) => this.#calls[b]! - this.#calls[a]! || this.#keys[a]! - this.#keys[b]!);
    const kept = slots.slice(0, limits.clientsPerEndpoint / 2).map((slot) => ({
      client: this.#keys[slot]!,
      calls: this.#calls[slot]!,
      errors: this.#errors[slot]!,
    }));
    for (const slot of slots) observe(registers, this.#keys[slot]!);
    for (const slot of slots.slice(kept.length)) {
      this.otherCalls += this.#calls[slot]!;
      this.otherErrors += this.#errors[slot]!;
    }
    this.#keys.fill(0);
    this.#size = 0;
    for (const { client, calls, errors } of kept) this.add(client, calls, errors);
  }

  #grow(): void {
    const old = { keys: this.#keys, calls: this.#calls, errors: this.#errors, used: this.#used };
    const size = this.#size;
    const slots = old.keys.length * 2;
    this.#keys = new Int32Array(slots);
    this.#calls = new Float64Array(slots);
    this.#errors = new Float64Array(slots);
    this.#used = new Int32Array(slots / 2);
    this.#size = 0;
    for (let i = 0; i < size; i++) {
      const slot = old.used[i]!;
      this.add(old.keys[slot]!, old.calls[slot]!, old.errors[slot]!);
    }
  }
}

const sortedFrom = 32;

/** The slot of a client, or the free slot for it. */
function slotOf(keys: Int32Array, client: number): number {
  const mask = keys.length - 1;
  let slot = mix(client) & mask;
  for (let key = keys[slot]!; key !== client && key !== 0; key = keys[slot]!) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

/** A bijection of 32-bit integers that spreads them (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function observe(registers: Uint8Array, client: number): void {
  const hash = mix(client ^ 0x5bd1e995);
  const register = hash >>> (32 - registerBits);
  const rank = Math.clz32((hash << registerBits) | (1 << (registerBits - 1))) + 1;
  if (rank > registers[register]!) registers[register] = rank;
}

/** HyperLogLog with linear counting for small numbers (Flajolet et al. 2007). */
function estimate(registers: Uint8Array): number {
  let sum = 0;
  let zeros = 0;
  for (const rank of registers) {
    sum += 2 ** -rank;
    if (rank === 0) zeros += 1;
  }
  const raw = ((0.7213 / (1 + 1.079 / registerCount)) * registerCount ** 2) / sum;
  if (raw <= 2.5 * registerCount && zeros > 0) {
    return Math.round(registerCount * Math.log(registerCount / zeros));
  }
  const range = 2 ** 32;
  return Math.round(raw > range / 30 ? -range * Math.log(1 - raw / range) : raw);
}
