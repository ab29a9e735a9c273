import { finish, mix } from './hash.ts';

/** A number for each triple of numbers: what a Map keyed by strings does, without the strings. */
export class TripleTable {
  #size = 0;
  // Four entries a place: the triple and its value; a value of 0 is a free place.
  #table = new Int32Array(64 * 4);

  get size(): number {
    return this.#size;
  }

  /** @returns 0 when there is none */
  get(a: number, b: number, c: number): number {
    return this.#table[this.#place(this.#table, a, b, c) + 3]!;
  }

  /** @param value any number of 32 bits but 0 */
  set(a: number, b: number, c: number, value: number): void {
    const place = this.#place(this.#table, a, b, c);
    if (this.#table[place + 3] === 0) this.#size += 1;
    this.#put(this.#table, place, a, b, c, value);
    if (this.#size * 8 > this.#table.length) this.#grow();
  }

  clear(): void {
    this.#size = 0;
    this.#table = new Int32Array(64 * 4);
  }

  #place(table: Int32Array, a: number, b: number, c: number): number {
    const mask = table.length - 1;
    let at = (finish(mix(mix(a, b), c)) << 2) & mask;
    while (table[at + 3] !== 0 && (table[at] !== a || table[at + 1] !== b || table[at + 2] !== c)) {
      at = (at + 4) & mask;
    }
    return at;
  }

  #put(table: Int32Array, at: number, a: number, b: number, c: number, value: number): void {
    table[at] = a;
    table[at + 1] = b;
    table[at + 2] = c;
    table[at + 3] = value;
  }

  #grow(): void {
    const old = this.#table;
    const next = new Int32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 4) {
      const value = old[at + 3]!;
      if (value === 0) continue;
      const [a, b, c] = [old[at]!, old[at + 1]!, old[at + 2]!];
      this.#put(next, this.#place(next, a, b, c), a, b, c, value);
    }
    this.#table = next;
  }
}
