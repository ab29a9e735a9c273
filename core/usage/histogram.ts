import { deflateSync } from 'node:zlib';
import type { DurationBucket } from './usage.ts';
import { putVarint } from './varint.ts';

/**
 * HDR histograms of durations in microseconds, two significant digits: a bucket is at most 1/128 of its value
 * wide, so its middle is within 0.4 %. Layout and encoding are HdrHistogram's (V2, ZigZag LEB128; a negative
 * number is a run of empty buckets). The tests compare with the reference library. `encode` writes the payload
 * without the 40-byte header, which is the same for every histogram; `standardHistogram` adds it.
 */

const subBuckets = 256;
const halfBuckets = subBuckets / 2;
/** 2^41 µs, 25 days. Longer durations are counted in the last bucket; the tally has the exact maximum. */
const highestUs = 2 ** 41;
/** Up to this many buckets, sorting them is faster than scanning all. */
const fewBuckets = 128;
export const histogramSlots = (41 - 7 + 1) * halfBuckets + halfBuckets;

/** The bucket of a duration. */
export function slotOfUs(us: number): number {
  if (us < subBuckets) return us;
  if (us >= highestUs) return histogramSlots - 1;
  if (us < 2 ** 31) {
    const exponent = 31 - Math.clz32(us) - 7;
    return exponent * halfBuckets + (us >>> exponent);
  }
  const exponent = 31 - Math.clz32(us / 2 ** 20) + 20 - 7;
  return exponent * halfBuckets + Math.floor(us / 2 ** exponent);
}

/** The middle of a bucket, in microseconds. */
export function middleOfSlotUs(slot: number): number {
  if (slot < subBuckets) return slot;
  const exponent = Math.floor(slot / halfBuckets) - 1;
  return (slot - exponent * halfBuckets + 0.5) * 2 ** exponent;
}

/** Counts by bucket; reused for one histogram after another without a new allocation. */
export class HistogramCounts {
  readonly counts = new Float64Array(histogramSlots);
  /** Buckets that are not empty, in the order of their first use. */
  readonly #touched = new Uint16Array(histogramSlots);
  #touchedCount = 0;
  /** The first added encoding is kept by reference instead of copied: it usually holds most of the values. */
  #base: Uint32Array | undefined;
  #baseStart = 0;
  readonly #touchedSeen = new Float64Array(fewBuckets);

  addUs(us: number): void {
    const slot = slotOfUs(us);
    if (this.counts[slot] === 0) this.#touched[this.#touchedCount++] = slot;
    this.counts[slot]! += 1;
  }

  /** @param copies the number of calls with this duration, a whole number above 0 */
  addCopiesUs(us: number, copies: number): void {
    const slot = slotOfUs(us);
    if (this.counts[slot] === 0) this.#touched[this.#touchedCount++] = slot;
    this.counts[slot]! += copies;
  }

  /** Adds an encoded histogram, straight from its bytes. */
  addEncoded(bytes: Uint8Array, start: number, end: number): void {
    const counts = this.counts;
    const touched = this.#touched;
    let touchedCount = this.#touchedCount;
    let at = start;
    let slot = 0;
    while (at < end) {
      const byte = bytes[at++]!;
      if (byte < 128) {
        // Nearly every number is one byte: a run of empty buckets, or a small count.
        if ((byte & 1) === 1) {
          slot += (byte + 1) >> 1;
        } else {
          if (byte !== 0) {
            const count = counts[slot]!;
            if (count === 0) touched[touchedCount++] = slot;
            counts[slot] = count + (byte >> 1);
          }
          slot += 1;
        }
        continue;
      }
      let zigzag = byte & 127;
      for (let scale = 128, more = byte; more > 127; scale *= 128) {
        more = bytes[at++]!;
        zigzag += (more & 127) * scale;
      }
      if (zigzag % 2 === 1) {
        slot += (zigzag + 1) / 2;
      } else {
        if (counts[slot] === 0) touched[touchedCount++] = slot;
        counts[slot]! += zigzag / 2;
        slot += 1;
      }
    }
    this.#touchedCount = touchedCount;
  }

