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

  /**
   * @param order the entries of one shard, ascending by endpoint
   * @param tally an empty one, which is left empty
   */
  constructor(entries: UsageEntries, order: Uint32Array, tally: Tally) {
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

  /** Whether the endpoint has any usage. */
  has(endpoint: number): boolean {
    return this.#starts[endpoint & (this.#starts.length - 1)] !== 0 || this.#encoded.has(endpoint);
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

/** Merges entries of any shards. @param tally an empty one, which is left empty @returns by shard */
export function mergedByShard(entries: UsageEntries, tally: Tally): Map<number, MergedUsage> {
  const merged = new Map<number, MergedUsage>();
  const order = sortBy(entries.length, entries.endpoint);
  for (let from = 0; from < order.length; ) {
    const shard = entries.endpoint[order[from]!]! >> shardBits;
    let to = from + 1;
    while (to < order.length && entries.endpoint[order[to]!]! >> shardBits === shard) to++;
    merged.set(shard, new MergedUsage(entries, order.subarray(from, to), tally));
    from = to;
  }
  return merged;
}
