/**
 * A call's weight: how many calls its span stands for when sampling left others out (docs/extraction.md 3). 1 for
 * nearly all; else from 1 to `limits.callWeight`, or 0 for a span that was recorded beside the sampled ones
 * (`ot=p:63`): it proves its endpoint alive, and the calls it belongs to are counted by others.
 */

/** Weights are multiples of this: sums of them are exact in any order, up to 2^37 calls. A weight just
 *  above 1 is off by at most one part in 130,000. */
export const weightUnit = 2 ** -16;

export function roundedWeight(weight: number): number {
  return Math.round(weight / weightUnit) * weightUnit;
}

/**
 * The weight as a whole number, for histograms: the integer part, and one more as often as the fraction
 * says, so that many calls together count as their weights do.
 * @param chance in [0, 1), the same for the same span whenever it is asked
 */
export function copiesOf(weight: number, chance: number): number {
  const whole = Math.floor(weight);
  return chance < weight - whole ? whole + 1 : whole;
}

/** What one call adds to the variance of the sum of weights: w² − w (Horvitz and Thompson 1952). */
export function varianceOf(weight: number): number {
  return weight * (weight - 1);
}

/** Those calls of a batch whose weight is not 1, ascending by call: the first `length` of each column. */
export interface WeightColumns {
  length: number;
  call: Int32Array;
  weight: Float64Array;
  /** `copiesOf` the weight. */
  copies: Float64Array;
}

const noNumbers = new Float64Array(0);

/** Grows with what is added; takes no memory while there is nothing. */
export class CallWeights implements WeightColumns {
  length = 0;
  call = new Int32Array(0);
  weight: Float64Array = noNumbers;
  copies: Float64Array = noNumbers;

  /** @param call greater than any added before */
  add(call: number, weight: number, copies: number): void {
    if (this.length === this.call.length) this.#grow();
    this.call[this.length] = call;
    this.weight[this.length] = weight;
    this.copies[this.length] = copies;
    this.length += 1;
  }

  /** Forgets calls from `calls` on. */
  truncate(calls: number): void {
    while (this.length > 0 && this.call[this.length - 1]! >= calls) this.length -= 1;
  }

  #grow(): void {
    const capacity = Math.max(256, this.length * 2);
    const call = new Int32Array(capacity);
    call.set(this.call);
    this.call = call;
    this.weight = grown(this.weight, capacity);
    this.copies = grown(this.copies, capacity);
  }
}

function grown(numbers: Float64Array, capacity: number): Float64Array {
  const next = new Float64Array(capacity);
  next.set(numbers);
  return next;
}
