import { grown } from '../../../column.ts';
import type { Tally } from '../../../usage/tally.ts';
import { lengthBytes, putLength, putVarint } from '../../../usage/varint.ts';
import type { CallRows } from './call-rows.ts';
import { sortBy } from './radix-sort.ts';

/**
 * A usage block holds the tallies of many endpoints in one blob: a report over thousands of endpoints reads a few
 * rows instead of one for each. After a byte for the format's version come entries, sorted by (minute, endpoint):
 * `varint minutes since the entry before, varint endpoint (less the one before, in the same minute),
 * varint length, tally`.
 */
export const blockVersion = 1;

/** A shard is 256 endpoints, `endpoint >> shardBits`, whose usage shares blocks. Smaller: the cost of a row is shared
 *  by fewer endpoints. Larger: a query for one endpoint reads more that it does not need. */
export const shardBits = 8;

/** Entries of many blocks in columns: minute, endpoint and the position of the tally. */
export class UsageEntries {
  length = 0;
  readonly blocks: Uint8Array[] = [];
  minute = new Int32Array(256);
  endpoint = new Int32Array(256);
  /** Index in `blocks`, and the tally's bytes in that block: [start, end). */
  block = new Int32Array(256);
  start = new Int32Array(256);
  end = new Int32Array(256);

  /**
   * Takes the entries whose minute is in [from, to) and whose endpoint is selected.
   * @param keys by endpoint row: the number to take its entries under, 0 for one that is not selected. Without
   *   it every entry is taken under its own row.
   */
  addBlock(
    bytes: Uint8Array,
    keys?: Int32Array,
    fromMinute = 0,
    toMinute = Number.POSITIVE_INFINITY,
  ): void {
    if (bytes[0] !== blockVersion) {
      throw new Error(`usage block of version ${bytes[0]}, this program knows ${blockVersion}`);
    }
    const index = this.blocks.push(bytes) - 1;
    let at = 1;
    let minute = 0;
    let endpoint = 0;
    // Varints are decoded inline: a VarintReader takes nearly twice as long here.
    while (at < bytes.length) {
      let byte = bytes[at++]!;
      let value = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        value |= (byte & 127) << shift;
      }
      if (value !== 0) {
        minute += value;
        endpoint = 0;
      }
      byte = bytes[at++]!;
      value = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        value |= (byte & 127) << shift;
      }
      endpoint += value;
      byte = bytes[at++]!;
      value = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        value |= (byte & 127) << shift;
      }
      const key = keys === undefined ? endpoint : keys[endpoint];
      if (key && minute >= fromMinute && minute < toMinute) {
        this.#push(minute, key, index, at, at + value);
      }
      at += value;
    }
  }

  /** Indexes of the entries, sorted by (minute rounded down to `unitMinutes`, endpoint). */
  sorted(unitMinutes: number): Uint32Array {
    const minutes = new Int32Array(this.length);
    for (let i = 0; i < this.length; i++) minutes[i] = bucketOf(this.minute[i]!, unitMinutes);
    return sortBy(this.length, this.endpoint, minutes);
  }

  /** Adds entries `from` to `to - 1` of another list. */
  addEntries(other: UsageEntries, from: number, to: number): void {
    const base = this.blocks.length;
    this.blocks.push(...other.blocks);
    for (let i = from; i < to; i++) {
      const block = base + other.block[i]!;
      this.#push(other.minute[i]!, other.endpoint[i]!, block, other.start[i]!, other.end[i]!);
    }
  }

  addTo(tally: Tally, entry: number): void {
    tally.addEncoded(this.blocks[this.block[entry]!]!, this.start[entry]!);
  }

  #push(minute: number, endpoint: number, block: number, start: number, end: number): void {
    if (this.length === this.minute.length) this.#grow();
    const i = this.length++;
    this.minute[i] = minute;
    this.endpoint[i] = endpoint;
    this.block[i] = block;
    this.start[i] = start;
    this.end[i] = end;
  }

  #grow(): void {
    const length = this.minute.length * 2;
    this.minute = grown(this.minute, length);
    this.endpoint = grown(this.endpoint, length);
    this.block = grown(this.block, length);
    this.start = grown(this.start, length);
    this.end = grown(this.end, length);
  }
}

