/** The demo's dice: seeded, so that a shop can be met again. */
export class Chance {
  #state: Int32Array;

  /** @param keys whole numbers; the same keys give the same sequence, neighbouring ones unrelated ones */
  constructor(...keys: number[]) {
    this.#state = new Int32Array([0x9e3779b9, 0x243f6a88, 0xb7e15162, 1]);
    for (const key of keys) {
      this.#state[0]! ^= key;
      this.#state[1]! ^= Math.floor(key / 2 ** 32);
      for (let round = 0; round < 12; round += 1) this.u32();
    }
  }

  /** A whole number in [0, 2^32), by sfc32 of PractRand: 128 bits of state, so that streams do not meet. */
  u32(): number {
    const state = this.#state;
    const [a, b, c, counter] = state as unknown as [number, number, number, number];
    const sum = (a + b + counter) | 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** In [0, 1). */
  fraction(): number {
    return this.u32() / 2 ** 32;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    const out = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at += 4) out.writeUInt32LE(this.u32(), at);
    return out;
  }

  /** Response times: most near the median, a long tail; `spread` 0.3 is calm, 1 is wild. */
  longTailed(median: number, spread: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.fraction()));
    return median * Math.exp(spread * radius * Math.cos(2 * Math.PI * this.fraction()));
  }

  /** How often something happens that happens `mean` times on average; a few thousand at the most. */
  times(mean: number): number {
    let count = 0;
    for (let left = mean; left > 0; left -= 500) {
      const floor = Math.exp(-Math.min(left, 500));
      for (let product = this.fraction(); product > floor; product *= this.fraction()) count += 1;
    }
    return count;
  }
}
