import { grown } from '../../../column.ts';
import type { Tally } from '../../../usage/tally.ts';
import { sortBy } from '../usage/radix-sort.ts';
import { shardBits, type UsageEntries } from '../usage/usage-entries.ts';

/**
 * The usage of one shard's endpoints, one tally each. A tally is kept as uint32s (`Tally.putUint32s`), which are
 * added several times as fast as encoded bytes and take three to four times the memory; a tally that uint32s
 * cannot express is kept encoded.
 */
export class MergedUsage {
  /** Index in `#uint32s` where an endpoint's tally begins, by its number within the shard; 0: there is none. */
  readonly #starts = new Uint32Array(1 << shardBits);
  /** Index 0 is unused. */
  #uint32s = new Uint32Array(1024);
  readonly #encoded = new Map<number, Buffer>();
  #encodedBytes = 0;

  /** @param entries of one shard @param tally an empty one, which is left empty */
  constructor(entries: UsageEntries, tally: Tally) {
    const order = sortBy(entries.length, entries.endpoint);
    let end = 1;
    for (let i = 0; i < order.length; ) {
      const endpoint = entries.endpoint[order[i]!]!;
      for (; i < order.length && entries.endpoint[order[i]!] === endpoint; i++) {
        entries.addTo(tally, order[i]!);
      }
      if (tally.fitsUint32s) {
        const length = end + tally.uint32Count;
        if (length > this.#uint32s.length) {
          this.#uint32s = grown(this.#uint32s, Math.max(length, this.#uint32s.length * 2));
        }
        this.#starts[endpoint & (this.#starts.length - 1)] = end;
        end = tally.putUint32s(this.#uint32s, end);
      } else {
        const bytes = Buffer.allocUnsafeSlow(tally.encodedBytesMax);
        this.#encoded.set(endpoint, bytes.subarray(0, tally.encode(bytes, 0)));
        this.#encodedBytes += bytes.length;
      }
      tally.clear();
    }
    this.#uint32s = this.#uint32s.slice(0, end);
  }

  get bytes(): number {
    return this.#starts.byteLength + this.#uint32s.byteLength + this.#encodedBytes;
  }

  /** @returns whether the endpoint has any usage */
  addTo(tally: Tally, endpoint: number): boolean {
    const start = this.#starts[endpoint & (this.#starts.length - 1)]!;
    if (start !== 0) {
      tally.addUint32s(this.#uint32s, start);
      return true;
    }
    const bytes = this.#encoded.get(endpoint);
    if (bytes) tally.addEncoded(bytes, 0);
    return bytes !== undefined;
  }
}
