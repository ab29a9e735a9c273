import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { type Outcome, outcomeCounts, outcomeOf, outcomes } from '../../core/outcome.ts';
import type { StatusRange } from '../../core/store/calls.ts';
import { isBucket } from '../../core/store/endpoint-identity.ts';
import type { CallerCalls, EndpointRecord, Selection, Snapshot } from '../../core/store/store.ts';
import type { CallUsage } from '../../core/usage/usage.ts';
import { isoTime, type Window } from '../../core/window.ts';
import {
  head,
  headShape,
  type Note,
  type QueryContext,
  selectionNotes,
  selectionOf,
} from '../query/answer-head.ts';
import { allIntervals, glanceInterval } from '../query/calendar.ts';
import { chosenEndpoints, commonParameters, limitParameter } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import { count, percentOrNull, time } from '../query/schema.ts';
import { tableOf } from '../query/table.ts';
import { keptCoverage, requestedWindow } from '../query/window.ts';
import { unrecordedNotes } from './callers/calls-of-version.ts';
import { clientNotes, isHashed } from './callers/client-notes.ts';
import { statusPattern, statusRange } from './calls/call-parameters.ts';
import { endpointColumns } from './endpoint-columns.ts';
import { chosenSelection } from './endpoint-filter.ts';
import { countOf, percent } from './figures.ts';
import { seriesIntervals } from './series/series.ts';
import { eventsIn, eventsSchema, eventTable } from './series/timeline.ts';
import { checkInterval, intervalParameters } from './series/timeseries.ts';

/** The calls that a query is about: those of one caller, or of one status. */
type Slice =
  | { by: 'client'; client: string }
  | { by: 'consumer'; consumer: string; namedBy: 'span' | 'agent' }
  | { by: 'status'; range: StatusRange };

/** That of a query that names none: all calls. */
const everyStatus: StatusRange = { from: 0, to: 999 };

/** A slice's calls in a window. */
interface SliceUsage {
  /** By endpoint id, of each endpoint that has any. */
  byEndpoint: Map<string, CallerCalls>;
  /** One for each interval. */
  series: readonly CallerCalls[];
  /** Calls of callers past the bound of an endpoint. */
  otherCalls: number;
}

interface SliceEndpoint {
  endpoint: EndpointRecord;
  counts: CallerCalls;
}

interface SlicePoint {
  startS: number;
  counts: CallerCalls;
}

/** Columns of the counts that are kept of every slice. @param counts of a row */
const countColumns = <Entry>(of: (entry: Entry) => CallerCalls) => {
  const outcome = (name: Outcome, about: string) => ({
    type: count,
    about,
    value: (entry: Entry) => countOf(of(entry).outcomes[name]),
  });
  return {
    calls: {
      type: count,
      about: 'calls of the slice',
      value: (entry: Entry) => countOf(of(entry).calls),
    },
    errors: {
      type: count,
      about: 'of those, statuses of 400 or more',
      value: (entry: Entry) => countOf(of(entry).errors),
    },
    error_rate_pct: {
      type: percentOrNull,
      about: 'errors of calls; null without calls',
      value: (entry: Entry) => percent(of(entry).errors, of(entry).calls),
    },
    answered_count: outcome('answered', 'statuses 100 to 399'),
    refused_count: outcome('refused', 'statuses 401, 403 and 429'),
    missing_count: outcome('missing', 'statuses 404, 405 and 410'),
    failed_count: outcome('failed', 'every other call, those without a status too'),
    unrecorded_count: {
      type: count.optional(),
      about:
        'calls in none of these outcomes: release 0.1.0 counted them and did not keep theirs; absent when there are none',
      value: (entry: Entry) => {
        const { unrecorded } = of(entry);
        return unrecorded === undefined ? undefined : countOf(unrecorded);
      },
    },
  };
};

const totalTable = tableOf<CallerCalls & { allCalls: number; endpoints: number }>()('SliceTotal', {
  ...countColumns((counts: CallerCalls & { allCalls: number; endpoints: number }) => counts),
  share_pct: {
    type: percentOrNull,
    about: 'of all calls in the window to the same endpoints; null without any',
    value: ({ calls, allCalls }) => percent(calls, allCalls),
  },
  endpoints: {
    type: count,
    about:
      'endpoints with a call of the slice, of those asked for; (unmatched) and the like are none',
    value: ({ endpoints }) => endpoints,
  },
});

const endpointTable = tableOf<SliceEndpoint>()('SliceEndpoint', {
  id: { type: z.string(), about: 'for /endpoints/{id}', value: ({ endpoint }) => endpoint.id },
  ...endpointColumns,
  ...countColumns(({ counts }: SliceEndpoint) => counts),
});

