import type { Tally } from '../../../usage/tally.ts';
import { lengthBytes, putLength, putVarint } from '../../../usage/varint.ts';
import type { CallRows } from './call-rows.ts';
import { DetailsWriter } from './details-writer.ts';
import type { OriginNumbers } from './origin-numbers.ts';
import { blockVersion, bucketOf, type UsageEntries } from './usage-entries.ts';

/** Writes one block after another, reusing its buffer. Entries are added in the order of the block. */
export class BlockWriter {
  #out = Buffer.allocUnsafe(64 * 1024);
  #length = 0;
  #minute = 0;
  #endpoint = 0;
  readonly #details = new DetailsWriter();

  begin(): void {
    this.#details.begin();
    this.#out[0] = blockVersion;
    this.#length = 1;
    this.#minute = 0;
    this.#endpoint = 0;
  }

  /** Adds an entry as it is, with its details, at a minute that is not later. */
  addCopy(entries: UsageEntries, entry: number, minute: number): void {
    const bytes = entries.blocks[entries.block[entry]!]!;
    const [start, end] = [entries.start[entry]!, entries.end[entry]!];
    const size = end - start;
    this.#reserve(size + 16);
    this.#header(minute, entries.endpoint[entry]!);
    const at = putVarint(this.#out, this.#length, size);
    if (size < 64) for (let i = 0; i < size; i++) this.#out[at + i] = bytes[start + i]!;
    else this.#out.set(bytes.subarray(start, end), at);
    this.#length = at + size;
    this.#details.addCopy(entries, entry, minute);
  }

  /** Adds entries `order[from]` to `order[to - 1]`, all of one endpoint, as one at a minute that is not later. */
  addMerged(
    entries: UsageEntries,
    order: Uint32Array,
    from: number,
    to: number,
    minute: number,
    tally: Tally,
  ): void {
    for (let i = from; i < to; i++) entries.addTo(tally, order[i]!);
    this.#addTally(minute, entries.endpoint[order[from]!]!, tally);
    tally.clear();
    this.#details.addMerged(entries, order, from, to, minute);
  }

  /** Adds one tally for each minute and endpoint of the calls. @param order sorts the calls by both */
  addCalls(calls: CallRows, order: Uint32Array, tally: Tally, origins: OriginNumbers): void {
    const isWeighted = calls.weighted > 0;
    for (let i = 0; i < order.length; ) {
      const from = i;
      const endpoint = calls.endpoint[order[i]!]!;
      const minute = calls.minute[order[i]!]!;
      for (; i < order.length; i++) {
        const call = order[i]!;
        if (calls.endpoint[call] !== endpoint || calls.minute[call] !== minute) break;
        if (isWeighted && calls.weight![call] !== 1) addWeighted(calls, call, tally);
        else {
          const client = calls.client[call]!;
          tally.addCall(calls.status[call]!, calls.durationNs[call]!, client, minute);
        }
      }
      this.#addTally(minute, endpoint, tally);
      tally.clear();
      this.#details.addCalls(calls, order, from, i, minute, origins);
    }
  }

  /** @returns copies of the block and its details */
  finish(): { block: Buffer; details: Buffer } {
    const block = Buffer.from(this.#out.subarray(0, this.#length));
    return { block, details: this.#details.finish() };
  }

  #addTally(minute: number, endpoint: number, tally: Tally): void {
    this.#reserve(tally.encodedBytesMax + 16);
    this.#header(minute, endpoint);
    const at = this.#length;
    this.#length = putLength(this.#out, at, tally.encode(this.#out, at + lengthBytes));
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
    calls.minute[call]!,
    calls.weight![call]!,
    calls.copies![call]!,
  );
}

/** Merges the entries of each bucket and endpoint into one. @returns a block and its details, its minutes the
 *  buckets' first ones */
export function coalesce(
  entries: UsageEntries,
  unitMinutes: number,
  tally: Tally,
  writer: BlockWriter,
): { block: Buffer; details: Buffer } {
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
    if (next === i + 1) writer.addCopy(entries, first, minute);
    else writer.addMerged(entries, order, i, next, minute, tally);
    i = next;
  }
  return writer.finish();
}
