import { z } from 'zod';
import { AppError } from '../../../core/error.ts';
import { limits } from '../../../core/limits.ts';
import type { Coverage, Selection, Snapshot } from '../../../core/store/store.ts';
import {
  type Head,
  head,
  headProse,
  headShape,
  selectionNotes,
  selectionOf,
} from '../../query/answer-head.ts';
import {
  allIntervals,
  glanceInterval,
  type Interval,
  intervals,
  isFiner,
  isTimeZone,
  pointsMost,
} from '../../query/calendar.ts';
import {
  bomParameter,
  chosenEndpoints,
  commonParameters,
  endpointParameter,
  formatParameter,
} from '../../query/parameters.ts';
import { defineQuery } from '../../query/query.ts';
import { keptCoverage, requestedWindow } from '../../query/window.ts';
import { unrecordedNotes } from '../callers/calls-of-version.ts';
import { chosenSelection } from '../endpoint-filter.ts';
import { apdexOf } from './apdex.ts';
import { groupedSeries, groupings, seriesGroupSchema } from './groups.ts';
import { pointTable, type Series, type SeriesEntry, seriesEntries, seriesOf } from './series.ts';
import { eventsIn, eventsSchema, eventTable } from './timeline.ts';

/** A tenth of a day: nobody waits longer for a call. */
const apdexMostMs = 8_640_000;

/** How a window is cut into intervals. */
export const intervalParameters = {
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
};

export const timeseries = defineQuery({
  name: 'timeseries',
  path: '/timeseries',
  about: 'Calls, errors and durations by interval, with a point for every interval of the window',
  parameters: z.strictObject({
    ...commonParameters,
    ...chosenEndpoints,
    endpoint: endpointParameter,
    ...intervalParameters,
    group_by: z
      .enum(groupings)
      .optional()
      .describe(
        `one of ${groupings.join(', ')}: the points of each group follow each other; statuses, outcomes and consumers have counts alone`,
      ),
    top: z
      .string()
      .regex(/^[1-9]\d{0,2}$/)
      .transform(Number)
      .refine((groups) => groups <= limits.seriesGroups)
      .default(10)
      .describe(
        `groups besides the rest, most calls first: a whole number from 1 to ${limits.seriesGroups}; 10 unless told`,
      )
      .meta({ type: 'integer', minimum: 1, maximum: limits.seriesGroups }),
    apdex_t_ms: z
      .string()
      .regex(/^\d{1,7}(\.\d{1,3})?$/)
      .transform(Number)
      .refine((ms) => ms > 0 && ms <= apdexMostMs)
      .optional()
      .describe(
        `the duration in milliseconds, from 0.001 to ${apdexMostMs}, up to which a call satisfies: each point gets its Apdex score; not with group_by`,
      )
      .meta({ type: 'number', minimum: 0.001, maximum: apdexMostMs, multipleOf: 0.001 }),
    format: formatParameter,
    bom: bomParameter,
  }),
  schema: z.object({
    ...headShape,
    interval: z.enum(allIntervals),
    tz: z.string(),
    group_by: z.enum(groupings).nullable(),
    groups: z
      .array(seriesGroupSchema)
      .optional()
      .describe('most calls first, the rest last; absent without group_by='),
    events: eventsSchema,
    points: z
      .array(pointTable.schema)
      .describe('one for each interval of the window, and for each group where there are some'),
  }),
  list: {
    title: 'Time series',
    noun: 'points',
    table: pointTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const { snapshot } = context;
    const { endpoint, tz, group_by, top } = parameters;
    const coverage = await keptCoverage(snapshot, requestedWindow(parameters, context));
    const interval = parameters.interval ?? glanceInterval(coverage.window, coverage.resolution);
    checkInterval(interval, coverage, group_by === undefined ? 1 : top + 1);
    if (group_by !== undefined && parameters.apdex_t_ms !== undefined) {
      const message = `apdex_t_ms=${parameters.apdex_t_ms} is not allowed together with group_by; give one of them`;
      throw new AppError('invalid', message, { field: 'apdex_t_ms' });
    }
    const { selection, observedSinceMs, filters } = await chosenSelection(context, parameters);
    const series = await seriesOf(snapshot, selection, coverage, interval, tz);
    const notes = await selectionNotes(context, parameters);
    const known = { coverage, observedSinceMs, estimated: series.isEstimated, notes };
    const answer = {
      ...head(context, known, { ...filters, endpoint }),
      interval,
      tz,
      group_by: group_by ?? null,
      events: (await eventsIn(snapshot, selectionOf(parameters), coverage.window)).map((event) =>
        eventTable.row(event),
      ),
    };
    if (group_by === undefined) {
      const entries = await withApdex(snapshot, selection, series, parameters.apdex_t_ms);
      return { ...answer, points: entries.map((entry) => pointTable.row(entry)) };
    }
    const choice = { grouping: group_by, top };
    const grouped = await groupedSeries(snapshot, selection, coverage.window, series, choice);
    const points = grouped.entries.map((entry) => pointTable.row(entry));
    const unrecorded = unrecordedNotes(grouped.unrecorded, 'callers or versions');
    const allNotes = [...(answer.notes ?? []), ...unrecorded];
    return {
      ...answer,
      ...(allNotes.length > 0 && { notes: allNotes }),
      groups: grouped.groups,
      points,
    };
  },
});

async function withApdex(
  snapshot: Snapshot,
  selection: Selection,
  series: Series,
  thresholdMs: number | undefined,
): Promise<SeriesEntry[]> {
  const entries = seriesEntries(series);
  if (thresholdMs === undefined) return entries;
  const durations = await snapshot.durations(selection, series.edgesS);
  return entries.map((entry, n) => ({ ...entry, apdex: apdexOf(durations[n]!, thresholdMs) }));
}

/**
 * @param groups at most so many
 * @throws AppError `invalid` for more points than an answer holds, or finer ones than are stored
 */
export function checkInterval(
  interval: Interval,
  { window, resolution }: Coverage,
  groups: number,
): void {
  const points = pointsMost(window, interval) - 1;
  if (points > limits.seriesPoints) {
    const message = `interval=${interval} cuts this window into ${points} points; at most ${limits.seriesPoints}: give a longer interval or a shorter window`;
    throw new AppError('invalid', message, { field: 'interval' });
  }
  if (points * groups > limits.groupedPoints) {
    const message = `interval=${interval} and ${groups} groups make ${points * groups} points; at most ${limits.groupedPoints}: give a longer interval, a shorter window or a smaller top`;
    throw new AppError('invalid', message, { field: 'top' });
  }
  if (isFiner(interval, resolution)) {
    const message = `interval=${interval} is finer than what is kept of this window: it can be answered by the ${resolution}`;
    throw new AppError('invalid', message, { field: 'interval' });
  }
}
