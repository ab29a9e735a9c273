import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Coverage, Selection, Snapshot } from '../../core/store/store.ts';
import type { Usage } from '../../core/usage/usage.ts';
import { isoTime, type Window } from '../../core/window.ts';
import {
  glanceInterval,
  type Interval,
  intervalStarts,
  intervals,
  isFiner,
  isTimeZone,
  pointsMost,
} from '../query/calendar.ts';
import {
  commonParameters,
  formatParameter,
  methodParameter,
  routeParameter,
} from '../query/parameters.ts';
import { jsonAnswer, question, tableAnswer } from '../query/query.ts';
import type { Column } from '../query/table.ts';
import { requestedWindow } from '../query/window.ts';
import { endpointFilter } from './endpoint-filter.ts';
import { head, observedSince, selectionOf } from './endpoint-usage.ts';
import { averageMs, count, errorCount, errorRatePct, percentileMs } from './figures.ts';

/** One interval; durations null when nothing was called in it. */
export interface SeriesPoint {
  /** Start of the interval. The first and last intervals hold only what the window has of them. */
  timestamp: string;
  calls: number;
  errors: number;
  error_rate_pct: number | null;
  avg_duration_ms: number | null;
  p50_duration_ms: number | null;
  p95_duration_ms: number | null;
  p99_duration_ms: number | null;
}

const columns: Column<SeriesPoint>[] = [
  { name: 'timestamp', type: 'string', about: 'start of the interval', brief: true },
  { name: 'calls', type: 'integer', about: 'calls in the interval', brief: true },
  { name: 'errors', type: 'integer', about: 'of those, statuses of 400 or more', brief: true },
  { name: 'error_rate_pct', type: 'number', about: 'null without calls', brief: true },
  { name: 'avg_duration_ms', type: 'number', about: 'null without calls', brief: true },
  { name: 'p50_duration_ms', type: 'number', about: 'nearest rank, within 1 %', brief: true },
  { name: 'p95_duration_ms', type: 'number', about: 'nearest rank, within 1 %', brief: true },
  { name: 'p99_duration_ms', type: 'number', about: 'nearest rank, within 1 %', brief: true },
];

export const timeseries = question({
  name: 'timeseries',
  path: '/timeseries',
  about: 'Calls, errors and durations by interval, with a point for every interval of the window',
  parameters: z.strictObject({
    ...commonParameters,
    method: methodParameter,
    route: routeParameter,
    endpoint: z
      .string()
      .min(1)
      .max(limits.endpointIdChars)
      .optional()
      .describe(
        `the id of an endpoint, as reports show it, at most ${limits.endpointIdChars} characters`,
      ),
    interval: z
      .enum(intervals)
      .optional()
      .describe(`one of ${intervals.join(', ')}; chosen to suit the window unless told`),
    tz: z
      .string()
      .max(64)
      .refine(isTimeZone)
      .default('UTC')
      .describe(
        'the IANA name of a time zone whose midnights begin days, weeks and months, such as Europe/Berlin; UTC unless told',
      ),
    format: formatParameter,
  }),
  list: { noun: 'points', columns },
  async answer(asked, parameters) {
    const { snapshot } = asked;
    const { service, environment, method, route, endpoint, tz, format } = parameters;
    const window = requestedWindow(parameters, asked.nowMs);
    const coverage = await snapshot.coverage(window);
    const interval = parameters.interval ?? glanceInterval(coverage.window, coverage.resolution);
    checkInterval(interval, coverage);
    const { selection, observedSinceMs } = await narrowed(snapshot, parameters);
    const series = await seriesOf(snapshot, selection, coverage, interval, tz);
    const known = { coverage, observedSinceMs, estimated: series.isEstimated };
    const above = {
      ...head(asked, known, { service, environment, method, route, endpoint }),
      interval,
      tz,
    };
    const points = series.usages.map((usage, n) => seriesPoint(series.startsS[n]!, usage));
    if (format !== 'json') return tableAnswer(format, 'Time series', above, columns, points);
    return jsonAnswer({ ...above, points });
  },
});

