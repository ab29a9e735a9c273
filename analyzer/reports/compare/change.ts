import type { DurationBucket } from '../../../core/usage/usage.ts';
import { fisherP, normalP, studentP } from './statistics.ts';

/**
 * Whether calls of an endpoint differ between two windows by more than chance.
 *
 * Calls that follow each other are alike: they meet the same load, the same cold cache, the same outage. A test that
 * takes 10,000 calls for 10,000 independent ones finds a difference between any two hours. So each window is cut
 * into intervals, and the variance of a difference is estimated from how much intervals differ (a cluster-robust
 * variance), unless that is less than independent calls would give. Intervals at the same time of day are paired, so
 * that a cycle of the day is no variance. Where neighbouring intervals are alike too, they count as fewer intervals.
 */

/** The calls of one interval. */
export interface Sample {
  calls: number;
  errors: number;
  /** Shortest first; without the calls that have no latency. */
  durations: readonly DurationBucket[];
}

export interface Difference {
  /** Of the means of both windows: above 0 when the later window has more. */
  delta: number;
  /** Its variance if calls were independent. */
  independent: number;
  /** What each interval, or pair of intervals, adds to the difference beyond its share, in the order of time. */
  deviations: number[];
  /** Means that were taken from the deviations: 1 for pairs, else 2. */
  means: 1 | 2;
  /** Half the harmonic mean of the calls of both windows. */
  calls: number;
  /** The p-value cannot be less, by an exact test. */
  leastP: number;
}

/** How intervals vary beyond chance, as all endpoints together show it: one alone has too few intervals to tell. */
export interface Load {
  /** Correlation of an interval's excess with that of the next, from 0 to `memoryMost`. */
  memory: number;
  /** Variance above that of independent calls, as a share of it and for each call. */
  excessPerCall: number;
}

/** Where fewer errors are expected in a window, the normal distribution is no good approximation. */
const exactBelow = 10;

export interface ComparedSamples {
  /** Intervals in the order of time. */
  before: readonly Sample[];
  after: readonly Sample[];
  /** The intervals of both windows correspond, one by one. */
  isPaired: boolean;
  /** The variance of counts by weights against that of whole calls; 1 without sampling. */
  weighting: number;
}

/**
 * The rank test of Mann and Whitney on the histograms: calls of one bucket share their middle rank.
 * @returns undefined where all calls took equally long
 */
export function durationDifference(compared: ComparedSamples): Difference | undefined {
  const { before, after, weighting } = compared;
  const ranks = new Map<number, number>();
  const totals = new Map<number, number>();
  for (const { durations } of [...before, ...after]) {
    for (const { us, calls } of durations) totals.set(us, (totals.get(us) ?? 0) + calls);
  }
  let all = 0;
  let ties = 0;
  for (const [us, calls] of [...totals].sort(([a], [b]) => a - b)) {
    ranks.set(us, all + (calls + 1) / 2);
    all += calls;
    ties += calls ** 3 - calls;
  }
  const rankSums = (samples: readonly Sample[]): Cluster[] =>
    samples.map(({ durations }) => {
      let size = 0;
      let sum = 0;
      for (const { us, calls } of durations) {
        size += calls;
        sum += calls * ranks.get(us)!;
      }
      return { size, sum };
    });
  const [a, b] = [rankSums(before), rankSums(after)];
  // Of the difference between mean ranks: that of U, (mn/12)(N + 1 − Σ(t³ − t)/(N(N − 1))), times (N/mn)².
  const scale = (all * all) / (12 * sizeOf(a) * sizeOf(b));
  const independent = scale * (all + 1 - ties / (all * (all - 1))) * weighting;
  return differenceOf(a, b, compared, independent);
}

/** The test of two proportions, exact where errors are few. @returns undefined where all or none failed */
export function errorDifference(compared: ComparedSamples): Difference | undefined {
  const { before, after, weighting } = compared;
  const errorSums = (samples: readonly Sample[]): Cluster[] =>
    samples.map(({ calls, errors }) => ({ size: calls, sum: errors }));
  const [a, b] = [errorSums(before), errorSums(after)];
  const [m, n] = [sizeOf(a), sizeOf(b)];
  const [errorsBefore, errorsAfter] = [sumOf(a), sumOf(b)];
  const share = (errorsBefore + errorsAfter) / (m + n);
  const independent = share * (1 - share) * (1 / m + 1 / n) * weighting;
  const difference = differenceOf(a, b, compared, independent);
  const expected = Math.min(m, n) * Math.min(share, 1 - share);
  if (difference === undefined || weighting > 1 || expected >= exactBelow) return difference;
  return { ...difference, leastP: fisherP(errorsBefore, m, errorsAfter, n) };
}

