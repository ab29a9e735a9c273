import type { Tally } from '../../../usage/tally.ts';
import { grown } from '../usage/column.ts';
import { sortBy } from '../usage/radix-sort.ts';
import { shardBits, type UsageEntries } from '../usage/usage-block.ts';

/**
 * The usage of one shard's endpoints, each as the words of a tally (`Tally.putWords`), or encoded where
 * these cannot tell it. Words are three to four times as large as what is encoded.
 */
export class MergedUsage {
  /** Where an endpoint's words begin, by its number within the shard; 0: it has none. */
  readonly #starts = new Uint32Array(1 << shardBits);
  /** The first belongs to no endpoint. */
  #words = new Uint32Array(1024);
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
      if (tally.fitsWords) {
        const wordsNeeded = end + tally.wordCount;
        if (wordsNeeded > this.#words.length) {
          this.#words = grown(this.#words, Math.max(wordsNeeded, this.#words.length * 2));
        }
        this.#starts[endpoint & (this.#starts.length - 1)] = end;
        end = tally.putWords(this.#words, end);
      } else {
        const bytes = Buffer.allocUnsafeSlow(tally.encodedBytesMax);
        this.#encoded.set(endpoint, bytes.subarray(0, tally.encode(bytes, 0)));
        this.#encodedBytes += bytes.length;
      }
      tally.clear();
    }
    this.#words = this.#words.slice(0, end);
  }

  get bytes(): number {
    return this.#starts.byteLength + this.#words.byteLength + this.#encodedBytes;
  }

  /** @returns whether the endpoint has any */
  addTo(tally: Tally, endpoint: number): boolean {
    const start = this.#starts[endpoint & (this.#starts.length - 1)]!;
    if (start !== 0) {
      tally.addWords(this.#words, start);
      return true;
    }
    const bytes = this.#encoded.get(endpoint);
    if (bytes) tally.addEncoded(bytes, 0);
    return bytes !== undefined;
  }
}