  /** Appends the V2 payload to `out` at `at` and returns its end. Takes at most 9 bytes a bucket. */
  encode(out: Uint8Array, at: number): number {
    this.#pour();
    let next = 0;
    for (const slot of this.#sortedTouched()) {
      const gap = slot - next;
      if (gap === 1) out[at++] = 0;
      else if (gap > 1) at = putVarint(out, at, gap * 2 - 1);
      at = putVarint(out, at, this.counts[slot]! * 2);
      next = slot + 1;
    }
    return at;
  }

  /** Numbers of 32 bits that `putUint32s` writes. */
  get uint32Count(): number {
    this.#pour();
    return 2 + this.#touchedCount * 2;
  }

  /** Appends the number of buckets that are not empty, the number of values (below 2^32), and for each of these
   *  buckets, ascending, its number and the cumulative count. */
  putUint32s(out: Uint32Array, at: number): number {
    this.#pour();
    out[at++] = this.#touchedCount;
    out[at++] = this.total;
    let seen = 0;
    for (const slot of this.#sortedTouched()) {
      out[at++] = slot;
      out[at++] = seen += this.counts[slot]!;
    }
    return at;
  }

  /** Adds the output of `putUint32s`, which must not change until `clear`. @returns its end */
  addUint32s(words: Uint32Array, start: number): number {
    const end = start + 2 + words[start]! * 2;
    if (this.#base === undefined) {
      this.#base = words;
      this.#baseStart = start;
    } else this.#addBuckets(words, start + 2, end);
    return end;
  }

  /**
   * Values at the nearest ranks, in nanoseconds.
   * @param percents ascending, each in (0, 100]
   * @param minNs the exact extremes: the first and the last rank are these, and nothing lies outside them
   */
  percentilesNs(
    percents: readonly number[],
    total: number,
    minNs: number,
    maxNs: number,
  ): number[] {
    if (this.#touchedCount > fewBuckets) this.#pour();
    const slots = this.#base
      ? this.#slotsBesideBase(percents, total)
      : this.#slotsOfRanks(percents, total);
    for (let i = 0; i < percents.length; i++) {
      const rank = rankOf(percents[i]!, total);
      if (rank === 1) slots[i] = minNs;
      else if (rank === total) slots[i] = maxNs;
      else slots[i] = Math.min(maxNs, Math.max(minNs, middleOfSlotUs(slots[i]!) * 1000));
    }
    return slots;
  }

  /** The buckets that are not empty, shortest duration first. */
  buckets(): DurationBucket[] {
    this.#pour();
    return Array.from(this.#sortedTouched(), (slot) => ({
      us: middleOfSlotUs(slot),
      calls: this.counts[slot]!,
    }));
  }

  /** All values. */
  get total(): number {
    let total = this.#base ? this.#base[this.#baseStart + 1]! : 0;
    for (let i = 0; i < this.#touchedCount; i++) total += this.counts[this.#touched[i]!]!;
    return total;
  }

  clear(): void {
    for (let i = 0; i < this.#touchedCount; i++) this.counts[this.#touched[i]!] = 0;
    this.#touchedCount = 0;
    this.#base = undefined;
  }

  #slotsOfRanks(percents: readonly number[], total: number): number[] {
    const { counts } = this;
    let slot = 0;
    let seen = counts[0]!;
    return percents.map((percent) => {
      const rank = rankOf(percent, total);
      // Most buckets are empty: eight at a time while the rank allows it; their sums are independent additions.
      for (; slot < histogramSlots - 8; slot += 8) {
        const low = counts[slot + 1]! + counts[slot + 2]! + (counts[slot + 3]! + counts[slot + 4]!);
        const high =
          counts[slot + 5]! + counts[slot + 6]! + (counts[slot + 7]! + counts[slot + 8]!);
        if (seen + (low + high) >= rank) break;
        seen += low + high;
      }
      while (seen < rank && slot < histogramSlots - 1) seen += counts[++slot]!;
      return slot;
    });
  }

  /** The same over the base's buckets and the other counts together. */
  #slotsBesideBase(percents: readonly number[], total: number): number[] {
    const base = this.#base!;
    const first = this.#baseStart + 2;
    const touched = this.#sortedTouched();
    const touchedSeen = this.#touchedSeen;
    let sum = 0;
    for (let i = 0; i < touched.length; i++) touchedSeen[i] = sum += this.counts[touched[i]!]!;
    const baseCount = base[this.#baseStart]!;
    let low = 0;
    const slots: number[] = [];
    for (let i = 0; i < percents.length; i++) {
      const rank = rankOf(percents[i]!, total);
      // Before this bucket of the base there are too few values, even with all other counts.
      for (let high = baseCount; low < high; ) {
        const middle = (low + high) >>> 1;
        if (base[first + middle * 2 + 1]! + sum >= rank) high = middle;
        else low = middle + 1;
      }
      let baseSeen = low > 0 ? base[first + low * 2 - 1]! : 0;
      let next = low > 0 ? firstAbove(touched, base[first + low * 2 - 2]!) : 0;
      let ownSeen = next > 0 ? touchedSeen[next - 1]! : 0;
      for (let at = low; ; ) {
        const baseSlot = at < baseCount ? base[first + at * 2]! : histogramSlots;
        const ownSlot = next < touched.length ? touched[next]! : histogramSlots;
        if (baseSlot <= ownSlot) baseSeen = base[first + at++ * 2 + 1]!;
        if (ownSlot <= baseSlot) ownSeen = touchedSeen[next++]!;
        if (baseSeen + ownSeen < rank) continue;
        slots.push(Math.min(baseSlot, ownSlot));
        break;
      }
    }
    return slots;
  }

  /** Copies the base into the counts, so that it can change. */
  #pour(): void {
    const base = this.#base;
    if (base === undefined) return;
    const start = this.#baseStart;
    this.#base = undefined;
    this.#addBuckets(base, start + 2, start + 2 + base[start]! * 2);
  }

  #addBuckets(words: Uint32Array, from: number, to: number): void {
    const { counts } = this;
    const touched = this.#touched;
    let touchedCount = this.#touchedCount;
    let seen = 0;
    for (let at = from; at < to; at += 2) {
      const slot = words[at]!;
      const count = counts[slot]!;
      if (count === 0) touched[touchedCount++] = slot;
      counts[slot] = count + words[at + 1]! - seen;
      seen = words[at + 1]!;
    }
    this.#touchedCount = touchedCount;
  }

  #sortedTouched(): Uint16Array {
    const touched = this.#touched.subarray(0, this.#touchedCount);
    if (touched.length > 24) touched.sort();
    else insertionSort(touched);
    return touched;
  }
}