/** Calls of one interval: how many, and the sum of their ranks or errors. */
interface Cluster {
  size: number;
  sum: number;
}

function differenceOf(
  before: readonly Cluster[],
  after: readonly Cluster[],
  { isPaired }: ComparedSamples,
  independent: number,
): Difference | undefined {
  if (!(independent > 0)) return undefined;
  const [a, b] = [deviationsOf(before), deviationsOf(after)];
  const deviations = isPaired ? b.map((of, n) => of - a[n]!) : [...a, ...b];
  return {
    delta: meanOf(after) - meanOf(before),
    independent,
    deviations: deviations.filter((_, n) => {
      const clusters = isPaired ? [before[n]!, after[n]!] : [[...before, ...after][n]!];
      return clusters.some(({ size }) => size > 0);
    }),
    means: isPaired ? 1 : 2,
    calls: (sizeOf(before) * sizeOf(after)) / (sizeOf(before) + sizeOf(after)),
    leastP: 0,
  };
}

function deviationsOf(clusters: readonly Cluster[]): number[] {
  const [mean, size] = [meanOf(clusters), sizeOf(clusters)];
  return clusters.map((cluster) => (cluster.sum - cluster.size * mean) / size);
}

/** Neighbouring intervals are not taken for more alike than this: it leaves a twentieth of them. */
const memoryMost = 0.9;

export const noLoad: Load = { memory: 0, excessPerCall: 0 };

export function loadOf(differences: readonly Difference[]): Load {
  let products = 0;
  let squares = 0;
  let independentSquares = 0;
  let intervals = 0;
  let allCalls = 0;
  for (const { deviations, independent, means, calls } of differences) {
    intervals += deviations.length / differences.length;
    independentSquares += (deviations.length - means) / deviations.length;
    allCalls += calls;
    for (const [n, deviation] of deviations.entries()) {
      squares += deviation ** 2 / independent;
      products += (deviation * (deviations[n + 1] ?? 0)) / independent;
    }
  }
  const excess = squares - independentSquares;
  // Three standard errors: independent calls show no more by chance.
  const chance = 3 * Math.sqrt(2 / (intervals * differences.length)) * independentSquares;
  if (intervals <= 4 || excess < chance) return noLoad;
  // The mean is taken from the same intervals, which makes a correlation seem less (Kendall 1954).
  const seen = ((products / squares) * intervals) / (intervals - 1);
  const corrected = (seen + 1 / intervals) / (1 - 3 / intervals);
  const memory = Math.min(memoryMost, Math.max(0, (corrected * squares) / excess));
  return { memory, excessPerCall: excess / allCalls };
}

/**
 * The variance of a difference is that of independent calls, and the excess that its intervals show: its own, or the
 * one that all endpoints lead to expect, whichever is more. @returns the two-sided p-value
 */
export function pOf(
  { delta, independent, deviations, means, calls, leastP }: Difference,
  { memory, excessPerCall }: Load,
): number {
  const squares = deviations.reduce((sum, deviation) => sum + deviation ** 2, 0);
  const free = deviations.length - means;
  const own = (deviations.length / free) * squares - independent;
  const excess = Math.max(own, excessPerCall * calls * independent);
  // Of a first-order autoregressive process: its mean varies more by this factor, and its variance is known as well
  // as from fewer independent values (Bayley and Hammersley 1946).
  const inflation = (1 + memory) / (1 - memory);
  const degreesOfFreedom = (free * (1 - memory ** 2)) / (1 + memory ** 2);
  const p =
    excess > 0
      ? studentP(delta / Math.sqrt(independent + excess * inflation), degreesOfFreedom)
      : normalP(delta / Math.sqrt(independent));
  return Math.max(leastP, p);
}

const sizeOf = (clusters: readonly Cluster[]): number =>
  clusters.reduce((all, { size }) => all + size, 0);
const sumOf = (clusters: readonly Cluster[]): number =>
  clusters.reduce((all, { sum }) => all + sum, 0);
const meanOf = (clusters: readonly Cluster[]): number => sumOf(clusters) / sizeOf(clusters);