const pointTable = tableOf<SlicePoint>()('SlicePoint', {
  timestamp: {
    type: time,
    about: 'start of the interval',
    value: ({ startS }) => isoTime(startS * 1000),
  },
  ...countColumns(({ counts }: SlicePoint) => counts),
});

const answerSchema = z.object({
  ...headShape,
  slice: totalTable.schema,
  total_calls: count.describe('calls in the window of all the endpoints asked for'),
  other_calls: count.describe(
    `calls of the rarest callers of an endpoint with more than ${limits.clientsPerEndpoint} addresses or ${limits.consumersPerEndpoint} consumers, which are counted together: some may belong to the slice; 0 for a status`,
  ),
  interval: z.enum(allIntervals),
  tz: z.string(),
  events: eventsSchema,
  points: z.array(pointTable.schema).describe('one for each interval of the window'),
  endpoints: z
    .array(endpointTable.schema)
    .describe(
      'most calls of the slice first, at most `limit`; slice.endpoints counts all that have a route',
    ),
});

/** What `/summary`, `/timeseries` and `/report` say of all calls, as far as it is kept of a part of them. */
export const slice = defineQuery({
  name: 'slice',
  path: '/slice',
  about:
    'The calls of one client, of one consumer or of one status: together, over time and by endpoint. Durations are not kept of these; /calls has them of single calls',
  parameters: z.strictObject({
    ...commonParameters,
    ...chosenEndpoints,
    client: z
      .string()
      .min(1)
      .max(limits.clientBytes)
      .optional()
      .describe(
        `the exact address of a client, as /clients shows it; at most ${limits.clientBytes} characters. Only one of client=, consumer= and status_code= is taken; without any the answer is of all calls`,
      ),
    consumer: z
      .string()
      .min(1)
      .max(limits.consumerBytes)
      .optional()
      .describe(
        `the exact name of a consumer, as /consumers shows it; at most ${limits.consumerBytes} characters`,
      ),
    named_by: z
      .enum(['span', 'agent'])
      .optional()
      .describe(
        'span or agent, as /consumers shows it: whether the span named the consumer, or only its user agent is known; span unless told',
      ),
    status_code: z
      .string()
      .regex(statusPattern)
      .transform(statusRange)
      .optional()
      .describe('one HTTP status or class, such as 503 or 4xx; none for calls without one')
      .meta({ pattern: statusPattern.source }),
    ...intervalParameters,
    limit: limitParameter(limits.listRows, 100),
  }),
  schema: answerSchema,
  async answer(context, parameters) {
    const { snapshot } = context;
    const { tz, limit } = parameters;
    const of = sliceOf(parameters);
    const coverage = await keptCoverage(snapshot, requestedWindow(parameters, context));
    const { window } = coverage;
    const interval = parameters.interval ?? glanceInterval(window, coverage.resolution);
    checkInterval(interval, coverage, 1);
    const { selection, observedSinceMs, filters } = await chosenSelection(context, parameters);
    const total = await snapshot.total(selection, window);
    const intervals = await seriesIntervals(snapshot, window, interval, tz);
    const usage = await usageOf(snapshot, selection, window, intervals.edgesS, of);
    const endpoints = await endpointsOf(snapshot, selection, usage);
    const named = endpoints.filter(({ endpoint }) => !isBucket(endpoint.route));
    const counts = added([...usage.byEndpoint.values()]);
    const notes = [
      ...(await selectionNotes(context, parameters)),
      ...(await sliceNotes(context, selection, window, of, total.calls)),
    ];
    const estimated =
      total.sampling !== undefined || intervals.isMoved || countOf(usage.otherCalls) > 0;
    const { client, consumer, status_code } = parameters;
    return {
      ...head(
        context,
        { coverage, observedSinceMs, estimated, notes },
        {
          ...filters,
          client,
          consumer,
          ...(of.by === 'consumer' && { named_by: of.namedBy }),
          status_code: status_code && statusText(status_code),
        },
      ),
      slice: totalTable.row({ ...counts, allCalls: total.calls, endpoints: named.length }),
      total_calls: countOf(total.calls),
      other_calls: countOf(usage.otherCalls),
      interval,
      tz,
      events: (await eventsIn(snapshot, selectionOf(parameters), window)).map((event) =>
        eventTable.row(event),
      ),
      points: usage.series.map((own, n) =>
        pointTable.row({ startS: intervals.startsS[n]!, counts: own }),
      ),
      endpoints: endpoints.slice(0, limit).map((entry) => endpointTable.row(entry)),
    };
  },
});

