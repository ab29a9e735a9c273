import { grown } from './column.ts';

/**
 * The sampling weight of a call, OpenTelemetry's adjusted count: the number of calls that its span represents
 * (docs/decisions/0006-sampling.md). 1 without sampling, else up to `limits.callWeight`. 0 for a span that was
 * recorded beside the sampled ones (`ot=p:63`): it shows that its endpoint is alive, and sampled spans already
 * count its call.
 */

/** Weights are rounded to multiples of this, so sums up to 2^37 calls are exact in any order. The rounding error
 *  of a weight is at most one part in 130,000. */
export const weightUnit = 2 ** -16;

export function roundedWeight(weight: number): number {
  return Math.round(weight / weightUnit) * weightUnit;
}

/**
 * The weight as a whole number, for histograms (stochastic rounding): the integer part, plus 1 with the
 * probability of the fraction. The sum over many calls approaches the sum of their weights.
 * @param chance in [0, 1), always the same for the same span
 */
export function copiesOf(weight: number, chance: number): number {
  const whole = Math.floor(weight);
  return chance < weight - whole ? whole + 1 : whole;
}

/** One call's part of the variance of the sum of weights: w² − w (Horvitz and Thompson 1952). */
export function varianceOf(weight: number): number {
  return weight * (weight - 1);
}

/** The calls of a batch whose weight is not 1, ascending by call: the first `length` entries of each column. */
export interface WeightColumns {
  length: number;
  call: Int32Array;
  weight: Float64Array;
  /** `copiesOf` the weight. */
  copies: Float64Array;
}

const noNumbers = new Float64Array(0);

/** Grows as calls are added; allocates nothing while it is empty. */
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

  /** Removes the calls from index `calls` on. */
  truncate(calls: number): void {
    while (this.length > 0 && this.call[this.length - 1]! >= calls) this.length -= 1;
  }

  /** Forgets calls and moves those behind them up. @param calls ascending */
  remove(calls: readonly number[]): void {
    let kept = 0;
    let before = 0;
    for (let i = 0; i < this.length; i += 1) {
      const call = this.call[i]!;
      while (before < calls.length && calls[before]! < call) before += 1;
      if (calls[before] === call) continue;
      this.call[kept] = call - before;
      this.weight[kept] = this.weight[i]!;
      this.copies[kept] = this.copies[i]!;
      kept += 1;
    }
    this.length = kept;
  }

  #grow(): void {
    const capacity = Math.max(256, this.length * 2);
    this.call = grown(this.call, capacity);
    this.weight = grown(this.weight, capacity);
    this.copies = grown(this.copies, capacity);
  }
}