export function bucketOf(minute: number, unitMinutes: number): number {
  return minute - (minute % unitMinutes);
}

/** Writes one block after another, reusing its buffer. Entries are added in the order of the block. */
export class BlockWriter {
  #out = Buffer.allocUnsafe(64 * 1024);
  #length = 0;
  #minute = 0;
  #endpoint = 0;

  begin(): void {
    this.#out[0] = blockVersion;
    this.#length = 1;
    this.#minute = 0;
    this.#endpoint = 0;
  }

  addBytes(minute: number, endpoint: number, bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.#reserve(size + 16);
    this.#header(minute, endpoint);
    const at = putVarint(this.#out, this.#length, size);
    if (size < 64) for (let i = 0; i < size; i++) this.#out[at + i] = bytes[start + i]!;
    else this.#out.set(bytes.subarray(start, end), at);
    this.#length = at + size;
  }

  addTally(minute: number, endpoint: number, tally: Tally): void {
    this.#reserve(tally.encodedBytesMax + 16);
    this.#header(minute, endpoint);
    const at = this.#length;
    this.#length = putLength(this.#out, at, tally.encode(this.#out, at + lengthBytes));
  }

  /** Adds one tally for each minute and endpoint of the calls. @param order sorts the calls by both */
  addCalls(calls: CallRows, order: Uint32Array, tally: Tally): void {
    const isWeighted = calls.weighted > 0;
    for (let i = 0; i < order.length; ) {
      const endpoint = calls.endpoint[order[i]!]!;
      const minute = calls.minute[order[i]!]!;
      for (; i < order.length; i++) {
        const call = order[i]!;
        if (calls.endpoint[call] !== endpoint || calls.minute[call] !== minute) break;
        if (isWeighted && calls.weight![call] !== 1) addWeighted(calls, call, tally);
        else tally.addCall(calls.status[call]!, calls.durationNs[call]!, calls.client[call]!);
      }
      this.addTally(minute, endpoint, tally);
      tally.clear();
    }
  }

  /** @returns a copy of the block */
  finish(): Buffer {
    return Buffer.from(this.#out.subarray(0, this.#length));
  }

  #header(minute: number, endpoint: number): void {
    const sameMinute = minute === this.#minute && this.#length > 1;
    this.#length = putVarint(this.#out, this.#length, minute - this.#minute);
    this.#length = putVarint(
      this.#out,
      this.#length,
      sameMinute ? endpoint - this.#endpoint : endpoint,
    );
    this.#minute = minute;
    this.#endpoint = endpoint;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#out.length) return;
    const next = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#length + bytes));
    this.#out.copy(next, 0, 0, this.#length);
    this.#out = next;
  }
}

function addWeighted(calls: CallRows, call: number, tally: Tally): void {
  tally.addWeightedCall(
    calls.status[call]!,
    calls.durationNs[call]!,
    calls.client[call]!,
    calls.weight![call]!,
    calls.copies![call]!,
  );
}

/** Merges the entries of each bucket and endpoint into one. @returns a block, its minutes the buckets' first ones */
export function coalesce(
  entries: UsageEntries,
  unitMinutes: number,
  tally: Tally,
  writer: BlockWriter,
): Buffer {
  const order = entries.sorted(unitMinutes);
  writer.begin();
  for (let i = 0; i < order.length; ) {
    const first = order[i]!;
    const minute = bucketOf(entries.minute[first]!, unitMinutes);
    const endpoint = entries.endpoint[first]!;
    let next = i + 1;
    while (
      next < order.length &&
      entries.endpoint[order[next]!] === endpoint &&
      bucketOf(entries.minute[order[next]!]!, unitMinutes) === minute
    ) {
      next += 1;
    }
    if (next === i + 1) {
      const bytes = entries.blocks[entries.block[first]!]!;
      writer.addBytes(minute, endpoint, bytes, entries.start[first]!, entries.end[first]!);
    } else {
      for (; i < next; i++) entries.addTo(tally, order[i]!);
      writer.addTally(minute, endpoint, tally);
      tally.clear();
    }
    i = next;
  }
  return writer.finish();
}
