import { grown } from '../../core/column.ts';
import { hashBytes, sameBytes } from './hash.ts';

/**
 * Numbers for byte strings, from 1 on; 0 is the empty string. The bytes are compared with a stored copy,
 * so that a span whose strings were all seen before makes no JavaScript string at all.
 */
export class Interner {
  #size = 0;
  #used = 0;
  // Open addressing, four numbers a slot: a word's number or 0, its hash, where its bytes start, how many.
  // Together, because with a hundred thousand words every other place to look at is a cache miss.
  #table = new Int32Array(firstSlots * 4);
  /** Where each word's bytes end; they start where the word before ends. */
  #ends = new Int32Array(firstSlots / 2);
  #bytes: Buffer = Buffer.alloc(4096);
  #view = viewOf(this.#bytes);

  /** Distinct words. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of all words together. */
  get bytes(): number {
    return this.#used;
  }

  /** What the words weigh against `limits.internedStrings`: a long one as much as several. */
  get weight(): number {
    return this.#size + Math.floor(this.#used / bytesPerWord);
  }

  /** @param view of the message, at whose `start` the word's bytes begin */
  intern(bytes: Buffer, view: DataView, start: number, length: number): number {
    if (length === 0) return 0;
    const hash = hashBytes(view, start, length);
    const table = this.#table;
    const mask = table.length - 1;
    let at = (hash << 2) & mask;
    for (;;) {
      const word = table[at]!;
      if (word === 0) return this.#add(bytes, start, length, hash, at);
      if (
        table[at + 1] === hash &&
        table[at + 3] === length &&
        sameBytes(this.#view, table[at + 2]!, view, start, length)
      ) {
        return word;
      }
      at = (at + 4) & mask;
    }
  }

  /** The number of a string that does not stand in a message. */
  internText(text: string): number {
    const bytes = Buffer.from(text);
    return this.intern(bytes, viewOf(bytes), 0, bytes.length);
  }

  text(word: number): string {
    return word === 0 ? '' : this.#bytes.toString('utf8', this.#ends[word - 1], this.#ends[word]);
  }

  clear(): void {
    this.#size = 0;
    this.#used = 0;
    this.#table = new Int32Array(firstSlots * 4);
    this.#ends = new Int32Array(firstSlots / 2);
    this.#bytes = Buffer.alloc(4096);
    this.#view = viewOf(this.#bytes);
  }

  #add(bytes: Buffer, start: number, length: number, hash: number, at: number): number {
    if (this.#used + length > this.#bytes.length) this.#growBytes(this.#used + length);
    bytes.copy(this.#bytes, this.#used, start, start + length);
    this.#size += 1;
    const word = this.#size;
    this.#table[at] = word;
    this.#table[at + 1] = hash;
    this.#table[at + 2] = this.#used;
    this.#table[at + 3] = length;
    this.#used += length;
    if (word >= this.#ends.length) this.#ends = grown(this.#ends, 2 * this.#ends.length);
    this.#ends[word] = this.#used;
    if (word * 8 > this.#table.length) this.#growTable();
    return word;
  }

  #growBytes(needed: number): void {
    const next = Buffer.alloc(Math.max(this.#bytes.length * 2, needed));
    this.#bytes.copy(next, 0, 0, this.#used);
    this.#bytes = next;
    this.#view = viewOf(next);
  }

  #growTable(): void {
    const table = this.#table;
    const next = new Int32Array(table.length * 2);
    const mask = next.length - 1;
    for (let from = 0; from < table.length; from += 4) {
      if (table[from] === 0) continue;
      let at = (table[from + 1]! << 2) & mask;
      while (next[at] !== 0) at = (at + 4) & mask;
      for (let i = 0; i < 4; i += 1) next[at + i] = table[from + i]!;
    }
    this.#table = next;
  }
}

const firstSlots = 256;

/** Of a usual word; the bound on their number is one on memory. */
export const bytesPerWord = 64;

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
