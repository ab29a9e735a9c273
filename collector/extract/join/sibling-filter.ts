import { finish, sameBytes } from '../../intern/hash.ts';

/**
 * Tells, while a request is walked, whether an earlier SERVER span of it has the same trace and the same
 * remote parent (docs/extraction.md X16): for each span that has a remote parent four loads, a product and a look.
 *
 * Two words of ids that are random hash well. Whoever chooses them so that they collide is told that there
 * may be such a span after a bounded number of looks: answers are true too often then, and never too late.
 */
export class SiblingFilter {
  // Open addressing, three numbers a place: generation, where the trace's id lies, where the parent's.
  // A place is taken when its generation is the current one.
  #table = new Int32Array(firstPlaces * 4);
  #generation = 1;
  #count = 0;
  #isCrowded = false;

  /** Forgets the last request's spans. */
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
   * @param traceAt where the 16 bytes of the trace's id lie, `parentAt` the 8 of the parent's
   * @returns whether there was such a span since `begin`
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

  /** Whether `sees` was told of it. */
  has(view: DataView, traceAt: number, parentAt: number): boolean {
    if (this.#isCrowded) return true;
    const place = this.#place(view, traceAt, parentAt);
    return place < 0 || this.#table[place] === this.#generation;
  }

  /** The place of the pair, or a free one for it; -1 when there are too many others. */
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
/** A larger table is let go after its request: 65,536 places take 1 MiB. */
const keptPlaces = 65_536;
const odd = 0x9e3779b1;
/** At most half of the places are taken: so many neighbours are taken by chance once in ten million. */
const looksMax = 48;
