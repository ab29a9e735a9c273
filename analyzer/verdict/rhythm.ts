import { type DaySet, daysOf } from '../../core/day-set.ts';
import { dayMs, type Gap } from './observation.ts';

/** How an endpoint was used: the days of its use, measured in days in which its service was observed. */
export interface Rhythm {
  /** Days with a use. */
  useDays: number;
  /** Days since the epoch: of the first, the last but one and the last of them. */
  firstDay: number;
  lastDayBefore: number;
  lastDay: number;
  /** Observed days from the first to the last day of use. */
  lifeDays: number;
  /** Observed days between neighbouring days of use: the longest gap, and the coefficient of variation. */
  longestGapDays: number;
  variation: number;
  /** Runs of days of use, each apart from the next by more than a third of the longest gap. */
  episodes: number;
  /** Observed days from the start of the first to the start of the last episode. */
  episodesDays: number;
  /** Mean of the last three gaps. */
  latestGapDays: number;
  /** Share of the gaps of at most two days. */
  shortGaps: number;
  /** Laplace's test of a trend: standard deviations by which the mean day of use lies after the middle of its life;
   *  below 0 the use fades. */
  trend: number;
  /** Where episodes come regularly: the days from one to the next, and when the next is expected. */
  period?: { days: number; expectedDay: number };
}

/** Regular episodes that make a rhythm. */
const rhythmEpisodes = 3;
/** Episodes are regular when this share of their distances is near the median, at most so far from it. */
const regularShare = 0.75;
const regularDistance = 0.35;
/** Episodes that say what the rhythm is now. */
const latestEpisodes = 12;
const leastPeriodDays = 2;
const leastEpisodeGapDays = 1;
const shortGapDays = 2;

const cache = new WeakMap<DaySet, { gaps: readonly Gap[]; rhythm: Rhythm }>();

/** Undefined without a day of use. @param gaps in the observation of the service */
export function rhythmOf(set: DaySet, gaps: readonly Gap[]): Rhythm | undefined {
  if (set.bits.length === 0) return undefined;
  const cached = cache.get(set);
  if (cached !== undefined && (cached.gaps === gaps || cached.gaps.length + gaps.length === 0)) {
    return cached.rhythm;
  }
  const rhythm = rhythmOfDays(daysOf(set), gaps);
  cache.set(set, { gaps, rhythm });
  return rhythm;
}

/** @param days ascending, at least one */
export function rhythmOfDays(days: readonly number[], gaps: readonly Gap[]): Rhythm {
  const observed = observedDays(days, gaps);
  const { length } = days;
  const firstDay = days[0]!;
  const lastDay = days[length - 1]!;
  let longest = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 1; i < length; i++) {
    const gap = observed[i]! - observed[i - 1]!;
    longest = Math.max(longest, gap);
    sum += gap;
    squares += gap * gap;
  }
  let short = 0;
  let positions = 0;
  for (let i = 1; i < length; i++) {
    if (observed[i]! - observed[i - 1]! <= shortGapDays) short += 1;
    if (i < length - 1) positions += observed[i]! - observed[0]!;
  }
  const count = Math.max(1, length - 1);
  // The first and the last day of use are the ends of its life: only days between them show a trend.
  const between = length - 2;
  const mean = sum / count;
  const variance = Math.max(0, squares / count - mean * mean);
  const latest = Math.min(3, length - 1);
  const starts = [0];
  for (let i = 1; i < length; i++) {
    const gap = observed[i]! - observed[i - 1]!;
    if (gap > Math.max(leastEpisodeGapDays, longest / 3)) starts.push(i);
  }
  const period = periodOf(days, observed, starts);
  return {
    useDays: length,
    firstDay,
    lastDayBefore: days[length - 2] ?? firstDay,
    lastDay,
    lifeDays: observed[length - 1]! - observed[0]!,
    longestGapDays: longest,
    variation: mean === 0 ? 0 : Math.sqrt(variance) / mean,
    shortGaps: short / count,
    trend: between < 2 ? 0 : (positions / between / sum - 0.5) * Math.sqrt(12 * between),
    episodes: starts.length,
    episodesDays: observed[starts.at(-1)!]! - observed[0]!,
    latestGapDays:
      latest === 0 ? 0 : (observed[length - 1]! - observed[length - 1 - latest]!) / latest,
    ...(period && { period }),
  };
}

/** The days on an axis without the gaps. */
function observedDays(days: readonly number[], gaps: readonly Gap[]): readonly number[] {
  if (gaps.length === 0) return days;
  let next = 0;
  let missedMs = 0;
  return days.map((day) => {
    for (; next < gaps.length && gaps[next]!.toMs <= (day + 1) * dayMs; next++) {
      missedMs += gaps[next]!.toMs - gaps[next]!.fromMs;
    }
    return day - missedMs / dayMs;
  });
}

/** @param starts indexes of the first days of episodes */
function periodOf(
  days: readonly number[],
  observed: readonly number[],
  starts: readonly number[],
): Rhythm['period'] {
  const latest = starts.slice(-latestEpisodes - 1);
  if (latest.length < rhythmEpisodes) return undefined;
  const distances = latest.slice(1).map((start, i) => observed[start]! - observed[latest[i]!]!);
  const median = distances.toSorted((a, b) => a - b)[distances.length >> 1]!;
  if (median < leastPeriodDays) return undefined;
  const near = distances.filter((days) => Math.abs(days - median) <= regularDistance * median);
  if (near.length < 2 || near.length < regularShare * distances.length) return undefined;
  // An endpoint that is used for most of the time has no pauses to tell of.
  const lastStart = latest.at(-1)!;
  const isLong = days.length - lastStart > median / 2;
  const isDense = days.length - latest[0]! > (latest.length * median) / 2;
  if (isLong || isDense) return undefined;
  const rounded = Math.round(median);
  return { days: rounded, expectedDay: days[lastStart]! + rounded };
}
