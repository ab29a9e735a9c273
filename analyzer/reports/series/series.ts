import { z } from 'zod';
import type { Coverage, Selection, Snapshot } from '../../../core/store/store.ts';
import type { CallUsage, Usage } from '../../../core/usage/usage.ts';
import { dayS, hourS, isoTime, minuteS, type Window } from '../../../core/window.ts';
import { glanceInterval, type Interval, intervalStarts } from '../../query/calendar.ts';
import { count, millisecondsOrNull, percentOrNull, time } from '../../query/schema.ts';
import { tableOf } from '../../query/table.ts';
import { averageMs, countOf, errorCount, errorRatePct, percent, percentileMs } from '../figures.ts';

/** Intervals of time that a window is cut into. */
export interface SeriesIntervals {
  /** Starts of the intervals. The first may lie before the window. */
  startsS: number[];
  /** Their edges within the window, one more than intervals, where the store can cut. */
  edgesS: number[];
  /** Some edge of a zone fell between the steps that are kept, and was moved to the nearest. */
  isMoved: boolean;
}

/** Usage by interval of time. */
export interface Series extends SeriesIntervals {
  /** One for each interval. */
  usages: Usage[];
  /** A zone's edges fall between the steps that are kept of the window, or calls were sampled. */
  isEstimated: boolean;
}

export interface SeriesEntry {
  startS: number;
  usage: CallUsage;
  /** Of a group whose durations and statuses are not kept: the usage is then empty. */
  counted?: { calls: number; errors: number };
  /** Of a grouped series. */
  group?: string;
  /** Where the query gave a threshold; null where no call has a latency. */
  apdex?: number | null;
}

export function seriesEntries({ startsS, usages }: Series): SeriesEntry[] {
  return usages.map((usage, n) => ({ startS: startsS[n]!, usage }));
}

/** One interval. The first and last intervals hold only the calls that are in the window. */
export const pointTable = tableOf<SeriesEntry>()('SeriesPoint', {
  timestamp: {
    type: time,
    about: 'start of the interval',
    value: ({ startS }) => isoTime(startS * 1000),
    brief: true,
  },
  group: {
    type: z.string().optional(),
    about: 'of a grouped series: one of `groups`; absent without group_by=',
    value: ({ group }) => group,
    brief: true,
    sparse: true,
  },
  calls: {
    type: count,
    about: 'calls in the interval',
    value: ({ usage, counted }) => countOf((counted ?? usage).calls),
    brief: true,
  },
  errors: {
    type: count,
    about: 'of those, statuses of 400 or more',
    value: ({ usage, counted }) => (counted ? countOf(counted.errors) : errorCount(usage)),
    brief: true,
  },
  error_4xx_count: {
    type: count.nullable(),
    about: 'of those, statuses 400 to 499; null by consumer: it is not kept',
    value: ({ usage, counted }) => (counted ? null : countOf(usage.errors4xx)),
    brief: true,
  },
  error_5xx_count: {
    type: count.nullable(),
    about: 'of those, statuses from 500; null by consumer: it is not kept',
    value: ({ usage, counted }) => (counted ? null : countOf(usage.errors5xx)),
    brief: true,
  },
  error_rate_pct: {
    type: percentOrNull,
    about: 'null without calls',
    value: ({ usage, counted }) =>
      counted ? percent(counted.errors, counted.calls) : errorRatePct(usage),
    brief: true,
  },
  avg_duration_ms: {
    type: millisecondsOrNull,
    about: 'null without calls',
    value: ({ usage }) => averageMs(usage),
    brief: true,
  },
  p50_duration_ms: {
    type: millisecondsOrNull,
    about: 'nearest rank, within 1 %; null without calls',
    value: ({ usage }) => percentileMs(usage, 50),
    brief: true,
  },
  p95_duration_ms: {
    type: millisecondsOrNull,
    about: 'nearest rank, within 1 %; null without calls',
    value: ({ usage }) => percentileMs(usage, 95),
    brief: true,
  },
  p99_duration_ms: {
    type: millisecondsOrNull,
    about: 'nearest rank, within 1 %; null without calls',
    value: ({ usage }) => percentileMs(usage, 99),
    brief: true,
  },
  apdex: {
    type: z.number().min(0).max(1).nullable().optional(),
    about:
      'calls of at most apdex_t_ms, and half of those of at most four times that, of all that have a latency; null when none has; absent without apdex_t_ms=',
    value: ({ apdex }) => apdex,
    brief: true,
    sparse: true,
  },
});

