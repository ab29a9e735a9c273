import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import type { OutcomeCounts } from '../../core/outcome.ts';
import { head, headShape } from '../query/answer-head.ts';
import { allIntervals } from '../query/calendar.ts';
import { commonParameters, limitParameter } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import { count } from '../query/schema.ts';
import { keptCoverage, requestedWindow, windowAnswer, windowSchema } from '../query/window.ts';
import { unrecordedNotes } from './callers/calls-of-version.ts';
import { clientTable } from './callers/clients.ts';
import { type ConsumerEntry, consumerEntries, consumerTable } from './callers/consumers.ts';
import {
  internalCallersIn,
  internalCallerTable,
  knownCallersShape,
  mostCalls,
} from './callers/internal-callers.ts';
import { callTable } from './calls/call-row.ts';
import { glanceAtCalls } from './calls/glance.ts';
import {
  endpointTable,
  lastCallerRow,
  windowLastAnsweredCallers,
  windowLastCallers,
} from './endpoint-row.ts';
import { usageByEndpoint } from './endpoint-usage.ts';
import { countOf, statusCodes, statusCodesSchema } from './figures.ts';
import { curveSchema, heatmapSchema, histogramSchema, latencyOf } from './latency.ts';
import { glance, pointTable, seriesEntries } from './series/series.ts';
import { eventsIn, eventsSchema, eventTable } from './series/timeline.ts';
import { versionEntries, versionTable } from './versions.ts';

const { window, from, to } = commonParameters;

const outcomesSchema = z.object({
  answered: count,
  refused: count,
  missing: count,
  failed: count,
});

function countsOf({ answered, refused, missing, failed }: OutcomeCounts) {
  return {
    answered: countOf(answered),
    refused: countOf(refused),
    missing: countOf(missing),
    failed: countOf(failed),
  };
}

function agentsOf(consumers: readonly ConsumerEntry[]) {
  const sum = (kind: 'people' | 'bots') =>
    countOf(consumers.reduce((calls, { usage }) => calls + usage[kind].calls, 0));
  return { people_calls: sum('people'), bot_calls: sum('bots') };
}

/** One endpoint: its row of the report, and what the row has no room for. */
export const endpoint = defineQuery({
  name: 'endpoint',
  path: '/endpoints/:id',
  about:
    'One endpoint: its row, status codes, outcomes, time series, latency heatmap and percentiles, consumers, agents, service versions, clients and last callers',
  parameters: z.strictObject({ window, from, to, limit: limitParameter(1000, 20) }),
  schema: z.object({
    ...headShape,
    endpoint: endpointTable.schema,
    status_codes: statusCodesSchema,
    interval: z.enum(allIntervals).describe('of time_series'),
    time_series: z.array(pointTable.schema),
    events: eventsSchema,
    latency_heatmap: heatmapSchema,
    percentile_curve: curveSchema,
    histogram: histogramSchema,
    lifetime_outcomes: outcomesSchema.describe(
      'calls ever, by what became of them; fewer than lifetime_calls where release 0.1.0 counted calls whose statuses are deleted',
    ),
    agents: z
      .object({ people_calls: count, bot_calls: count })
      .describe('calls in the window, by kind of user agent'),
    consumers: z
      .array(consumerTable.schema)
      .describe('most calls first, at most `limit`; then {other}, the rest together'),
    internal_callers: z
      .object({
        window: windowSchema,
        ...knownCallersShape,
        callers: z.array(internalCallerTable.schema),
      })
      .describe(
        "the project's own services that called, at most `limit`, most calls first, in whole hours or days",
      ),
    versions: z
      .array(versionTable.schema)
      .describe(
        'service versions that answered it, latest last call first; also those without a call in the window',
      ),
    clients: z
      .array(clientTable.schema)
      .describe('most calls first, at most `limit`; then {other}, the rest together'),
    last_callers: endpointTable.schema.shape.last_callers,
    slowest_calls: z
      .array(callTable.schema)
      .describe('of the raw calls of the window that are kept: at most 10, slowest first'),
    latest_errors: z
      .array(callTable.schema)
      .describe('the same of calls with a status of 400 or more, newest first'),
    last_answered_callers: endpointTable.schema.shape.last_callers.describe(
      'distinct callers of calls with a status of 100 to 399, latest first, lifetime',
    ),
    window_last_callers: endpointTable.schema.shape.last_callers
      .nullable()
      .describe(
        'of last_callers those in the window; null when the window ends before its newest call',
      ),
    window_last_answered_callers: endpointTable.schema.shape.last_callers
      .nullable()
      .describe(
        'of last_answered_callers those in the window; null when the window ends before its newest answered call, and where release 0.1.0 counted calls of the window without saying which were answered',
      ),
  }),
  async answer(context, parameters, { id = '' }) {
    const { snapshot } = context;
    const coverage = await keptCoverage(snapshot, requestedWindow(parameters, context));
    const selection = { endpoints: new Set([id]) };
    const known = await usageByEndpoint(context, selection, coverage);
    const entry = known.entries[0];
    if (entry === undefined) {
      const shown = JSON.stringify(id.slice(0, 100));
      throw new AppError('not_found', `there is no endpoint ${shown}`, { field: 'id' });
    }
    const { window } = coverage;
    const { limit } = parameters;
    const callers = await consumerEntries(context, selection, window, entry.usage, { limit });
    const internal = await internalCallersIn(context, selection, coverage);
    const versions = await snapshot.versions(selection, window);
    const recorded = versions.reduce((sum, { usage }) => sum + usage.calls, 0);
    const notes = unrecordedNotes(entry.usage.calls - recorded, 'callers or versions');
    const clients = await snapshot.clients(selection, coverage.window, parameters.limit);
    const series = await glance(snapshot, selection, coverage);
    const latency = await latencyOf(snapshot, selection, coverage.window, entry.usage);
    const glanced = await glanceAtCalls(context, selection, coverage.window);
    const { service, environment } = entry.endpoint;
    const events = await eventsIn(snapshot, { service, environment }, window);
    const row = endpointTable.row(entry);
    return {
      ...head(context, { ...known, notes: [...known.notes, ...notes] }, {}),
      endpoint: row,
      status_codes: statusCodes(entry.usage),
      interval: series.interval,
      time_series: seriesEntries(series).map((point) => pointTable.row(point)),
      events: events.map((event) => eventTable.row(event)),
      latency_heatmap: latency.heatmap,
      percentile_curve: latency.curve,
      histogram: latency.histogram,
      lifetime_outcomes: countsOf(entry.endpoint.lifetimeOutcomes),
      agents: agentsOf(callers.entries),
      consumers: callers.entries.map((consumer) => consumerTable.row(consumer)),
      internal_callers: {
        window: windowAnswer(internal.coverage),
        ...internal.known,
        callers: internal.entries
          .toSorted(mostCalls)
          .slice(0, limit)
          .map((caller) => internalCallerTable.row(caller)),
      },
      versions: versionEntries(versions, entry.endpoint, entry.usage.calls).map((version) =>
        versionTable.row(version),
      ),
      clients: clients.map((client) => clientTable.row({ ...client, allCalls: entry.usage.calls })),
      slowest_calls: glanced.slowest.map((call) => callTable.row(call)),
      latest_errors: glanced.errors.map((call) => callTable.row(call)),
      last_callers: row.last_callers,
      last_answered_callers: entry.endpoint.lastAnsweredCallers.map(lastCallerRow),
      window_last_callers: windowLastCallers(entry.endpoint, window),
      window_last_answered_callers: windowLastAnsweredCallers(entry.endpoint, window),
    };
  },
});
