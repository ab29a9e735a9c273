import { finish, sameBytes } from '../../intern/hash.ts';

/**
 * Returns, during the walk over a request, whether an earlier SERVER span has the same trace and the same
 * remote parent (docs/extraction.md X16). Costs four loads, a multiplication and a probe per span with a remote
 * parent.
 *
 * Two words of random ids hash well. Under adversarial collisions it returns true (a false positive) after a
 * bounded number of probes; it never returns a false negative.
 */
export class SiblingFilter {
  // Open addressing. Three numbers per slot: generation, offset of the trace id, offset of the parent's id. A
  // slot is used when its generation is the current one.
  #table = new Int32Array(firstPlaces * 4);
  #generation = 1;
  #count = 0;
  #isCrowded = false;

  /** Begins a request: all slots are free. */
  begin(): void {
    if (this.#count === 0) return;
    this.#count = 0;
    this.#isCrowded = false;
    if (this.#table.length > keptPlaces * 4) this.#table = new Int32Array(firstPlaces * 4);
    this.#generation += 1;
    if (this.#generation === 0x7fff_ffff) {
      this.#generation = 1;
      this.#table.fill(0);
    }
  }

  /**
   * @param traceAt offset of the 16 bytes of the trace id, `parentAt` of the 8 of the parent's id
   * @returns whether `sees` had the pair before, since `begin`
   */
  sees(view: DataView, traceAt: number, parentAt: number): boolean {
    if (this.#isCrowded) return true;
    const place = this.#place(view, traceAt, parentAt);
    if (place < 0) {
      this.#isCrowded = true;
      return true;
    }
    const table = this.#table;
    if (table[place] === this.#generation) return true;
    table[place] = this.#generation;
    table[place + 1] = traceAt;
    table[place + 2] = parentAt;
    this.#count += 1;
    if (this.#count * 8 > table.length) this.#grow(view);
    return false;
  }

  /** Whether `sees` had the pair. */
  has(view: DataView, traceAt: number, parentAt: number): boolean {
    if (this.#isCrowded) return true;
    const place = this.#place(view, traceAt, parentAt);
    return place < 0 || this.#table[place] === this.#generation;
  }

  /** The slot of the pair, or a free slot for it; -1 after too many probes. */
  #place(view: DataView, traceAt: number, parentAt: number): number {
    const table = this.#table;
    const generation = this.#generation;
    const mask = table.length - 1;
    let place =
      (finish(view.getInt32(parentAt + 4) ^ Math.imul(view.getInt32(traceAt + 12), odd)) << 2) &
      mask;
    for (let looks = 0; looks < looksMax; looks += 1) {
      if (table[place] !== generation) return place;
      if (
        sameBytes(view, table[place + 2]!, view, parentAt, 8) &&
        sameBytes(view, table[place + 1]!, view, traceAt, 16)
      ) {
        return place;
      }
      place = (place + 4) & mask;
    }
    return -1;
  }

  #grow(view: DataView): void {
    const old = this.#table;
    this.#table = new Int32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 4) {
      if (old[at] !== this.#generation) continue;
      const place = this.#place(view, old[at + 1]!, old[at + 2]!);
      if (place < 0) this.#isCrowded = true;
      else this.#table.set(old.subarray(at, at + 3), place);
    }
  }
}

const firstPlaces = 2048;
/** A larger table is released after its request: 65,536 slots take 1 MiB. */
const keptPlaces = 65_536;
const odd = 0x9e3779b1;
/** At most half of the slots are used: this many neighbours are used by chance once in ten million. */
const looksMax = 48;
