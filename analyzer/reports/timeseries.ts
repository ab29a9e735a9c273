import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Coverage } from '../../core/store/store.ts';
import { type Head, head, headProse, headShape, selectionNotes } from '../query/answer-head.ts';
import {
  allIntervals,
  glanceInterval,
  type Interval,
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
import { defineQuery } from '../query/query.ts';
import { keptCoverage, requestedWindow } from '../query/window.ts';
import { filteredSelection } from './endpoint-filter.ts';
import { pointTable, seriesEntries, seriesOf } from './series.ts';

export const timeseries = defineQuery({
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
  schema: z.object({
    ...headShape,
    interval: z.enum(allIntervals),
    tz: z.string(),
    points: z.array(pointTable.schema).describe('one for each interval of the window'),
  }),
  list: {
    title: 'Time series',
    noun: 'points',
    table: pointTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const { snapshot } = context;
    const { service, environment, method, route, endpoint, tz } = parameters;
    const coverage = await keptCoverage(snapshot, requestedWindow(parameters, context));
    const interval = parameters.interval ?? glanceInterval(coverage.window, coverage.resolution);
    checkInterval(interval, coverage);
    const { selection, observedSinceMs } = await filteredSelection(snapshot, parameters);
    const series = await seriesOf(snapshot, selection, coverage, interval, tz);
    const notes = await selectionNotes(context, parameters);
    const known = { coverage, observedSinceMs, estimated: series.isEstimated, notes };
    return {
      ...head(context, known, { service, environment, method, route, endpoint }),
      interval,
      tz,
      points: seriesEntries(series).map((entry) => pointTable.row(entry)),
    };
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
