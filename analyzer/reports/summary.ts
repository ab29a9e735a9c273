import { z } from 'zod';
import { specialRoutes } from '../../core/limits.ts';
import { isBucket } from '../../core/store/endpoint-identity.ts';
import type { ClientUsage } from '../../core/store/store.ts';
import type { Usage } from '../../core/usage/usage.ts';
import { isoTime } from '../../core/window.ts';
import { head, headShape, selectionNotes, selectionOf } from '../query/answer-head.ts';
import { allIntervals } from '../query/calendar.ts';
import { chosenEndpoints, commonParameters, limitParameter } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import { count, millisecondsOrNull, percentOrNull, time } from '../query/schema.ts';
import { tableOf } from '../query/table.ts';
import { comparedWindows, requestedWindow, windowAnswer, windowSchema } from '../query/window.ts';
import { endpointColumns } from './endpoint-columns.ts';
import { chosenSelection } from './endpoint-filter.ts';
import { type EndpointEntry, usageByEndpoint } from './endpoint-usage.ts';
import {
  averageMs,
  callsInterval,
  countOf,
  emptyUsage,
  errorCount,
  errorRatePct,
  leastMs,
  mostMs,
  percentileMs,
  statusCodes,
  statusCodesSchema,
} from './figures.ts';
import { glance, type SeriesEntry, seriesEntries } from './series/series.ts';
import { eventsIn, eventsSchema, eventTable } from './series/timeline.ts';

const totals = tableOf<Usage & { calledEndpoints: number }>()('SummaryTotals', {
  total_requests: {
    type: count,
    about: 'calls in the window',
    value: ({ calls }) => countOf(calls),
  },
  total_requests_interval: {
    type: z.array(count).length(2).optional(),
    about: 'of sampled calls: 95 % interval of total_requests; absent where nothing is sampled',
    value: (usage) => callsInterval(usage),
  },
  unique_ips: {
    type: count,
    about: 'distinct addresses',
    value: ({ uniqueClients }) => uniqueClients,
  },
  called_endpoints: {
    type: count,
    about: 'endpoints that were called in the window; (unmatched) and the like are none',
    value: ({ calledEndpoints }) => calledEndpoints,
  },
  avg_response_time_ms: {
    type: millisecondsOrNull,
    about: 'null without calls',
    value: averageMs,
  },
  min_response_time_ms: { type: millisecondsOrNull, about: 'null without calls', value: leastMs },
  max_response_time_ms: { type: millisecondsOrNull, about: 'null without calls', value: mostMs },
  p95_response_time_ms: {
    type: millisecondsOrNull,
    about: 'nearest rank, within 1 %; null without calls',
    value: (usage) => percentileMs(usage, 95),
  },
  error_rate_pct: { type: percentOrNull, about: 'null without calls', value: errorRatePct },
  error_4xx_count: {
    type: count,
    about: 'statuses 400 to 499',
    value: ({ errors4xx }) => countOf(errors4xx),
  },
  error_5xx_count: {
    type: count,
    about: 'statuses from 500',
    value: ({ errors5xx }) => countOf(errors5xx),
  },
});

const busiest = tableOf<EndpointEntry>()('BusiestEndpoint', {
  id: { type: z.string(), about: 'for /endpoints/{id}', value: ({ endpoint }) => endpoint.id },
  ...endpointColumns,
  requests: {
    type: count,
    about: 'calls in the window',
    value: ({ usage }) => countOf(usage.calls),
  },
  avg_time_ms: {
    type: millisecondsOrNull,
    about: 'null where no call has a latency',
    value: ({ usage }) => averageMs(usage),
  },
  errors_count: {
    type: count,
    about: 'statuses of 400 or more',
    value: ({ usage }) => errorCount(usage),
  },
  error_4xx_count: {
    type: count,
    about: 'of those, 400 to 499',
    value: ({ usage }) => countOf(usage.errors4xx),
  },
  error_5xx_count: {
    type: count,
    about: 'of those, from 500',
    value: ({ usage }) => countOf(usage.errors5xx),
  },
});

const topClients = tableOf<ClientUsage>()('TopClient', {
  ip: { type: z.string(), about: 'address', value: ({ client }) => client },
  requests: { type: count, about: 'calls in the window', value: ({ calls }) => countOf(calls) },
  errors: {
    type: count,
    about: 'of those, statuses of 400 or more',
    value: ({ errors }) => countOf(errors),
  },
});

const points = tableOf<SeriesEntry>()('SummaryPoint', {
  timestamp: {
    type: time,
    about: 'start of the interval',
    value: ({ startS }) => isoTime(startS * 1000),
  },
  requests: {
    type: count,
    about: 'calls in the interval',
    value: ({ usage }) => countOf(usage.calls),
  },
  avg_time_ms: {
    type: millisecondsOrNull,
    about: 'null without calls',
    value: ({ usage }) => averageMs(usage),
  },
  error_rate_pct: {
    type: percentOrNull,
    about: 'null without calls',
    value: ({ usage }) => errorRatePct(usage),
  },
  error_4xx_count: {
    type: count,
    about: 'statuses 400 to 499',
    value: ({ usage }) => countOf(usage.errors4xx),
  },
  error_5xx_count: {
    type: count,
    about: 'statuses from 500',
    value: ({ usage }) => countOf(usage.errors5xx),
  },
});