/** @throws AppError `invalid` for more points than an answer holds, or finer ones than are stored */
function checkInterval(interval: Interval, { window, resolution }: Coverage): void {
  const points = pointsMost(window, interval) - 1;
  if (points > limits.seriesPoints) {
    const message = `interval=${interval} cuts this window into ${points} points; at most ${limits.seriesPoints}: give a longer interval or a shorter window`;
    throw new AppError('invalid', message, { field: 'interval' });
  }
  if (isFiner(interval, resolution)) {
    const message = `interval=${interval} is finer than what is kept of this window: it can be answered by the ${resolution}`;
    throw new AppError('invalid', message, { field: 'interval' });
  }
}

/** The selection of the common parameters, narrowed to some endpoints. */
export async function narrowed(
  snapshot: Snapshot,
  parameters: {
    service?: string | undefined;
    environment?: string | undefined;
    method?: string[] | undefined;
    route?: string | undefined;
    endpoint?: string | undefined;
  },
): Promise<{ selection: Selection; observedSinceMs: number | undefined }> {
  const { method, route, endpoint } = parameters;
  const selection = selectionOf(parameters);
  const passes = endpointFilter({ method, route });
  const all = await snapshot.endpoints(selection);
  if (endpoint !== undefined && !all.some(({ id }) => id === endpoint)) {
    throw new AppError('not_found', `there is no endpoint ${JSON.stringify(endpoint)}`, {
      field: 'endpoint',
    });
  }
  const chosen = all.filter(passes).filter(({ id }) => endpoint === undefined || id === endpoint);
  const observedSinceMs = observedSince(chosen);
  if (chosen.length === all.length) return { selection, observedSinceMs };
  const endpoints = new Set(chosen.map(({ id }) => id));
  return { selection: { ...selection, endpoints }, observedSinceMs };
}

export interface Series {
  /** Starts of the intervals, one for each usage. */
  startsS: number[];
  usages: Usage[];
  /** A zone's edges fall between the steps that are kept of the window, or calls were sampled. */
  isEstimated: boolean;
}

export async function seriesOf(
  snapshot: Snapshot,
  selection: Selection,
  { window }: Coverage,
  interval: Interval,
  timeZone: string,
): Promise<Series> {
  const startsS = intervalStarts(window, interval, timeZone);
  const askedS = [window.fromS, ...startsS.slice(1), window.toS];
  const edgesS: number[] = [];
  for (const edgeS of askedS) edgesS.push(await nearestKept(snapshot, edgeS, window));
  const usages = await snapshot.series(selection, edgesS);
  const isMoved = edgesS.some((edgeS, n) => edgeS !== askedS[n]);
  const isEstimated = isMoved || usages.some(({ sampling }) => sampling !== undefined);
  return { startsS, usages, isEstimated };
}

/** Where only hours or days are kept, a zone's midnight is taken for the nearest step there is. */
async function nearestKept(snapshot: Snapshot, edgeS: number, within: Window): Promise<number> {
  const { window } = await snapshot.coverage({ fromS: edgeS, toS: edgeS });
  const { fromS, toS } = window;
  const nearestS = edgeS - fromS <= toS - edgeS ? fromS : toS;
  return Math.min(Math.max(nearestS, within.fromS), within.toS);
}

export function seriesPoint(startS: number, usage: Usage): SeriesPoint {
  return {
    timestamp: isoTime(startS * 1000),
    calls: count(usage.calls),
    errors: errorCount(usage),
    error_rate_pct: errorRatePct(usage),
    avg_duration_ms: averageMs(usage),
    p50_duration_ms: percentileMs(usage, 50),
    p95_duration_ms: percentileMs(usage, 95),
    p99_duration_ms: percentileMs(usage, 99),
  };
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