export type SeriesPoint = z.output<typeof pointTable.schema>;

export async function seriesOf(
  snapshot: Snapshot,
  selection: Selection,
  { window }: Coverage,
  interval: Interval,
  timeZone: string,
): Promise<Series> {
  const intervals = await seriesIntervals(snapshot, window, interval, timeZone);
  const usages = await snapshot.series(selection, intervals.edgesS);
  const isSampled = usages.some(({ sampling }) => sampling !== undefined);
  return { ...intervals, usages, isEstimated: intervals.isMoved || isSampled };
}

export async function seriesIntervals(
  snapshot: Snapshot,
  window: Window,
  interval: Interval,
  timeZone: string,
): Promise<SeriesIntervals> {
  const startsS = intervalStarts(window, interval, timeZone);
  const wantedS = [window.fromS, ...startsS.slice(1), window.toS];
  const edgesS: number[] = [];
  for (const edgeS of wantedS) edgesS.push(await nearestKept(snapshot, edgeS, window));
  return { startsS, edgesS, isMoved: edgesS.some((edgeS, n) => edgeS !== wantedS[n]) };
}

/** Where only hours or days are kept, a zone's midnight moves to the nearest step. */
async function nearestKept(snapshot: Snapshot, edgeS: number, within: Window): Promise<number> {
  const { window } = await snapshot.coverage({ fromS: edgeS, toS: edgeS });
  const { fromS, toS } = window;
  const nearestS = edgeS - fromS <= toS - edgeS ? fromS : toS;
  return Math.min(Math.max(nearestS, within.fromS), within.toS);
}

/** The series of a window at a glance, for answers that show one beside other things. */
export async function glance(
  snapshot: Snapshot,
  selection: Selection,
  coverage: Coverage,
): Promise<Series & { interval: Interval }> {
  const interval = glanceInterval(coverage.window, coverage.resolution);
  return { interval, ...(await seriesOf(snapshot, selection, coverage, interval, 'UTC')) };
}

/**
 * Edges of equal intervals, each moved to the nearest step that is kept; fewer where several move to one.
 * @returns at most `intervals` + 1, ascending; the first and the last are the window's own
 */
export async function equalEdges(
  snapshot: Snapshot,
  window: Window,
  intervals: number,
): Promise<number[]> {
  const edges = new Set<number>();
  for (let n = 0; n <= intervals; n++) {
    const wantedS = window.fromS + ((window.toS - window.fromS) * n) / intervals;
    edges.add(await nearestKept(snapshot, Math.round(wantedS / minuteS) * minuteS, window));
  }
  return [...edges];
}

/** Lengths of intervals of `steppedEdges`: parts of an hour and of a day, and whole days as levels of usage have them. */
const steps = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minuteS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * hourS),
  ...[1, 2, 4, 8, 16, 32, 64, 128, 256].map((days) => days * dayS),
];

/**
 * Edges of intervals that begin at whole steps of UTC, each moved to the nearest step that is kept. Such intervals are
 * read from few stored buckets: an interval from 10:37 to 10:37 takes hours and minutes at both ends.
 * @returns at most `intervals` + 1, ascending; the first and the last are the window's own
 */
export async function steppedEdges(
  snapshot: Snapshot,
  window: Window,
  intervals: number,
): Promise<number[]> {
  const { fromS, toS } = window;
  const intervalsOf = (stepS: number): number => Math.ceil(toS / stepS) - Math.floor(fromS / stepS);
  const stepS = steps.find((step) => intervalsOf(step) <= intervals);
  if (stepS === undefined) return equalEdges(snapshot, window, intervals);
  const edges = new Set([fromS]);
  for (let edgeS = Math.floor(fromS / stepS) * stepS + stepS; edgeS < toS; edgeS += stepS) {
    edges.add(await nearestKept(snapshot, edgeS, window));
  }
  edges.add(toS);
  return [...edges];
}
