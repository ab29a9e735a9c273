import { limits } from '../../../core/limits.ts';
import type { Distribution, EndpointRecord } from '../../../core/store/store.ts';
import type { CallUsage } from '../../../core/usage/usage.ts';
import { emptyUsage, errorRatePct, percentileMs } from '../figures.ts';
import {
  type Difference,
  durationDifference,
  errorDifference,
  loadOf,
  pOf,
  type Sample,
} from './change.ts';
import { adjustedP } from './statistics.ts';

/** One endpoint in two windows, or of two versions, and what may be said of the difference. */

export const verdicts = ['worse', 'better', 'same', 'too_little_data'] as const;
export type Verdict = (typeof verdicts)[number];

/** A window or the range of a version is cut into so many intervals, to see how much calls vary within it. */
export const intervalsMost = 36;

/** One side of a comparison, by endpoint id. */
export interface ComparedSide {
  usages: ReadonlyMap<string, CallUsage>;
  /** Of each interval. */
  intervals: readonly ReadonlyMap<string, Distribution>[];
}

export const noSide: ComparedSide = { usages: new Map(), intervals: [] };

/** Endpoints that were cut into the same intervals. */
export interface ComparedGroup {
  endpoints: readonly EndpointRecord[];
  before: ComparedSide;
  after: ComparedSide;
  /** The intervals of both sides correspond, one by one: at the same time, or the same time of day. */
  isPaired: boolean;
}

export interface Comparison {
  endpoint: EndpointRecord;
  before: CallUsage;
  after: CallUsage;
  verdict: Verdict;
  duration: Finding;
  errors: Finding;
}

export interface Finding {
  verdict: Verdict;
  /** Adjusted over all endpoints; null without a test. */
  p: number | null;
}

/**
 * At most this share of the endpoints that are called worse or better is expected to be a false alarm; where nothing
 * changed anywhere, one answer in a hundred has any.
 */
export const falseDiscoveryRate = 0.01;

/** A median, a 95th percentile or an error rate that moved by less is the same, however sure the difference is. */
const leastChange = { duration: 0.05, errors: 0.1 } as const;

/** Every endpoint that was called on one of the sides. The p-values are adjusted over all groups together. */
export function compared(groups: readonly ComparedGroup[]): Comparison[] {
  const pairs = groups.flatMap(({ endpoints, before, after, isPaired }) =>
    endpoints
      .filter(({ id }) => before.usages.has(id) || after.usages.has(id))
      .map((endpoint) => pairOf(endpoint, before, after, isPaired)),
  );
  const durations = differencesOf(pairs.map(({ duration }) => duration));
  const errors = differencesOf(pairs.map((pair) => pair.errors));
  const durationLoad = loadOf(durations);
  const errorLoad = loadOf(errors);
  // Durations and errors rise and fall with the same load; errors alone are often too few to show it.
  const memory = Math.max(durationLoad.memory, errorLoad.memory);
  const differences = [...durations, ...errors];
  const adjusted = adjustedP([
    ...durations.map((difference) => pOf(difference, { ...durationLoad, memory })),
    ...errors.map((difference) => pOf(difference, { ...errorLoad, memory })),
  ]);
  const pByDifference = new Map(differences.map((difference, n) => [difference, adjusted[n]!]));
  return pairs.map((pair) => {
    const { endpoint } = pair;
    const duration = findingOf(pair.duration, pByDifference, hasMoved(pair.before, pair.after));
    const error = findingOf(pair.errors, pByDifference, rateHasMoved(pair.before, pair.after));
    const verdict = verdictOf([duration.verdict, error.verdict]);
    return { endpoint, before: pair.before, after: pair.after, verdict, duration, errors: error };
  });
}

const differencesOf = (tests: readonly Test[]): Difference[] =>
  tests.filter((test) => typeof test === 'object');

/** `undefined`: there is no difference at all. */
type Test = Difference | undefined | 'too_little_data';

interface Pair {
  endpoint: EndpointRecord;
  before: CallUsage;
  after: CallUsage;
  duration: Test;
  errors: Test;
}

function pairOf(
  endpoint: EndpointRecord,
  before: ComparedSide,
  after: ComparedSide,
  isPaired: boolean,
): Pair {
  const { id } = endpoint;
  const was = before.usages.get(id) ?? emptyUsage;
  const is = after.usages.get(id) ?? emptyUsage;
  const samples = {
    before: samplesOf(before, id),
    after: samplesOf(after, id),
    isPaired,
    weighting: Math.max(weightingOf(was), weightingOf(is)),
  };
  const isEnough = (count: (sample: Sample) => number) =>
    hasEnough(samples.before, count) && hasEnough(samples.after, count);
  const timedCalls = ({ durations }: Sample) =>
    durations.reduce((sum, { calls }) => sum + calls, 0);
  return {
    endpoint,
    before: was,
    after: is,
    duration: isEnough(timedCalls) ? durationDifference(samples) : 'too_little_data',
    errors: isEnough(({ calls }) => calls) ? errorDifference(samples) : 'too_little_data',
  };
}

function samplesOf({ intervals }: ComparedSide, id: string): Sample[] {
  return intervals.map((byEndpoint) => byEndpoint.get(id) ?? noCalls);
}

const noCalls: Sample = { calls: 0, errors: 0, durations: [] };

/** Fewer intervals with calls do not show how they vary. */
const fewestIntervals = 6;

function hasEnough(samples: readonly Sample[], count: (sample: Sample) => number): boolean {
  const counts = samples.map(count).filter((calls) => calls > 0);
  const calls = counts.reduce((sum, n) => sum + n, 0);
  return counts.length >= fewestIntervals && calls >= limits.comparedCalls;
}

/** Σ w² of Σ w: weights make a sum vary more than as many whole calls would. */
function weightingOf({ calls, sampling }: CallUsage): number {
  return sampling === undefined || calls === 0 ? 1 : (calls + sampling.variance) / calls;
}

function findingOf(
  test: Test,
  adjusted: ReadonlyMap<Difference, number>,
  isMoved: boolean,
): Finding {
  if (test === 'too_little_data') return { verdict: test, p: null };
  if (test === undefined) return { verdict: 'same', p: null };
  const p = adjusted.get(test)!;
  if (p > falseDiscoveryRate || !isMoved) return { verdict: 'same', p };
  return { verdict: test.delta > 0 ? 'worse' : 'better', p };
}

/** Slower and failing less is worse. */
function verdictOf(findings: readonly Verdict[]): Verdict {
  return verdicts.find((verdict) => findings.includes(verdict))!;
}

function hasMoved(before: CallUsage, after: CallUsage): boolean {
  return ([50, 95] as const).some((percentile) => {
    const was = percentileMs(before, percentile);
    const is = percentileMs(after, percentile);
    return was !== null && is !== null && Math.abs(is - was) >= leastChange.duration * was;
  });
}

function rateHasMoved(before: CallUsage, after: CallUsage): boolean {
  const [was, is] = [errorRatePct(before) ?? 0, errorRatePct(after) ?? 0];
  return Math.abs(is - was) >= leastChange.errors * was;
}
