/**
 * A seeded random generator (sfc32 of PractRand, 128 bits of state): the demo, tests and benches repeat a
 * run by its seed. Not for secrets.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0x9e3779b9 | 0;
  #counter = 1;

  /** @param seeds any integers; the same seeds give the same sequence, neighbouring ones unrelated sequences */
  constructor(...seeds: readonly [number, ...number[]]) {
    for (const seed of seeds) {
      this.#a ^= seed | 0;
      this.#b ^= Math.floor(seed / 2 ** 32) | 0;
      for (let round = 0; round < 12; round += 1) this.u32();
    }
  }

  /** A whole number in [0, 2^32). */
  u32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    return this.u32() / 2 ** 32;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** A shuffled copy (Fisher and Yates). */
  shuffled<T>(list: readonly T[]): T[] {
    const all = [...list];
    for (let i = all.length - 1; i > 0; i -= 1) {
      const j = this.below(i + 1);
      [all[i], all[j]] = [all[j] as T, all[i] as T];
    }
    return all;
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i += 1) out[i] = this.u32() >>> 24;
    return out;
  }

  /** A standard normal deviate (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** The distribution of response times: most near the median, a long tail. `sigma` 0.3 is narrow, 1 wide. */
  lognormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }

  /** How often an event happens that happens `mean` times on average (Knuth); for means of a few thousand. */
  poisson(mean: number): number {
    let count = 0;
    // exp(-745) is 0: a larger mean is the sum of smaller ones.
    for (let left = mean; left > 0; left -= 500) {
      const floor = Math.exp(-Math.min(left, 500));
      for (let product = this.next(); product > floor; product *= this.next()) count += 1;
    }
    return count;
  }
}