/** @throws AppError `invalid` when several slices are asked for: calls are counted by each of them alone */
function sliceOf({
  client,
  consumer,
  named_by,
  status_code,
}: {
  client?: string | undefined;
  consumer?: string | undefined;
  named_by?: 'span' | 'agent' | undefined;
  status_code?: StatusRange | undefined;
}): Slice {
  const asked: Slice[] = [];
  if (client !== undefined) asked.push({ by: 'client', client });
  if (consumer !== undefined) {
    asked.push({ by: 'consumer', consumer, namedBy: named_by ?? 'span' });
  }
  if (status_code !== undefined) asked.push({ by: 'status', range: status_code });
  if (asked.length > 1) {
    const message = `${asked.length} of client=, consumer= and status_code= are given; give one: calls are counted by each of them alone, and /calls searches single calls by several`;
    throw new AppError('invalid', message, {
      field: asked[1]!.by === 'status' ? 'status_code' : 'consumer',
    });
  }
  if (named_by !== undefined && consumer === undefined) {
    throw new AppError('invalid', `named_by=${named_by} is allowed only with consumer=`, {
      field: 'named_by',
    });
  }
  return asked[0] ?? { by: 'status', range: everyStatus };
}

async function usageOf(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  edgesS: readonly number[],
  of: Slice,
): Promise<SliceUsage> {
  if (of.by === 'client') {
    const usage = await snapshot.clientUsage(selection, of.client, window);
    return { ...usage, series: await snapshot.clientSeries(selection, of.client, edgesS) };
  }
  if (of.by === 'consumer') {
    const usage = await snapshot.consumerUsage(selection, of, window);
    const [series = []] = await snapshot.consumerSeries(selection, [of], edgesS);
    return { ...usage, series };
  }
  const byEndpoint = new Map<string, CallerCalls>();
  for (const [id, usage] of await snapshot.usage(selection, window)) {
    const counts = ofStatuses(usage, of.range);
    if (counts.calls > 0) byEndpoint.set(id, counts);
  }
  const series = await snapshot.series(selection, edgesS);
  return { byEndpoint, series: series.map((one) => ofStatuses(one, of.range)), otherCalls: 0 };
}

function ofStatuses({ statuses }: CallUsage, { from, to }: StatusRange): CallerCalls {
  const counts = { calls: 0, errors: 0, outcomes: outcomeCounts([]) };
  for (const [status, calls] of statuses) {
    if (status < from || status > to) continue;
    counts.calls += calls;
    if (status >= 400) counts.errors += calls;
    counts.outcomes[outcomeOf(status)] += calls;
  }
  return counts;
}

/** Most calls first. The sort is stable: equal ones keep the store's order. */
async function endpointsOf(
  snapshot: Snapshot,
  selection: Selection,
  { byEndpoint }: SliceUsage,
): Promise<SliceEndpoint[]> {
  const entries: SliceEndpoint[] = [];
  for (const endpoint of await snapshot.endpoints(selection)) {
    const counts = byEndpoint.get(endpoint.id);
    if (counts !== undefined) entries.push({ endpoint, counts });
  }
  return entries.sort((a, b) => b.counts.calls - a.counts.calls);
}

function added(all: readonly CallerCalls[]): CallerCalls {
  const sum = (value: (counts: CallerCalls) => number) =>
    all.reduce((whole, counts) => whole + value(counts), 0);
  const unrecorded = sum((counts) => counts.unrecorded ?? 0);
  return {
    calls: sum(({ calls }) => calls),
    errors: sum(({ errors }) => errors),
    outcomes: outcomeCounts(outcomes.map((name) => sum((counts) => counts.outcomes[name]))),
    ...(unrecorded > 0 && { unrecorded }),
  };
}

/** What of the window's calls cannot be told to be of the slice or not. */
async function sliceNotes(
  context: QueryContext,
  selection: Selection,
  window: Window,
  of: Slice,
  allCalls: number,
): Promise<Note[]> {
  if (of.by === 'client') return clientNotes(context, window, isHashed(of));
  if (of.by === 'status') return [];
  const [[own] = [], [others] = []] = await context.snapshot.consumerSeries(
    selection,
    [of],
    [window.fromS, window.toS],
  );
  return unrecordedNotes(allCalls - own!.calls - others!.calls, 'callers');
}

function statusText({ from, to }: StatusRange): string {
  if (from === 0) return 'none';
  return from === to ? String(from) : `${from / 100}xx`;
}
