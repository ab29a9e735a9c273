/**
 * HDR histograms of durations in microseconds, two significant digits: a bucket is at most 1/128 of its
 * value wide, so its middle is within 0.4 %. Layout and encoding are HdrHistogram's own (V2, ZigZag LEB128:
 * a negative number is a run of empty buckets); the reference library stands in the tests as the oracle.
 * What is written here is the payload without the 40-byte header, which is the same for every histogram:
 * `standardHistogram` puts it back.
 */

const subBuckets = 256;
const halfBuckets = subBuckets / 2;
/** 2^41 µs, 25 days: what took longer is counted in the last bucket; the exact maximum is kept beside it. */
const highestUs = 2 ** 41;
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

/** Counts by bucket, reused for one histogram after the other without being allocated again. */
export class HistogramCounts {
  readonly counts = new Float64Array(histogramSlots);
  /** Buckets that are not empty, in the order they were first met. */
  readonly #touched = new Uint16Array(histogramSlots);
  #touchedCount = 0;

  addUs(us: number): void {
    const slot = slotOfUs(us);
    if (this.counts[slot] === 0) this.#touched[this.#touchedCount++] = slot;
    this.counts[slot]! += 1;
  }

  /** @param copies how many calls took so long, a whole number above 0 */
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
    const touched = this.#touched.subarray(0, this.#touchedCount);
    if (touched.length > 24) touched.sort();
    else insertionSort(touched);
    let next = 0;
    for (const slot of touched) {
      const gap = slot - next;
      if (gap === 1) out[at++] = 0;
      else if (gap > 1) at = putVarint(out, at, gap * 2 - 1);
      at = putVarint(out, at, this.counts[slot]! * 2);
      next = slot + 1;
    }
    return at;
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
    const { counts } = this;
    const values: number[] = [];
    let slot = 0;
    let seen = counts[0]!;
    for (const percent of percents) {
      const rank = Math.max(1, Math.ceil((percent * total) / 100));
      while (seen < rank && slot < histogramSlots - 1) seen += counts[++slot]!;
      if (rank === 1) values.push(minNs);
      else if (rank === total) values.push(maxNs);
      else values.push(Math.min(maxNs, Math.max(minNs, middleOfSlotUs(slot) * 1000)));
    }
    return values;
  }

  /** All values. */
  get total(): number {
    let total = 0;
    for (let i = 0; i < this.#touchedCount; i++) total += this.counts[this.#touched[i]!]!;
    return total;
  }

  clear(): void {
    for (let i = 0; i < this.#touchedCount; i++) this.counts[this.#touched[i]!] = 0;
    this.#touchedCount = 0;
  }
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

function insertionSort(list: Uint16Array): void {
  for (let i = 1; i < list.length; i++) {
    const value = list[i]!;
    let j = i - 1;
    for (; j >= 0 && list[j]! > value; j--) list[j + 1] = list[j]!;
    list[j + 1] = value;
  }
}

/** Unsigned LEB128 of an integer up to 2^53. */
export function putVarint(out: Uint8Array, at: number, value: number): number {
  while (value >= 2 ** 31) {
    out[at++] = (value % 128) | 128;
    value = Math.floor(value / 128);
  }
  while (value > 127) {
    out[at++] = (value & 127) | 128;
    value >>>= 7;
  }
  out[at++] = value;
  return at;
}
