import { grown } from '../../../column.ts';
import type { Tally } from '../../../usage/tally.ts';
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

const noDetails = new Uint8Array(0);
const noOffsets = new Int32Array(0);

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
  /** By block: the details of its entries (details.ts); empty without. */
  readonly details: Uint8Array[] = [];
  /** The entry's details in those: [start, end). Without any details the columns have no length: reports read none. */
  detailsStart = noOffsets;
  detailsEnd = noOffsets;

  /** Forgets all entries; their columns stay allocated. */
  clear(): void {
    this.length = 0;
    this.blocks.length = 0;
    this.details.length = 0;
    this.detailsStart = noOffsets;
    this.detailsEnd = noOffsets;
  }

  /**
   * Takes the entries whose minute is in [from, to) and whose endpoint is selected.
   * @param keys by endpoint row: the number to take its entries under, 0 for one that is not selected. Without
   *   it every entry is taken under its own row.
   * @param details of the block; null when it has none
   */
  addBlock(
    bytes: Uint8Array,
    keys?: Int32Array,
    fromMinute = 0,
    toMinute = Number.POSITIVE_INFINITY,
    details: Uint8Array | null = null,
  ): void {
    if (bytes[0] !== blockVersion) {
      throw new Error(`usage block of version ${bytes[0]}, this program knows ${blockVersion}`);
    }
    const index = this.blocks.push(bytes) - 1;
    this.details.push(details ?? noDetails);
    let detailsAt = 0;
    let detailsSize = 0;
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
      if (details !== null) {
        byte = details[detailsAt++]!;
        detailsSize = byte & 127;
        for (let shift = 7; byte > 127; shift += 7) {
          byte = details[detailsAt++]!;
          detailsSize |= (byte & 127) << shift;
        }
      }
      const key = keys === undefined ? endpoint : keys[endpoint];
      if (key && minute >= fromMinute && minute < toMinute) {
        const entry = this.#push(minute, key, index, at, at + value);
        if (details !== null) this.#setDetails(entry, detailsAt, detailsAt + detailsSize);
      }
      detailsAt += detailsSize;
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
    this.details.push(...other.details);
    for (let i = from; i < to; i++) {
      const block = base + other.block[i]!;
      const [start, end] = [other.start[i]!, other.end[i]!];
      const entry = this.#push(other.minute[i]!, other.endpoint[i]!, block, start, end);
      if (i < other.detailsStart.length) {
        this.#setDetails(entry, other.detailsStart[i]!, other.detailsEnd[i]!);
      }
    }
  }

  addTo(tally: Tally, entry: number): void {
    tally.addEncoded(this.blocks[this.block[entry]!]!, this.start[entry]!);
  }

  #push(minute: number, endpoint: number, block: number, start: number, end: number): number {
    if (this.length === this.minute.length) this.#grow();
    const i = this.length++;
    this.minute[i] = minute;
    this.endpoint[i] = endpoint;
    this.block[i] = block;
    this.start[i] = start;
    this.end[i] = end;
    return i;
  }

  #setDetails(entry: number, start: number, end: number): void {
    if (entry >= this.detailsStart.length) {
      this.detailsStart = grown(this.detailsStart, this.minute.length);
      this.detailsEnd = grown(this.detailsEnd, this.minute.length);
    }
    this.detailsStart[entry] = start;
    this.detailsEnd[entry] = end;
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

/** A block as it is stored, with the details of its entries. */
export interface BlockWithDetails {
  block: Uint8Array;
  /** Null for a block that release 0.1.0 wrote. */
  details: Uint8Array | null;
}

export function bucketOf(minute: number, unitMinutes: number): number {
  return minute - (minute % unitMinutes);
}
