import { randomFillSync } from 'node:crypto';

/**
 * Maps digests to the rows of the store that may hold them. Open addressing, 12 bytes an entry: a Map takes a
 * hundred, and there may be millions. An entry holds 8 of a digest's 16 bytes, so the caller compares the digest
 * with the row.
 */
export class DigestTable {
  #high = new Uint32Array(firstSlots);
  #low = new Uint32Array(firstSlots);
  /** 0 in an empty slot. */
  #row = new Uint32Array(firstSlots);
  size = 0;

  /** @param high any 32 bits of the digest, and `low` others. @param row from 1 on, below 2^32 */
  add(high: number, low: number, row: number): void {
    if (this.size >= this.#row.length / 2) this.#grow();
    this.#put(high, low, row);
    this.size += 1;
  }

  /** Whether `accept` returns true for a row that may hold the digest. */
  some(high: number, low: number, accept: (row: number) => boolean): boolean {
    const mask = this.#row.length - 1;
    for (let slot = placeOf(high, low) & mask; this.#row[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#low[slot] === low && this.#high[slot] === high && accept(this.#row[slot]!)) {
        return true;
      }
    }
    return false;
  }

  #put(high: number, low: number, row: number): void {
    const mask = this.#row.length - 1;
    let slot = placeOf(high, low) & mask;
    while (this.#row[slot] !== 0) slot = (slot + 1) & mask;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#row[slot] = row;
  }

  #grow(): void {
    const high = this.#high;
    const low = this.#low;
    const row = this.#row;
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(high.length * 2);
    this.#row = new Uint32Array(high.length * 2);
    for (let slot = 0; slot < row.length; slot++) {
      if (row[slot] !== 0) this.#put(high[slot]!, low[slot]!, row[slot]!);
    }
  }
}

const firstSlots = 1024;

/**
 * Multilinear hashing under factors that no sender knows: senders choose their digests, and 144 MiB
 * of messages whose digests shared their low bits cost 81 s.
 */
function placeOf(high: number, low: number): number {
  const sum =
    Math.imul(low & 0xffff, factors[0]!) +
    Math.imul(low >>> 16, factors[1]!) +
    Math.imul(high & 0xffff, factors[2]!) +
    Math.imul(high >>> 16, factors[3]!);
  const mixed = Math.imul((sum | 0) ^ ((sum | 0) >>> 15), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

const factors = randomFillSync(new Int32Array(4));