/** The number of entries of an ascending list that are not above a slot. */
function firstAbove(list: Uint16Array, slot: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! <= slot) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The nearest rank of a percentile, from 1. */
function rankOf(percent: number, total: number): number {
  return Math.max(1, Math.ceil((percent * total) / 100));
}

/** The histogram in HdrHistogram's standard V2 encoding, uncompressed: for export, and for other tools. */
export function standardHistogram(payload: Uint8Array): Buffer {
  const out = Buffer.alloc(40 + payload.length);
  out.writeInt32BE(0x1c849313, 0); // V2 cookie, with the bit for LEB128 counts
  out.writeInt32BE(payload.length, 4);
  out.writeInt32BE(0, 8); // normalizing index offset
  out.writeInt32BE(2, 12); // significant digits
  out.writeBigInt64BE(1n, 16); // lowest discernible value
  out.writeBigInt64BE(BigInt(highestUs), 24);
  out.writeDoubleBE(1, 32); // integer to double conversion ratio
  out.set(payload, 40);
  return out;
}

/** Durations in that encoding, compressed and as base64: what HdrHistogram's libraries and viewers read (`HISTF…`). */
export function histogramText(durations: readonly DurationBucket[]): string {
  const counts = new HistogramCounts();
  for (const { us, calls } of durations) {
    if (Math.round(calls) > 0) counts.addCopiesUs(us, Math.round(calls));
  }
  const payload = new Uint8Array(9 * histogramSlots);
  const compressed = deflateSync(standardHistogram(payload.subarray(0, counts.encode(payload, 0))));
  const head = Buffer.alloc(8);
  head.writeInt32BE(0x1c849314, 0); // cookie of a compressed V2 histogram
  head.writeInt32BE(compressed.length, 4);
  return Buffer.concat([head, compressed]).toString('base64');
}

function insertionSort(list: Uint16Array): void {
  for (let i = 1; i < list.length; i++) {
    const value = list[i]!;
    let j = i - 1;
    for (; j >= 0 && list[j]! > value; j--) list[j + 1] = list[j]!;
    list[j + 1] = value;
  }
}