const answerSchema = z.object({
  ...headShape,
  summary: totals.schema,
  previous_window: windowSchema
    .nullable()
    .describe(
      'ends where `window` begins, and is as long; null when a part of it is past its retention',
    ),
  previous: totals.schema.nullable().describe('of previous_window'),
  method_usage: z.record(z.string(), count).describe('calls by method, most used first'),
  endpoint_stats: z
    .array(busiest.schema)
    .describe('the most called endpoints, at most `limit`; /report has all'),
  status_codes: statusCodesSchema,
  top_ips: z
    .array(topClients.schema)
    .describe('most calls first, at most `limit`; unique_ips counts all, /clients lists them'),
  other_ips: topClients.schema
    .nullable()
    .describe('the clients that are not in top_ips, together; null when there are none'),
  interval: z.enum(allIntervals).describe('of time_series'),
  time_series: z.array(points.schema),
  events: eventsSchema,
});

export type SummaryAnswer = z.output<typeof answerSchema>;

/** One window at a glance, beside the window of the same length before it. */
export const summary = defineQuery({
  name: 'summary',
  path: '/summary',
  about: 'Totals, methods, status codes, busiest endpoints, top clients and a time series',
  parameters: z.strictObject({
    ...commonParameters,
    ...chosenEndpoints,
    limit: limitParameter(1000, 20),
    format: z.enum(['json', 'pdf']).default('json').describe('json or pdf'),
  }),
  hasPdf: true,
  schema: answerSchema,
  async answer(context, parameters) {
    const { snapshot } = context;
    const { limit } = parameters;
    const { selection, filters } = await chosenSelection(context, parameters);
    const requested = requestedWindow(parameters, context);
    const { current, previous } = await comparedWindows(snapshot, requested);
    const known = await usageByEndpoint(context, selection, current);
    const clients = await snapshot.clients(selection, current.window, limit);
    const total = await snapshot.total(selection, current.window);
    const called = known.entries.filter(({ usage }) => usage !== emptyUsage);
    const before = previous && (await snapshot.total(selection, previous.window));
    const calledBefore = previous && (await snapshot.calledEndpoints(selection, previous.window));
    const other = clients.find((client) => !isNamed(client));
    const series = await glance(snapshot, selection, current);
    const estimated =
      known.estimated ||
      series.isEstimated ||
      [total, before].some(
        (usage) => usage?.uniqueClientsEstimated || usage?.sampling !== undefined,
      );
    const notes = [...(await selectionNotes(context, parameters)), ...known.notes];
    const events = await eventsIn(snapshot, selectionOf(parameters), current.window);
    return {
      ...head(context, { ...known, estimated, notes }, filters),
      summary: totals.row({
        ...total,
        calledEndpoints: countOfEndpoints(called.map(({ endpoint }) => endpoint)),
      }),
      previous_window: previous ? windowAnswer(previous) : null,
      previous:
        before && calledBefore
          ? totals.row({
              ...before,
              calledEndpoints: countOfEndpoints(await snapshot.endpoints(selection), calledBefore),
            })
          : null,
      method_usage: methodUsage(known.entries),
      endpoint_stats: busiestOf(known.entries, limit).map((entry) => busiest.row(entry)),
      status_codes: statusCodes(total),
      top_ips: clients.filter(isNamed).map((client) => topClients.row(client)),
      other_ips: other ? topClients.row(other) : null,
      interval: series.interval,
      time_series: seriesEntries(series).map((point) => points.row(point)),
      events: events.map((event) => eventTable.row(event)),
    };
  },
});

/** @param ids of the endpoints that count; undefined for all */
function countOfEndpoints(
  endpoints: readonly { id: string; route: string }[],
  ids?: ReadonlySet<string>,
): number {
  return endpoints.filter(({ id, route }) => !isBucket(route) && (ids?.has(id) ?? true)).length;
}

const isNamed = ({ client }: ClientUsage): boolean => client !== specialRoutes.other;

/** Most used method first. */
function methodUsage(entries: readonly EndpointEntry[]): Record<string, number> {
  const calls = new Map<string, number>();
  for (const { endpoint, usage } of entries) {
    if (usage.calls === 0) continue;
    calls.set(endpoint.method, (calls.get(endpoint.method) ?? 0) + usage.calls);
  }
  const ordered = [...calls].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return Object.fromEntries(ordered.map(([method, sum]) => [method, countOf(sum)]));
}

/** Endpoints with a call, most calls first. The sort is stable: equal ones keep the store's order. */
function busiestOf(entries: readonly EndpointEntry[], limit: number): EndpointEntry[] {
  return entries
    .filter(({ usage }) => usage.calls > 0)
    .sort((a, b) => b.usage.calls - a.usage.calls)
    .slice(0, limit);
}
