import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import type { ConsumerUsage, Snapshot } from '../../core/store/store.ts';
import { isoTime } from '../../core/window.ts';
import {
  type Head,
  head,
  headProse,
  headShape,
  selectionNotes,
  selectionOf,
} from '../query/answer-head.ts';
import { listPage } from '../query/list.ts';
import type { Order } from '../query/page.ts';
import {
  commonParameters,
  filterParameters,
  limitParameter,
  pageParameters,
} from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import { count, named, nextCursor, time } from '../query/schema.ts';
import { tableOf } from '../query/table.ts';
import { keptCoverage } from '../query/window.ts';
import { endpointColumns } from '../reports/endpoint-columns.ts';
import { endpointFilter, hasOwner } from '../reports/endpoint-filter.ts';
import { endpointKey, endpointTable } from '../reports/endpoint-row.ts';
import { type EndpointEntry, usageByEndpoint } from '../reports/endpoint-usage.ts';
import { countOf } from '../reports/figures.ts';
import { equalEdges } from '../reports/series/series.ts';
import { dayMs } from '../verdict/observation.ts';

/** Points of the callers over time: a quarter has one a week. */
const points = 12;
/** Callers that a row names, those with most calls first. */
const namedCallers = 20;

const pointSchema = named(
  'DeprecatedPoint',
  z.object({ from: time, calls: count, callers: count }),
);
const callerSchema = named(
  'DeprecatedCaller',
  z.object({
    consumer: z.string().nullable().describe('its name, else the product of its user agent'),
    calls: count.describe('in the window'),
    last_called_at: time,
    calls_over_time: z.array(count).describe('in each interval of over_time'),
  }),
);

interface DeprecatedEntry extends EndpointEntry {
  nowMs: number;
  callers: z.output<typeof callerSchema>[];
  callerCount: number;
  overTime: z.output<typeof pointSchema>[];
}

const { owner, status, deprecated_since, sunset_at, deprecation_link, total_calls } =
  endpointTable.columns;

const deprecatedTable = tableOf<DeprecatedEntry>()('DeprecatedRow', {
  id: endpointTable.columns.id,
  ...endpointColumns,
  owner: { ...owner, brief: true },
  status,
  deprecated_since: { ...deprecated_since, brief: true },
  sunset_at: { ...sunset_at, brief: true },
  days_until_sunset: {
    type: z.number().int().nullable(),
    about: 'whole days from now, negative when it has passed; null without a date',
    value: ({ lifecycle, nowMs }) => {
      const sunsetMs = Date.parse(lifecycle.ending?.sunsetAt ?? '');
      return Number.isNaN(sunsetMs) ? null : Math.floor((sunsetMs - nowMs) / dayMs);
    },
    brief: true,
  },
  deprecation_link,
  total_calls,
  caller_count: {
    type: count,
    about: 'distinct consumers in the window',
    value: ({ callerCount }) => callerCount,
    brief: true,
  },
  callers: {
    type: z.array(callerSchema),
    about: `consumers in the window, most calls first, at most ${namedCallers}`,
    value: ({ callers }) => callers,
    markdown: (callers) =>
      callers.map(({ consumer, calls }) => `${consumer ?? 'unknown'} (${calls})`).join(', '),
    brief: true,
  },
  over_time: {
    type: z.array(pointSchema),
    about: `calls and distinct consumers in at most ${points} equal intervals of the window, oldest first`,
    value: ({ overTime }) => overTime,
    jsonOnly: true,
  },
});

const bySunset: Order<EndpointEntry> = {
  value: ({ lifecycle }) => {
    const sunsetMs = Date.parse(lifecycle.ending?.sunsetAt ?? '');
    return Number.isNaN(sunsetMs) ? null : sunsetMs;
  },
  descending: false,
  key: endpointKey,
};

/** Endpoints that end, the soonest first, and whether their callers leave. */
export const deprecated = defineQuery({
  name: 'deprecated',
  path: '/report/deprecated',
  about:
    'Endpoints that are deprecated or have a sunset, soonest first, with their callers over time towards that date',
  parameters: z.strictObject({
    ...commonParameters,
    owner: filterParameters.owner,
    method: filterParameters.method,
    route: filterParameters.route,
    q: filterParameters.q,
    ...pageParameters(),
    // A row holds twelve times its callers.
    limit: limitParameter(50, 20),
  }),
  schema: z.object({
    ...headShape,
    endpoints: z.array(deprecatedTable.schema),
    next_cursor: nextCursor,
  }),
  list: {
    title: 'Deprecated endpoints',
    noun: 'endpoints',
    table: deprecatedTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const { snapshot, nowMs } = context;
    const { service, environment, owner: owned, method, route, q } = parameters;
    const filters = { service, environment, owner: owned, method, route, q };
    const passes = endpointFilter(filters);
    const page = await listPage(context, '/report/deprecated', parameters, async (window) => {
      const coverage = await keptCoverage(snapshot, window);
      const all = await usageByEndpoint(context, selectionOf(parameters), coverage);
      const notes = [...(await selectionNotes(context, parameters)), ...all.notes];
      const rows = all.entries.filter(
        (entry) =>
          entry.lifecycle.ending !== undefined && passes(entry.endpoint) && hasOwner(entry, owned),
      );
      return { head: head(context, { ...all, notes }, filters), rows, order: bySunset };
    });
    const edgesS = await edgesOf(snapshot, page.head);
    const endpoints: z.output<typeof deprecatedTable.schema>[] = [];
    const called = page.rows.filter(({ usage }) => usage.calls > 0);
    const ids = new Set(called.map(({ endpoint }) => endpoint.id));
    const consumers = await snapshot.endpointConsumers(
      { endpoints: ids },
      edgesS,
      limits.listedConsumers,
    );
    for (const entry of page.rows) {
      const known = callersOf(consumers.get(entry.endpoint.id), edgesS);
      endpoints.push(deprecatedTable.row({ ...entry, nowMs, ...known }));
    }
    return { ...page.head, endpoints, next_cursor: page.next_cursor };
  },
});

function edgesOf(snapshot: Snapshot, { window }: Head): Promise<number[]> {
  const [fromS, toS] = [window.from, window.to].map((text) => Date.parse(text) / 1000);
  return equalEdges(snapshot, { fromS: fromS!, toS: toS! }, points);
}

type Caller = Omit<z.output<typeof callerSchema>, 'last_called_at'> & { lastMs: number };

/** @param byInterval calls by consumer in each interval; undefined for an endpoint without a call */
function callersOf(
  byInterval: readonly (readonly ConsumerUsage[])[] | undefined,
  edgesS: readonly number[],
): Pick<DeprecatedEntry, 'callers' | 'callerCount' | 'overTime'> {
  const callers = new Map<string, Caller>();
  const overTime: DeprecatedEntry['overTime'] = [];
  const intervals = edgesS.length - 1;
  for (let n = 0; n < intervals; n += 1) {
    const own = byInterval?.[n] ?? [];
    let calls = 0;
    for (const { consumer, namedBy, people, bots, lastCallMs } of own) {
      const its = people.calls + bots.calls;
      calls += its;
      const key = `${namedBy} ${consumer}`;
      let caller = callers.get(key);
      if (caller === undefined) {
        const zeros = Array<number>(intervals).fill(0);
        caller = { consumer: consumer || null, calls: 0, lastMs: 0, calls_over_time: zeros };
        callers.set(key, caller);
      }
      caller.calls += its;
      caller.calls_over_time[n] = countOf(its);
      caller.lastMs = Math.max(caller.lastMs, lastCallMs);
    }
    overTime.push({
      from: isoTime(edgesS[n]! * 1000),
      calls: countOf(calls),
      callers: own.length,
    });
  }
  const most = [...callers.values()].sort((a, b) => b.calls - a.calls).slice(0, namedCallers);
  return {
    callers: most.map(({ lastMs, ...caller }) => ({
      ...caller,
      calls: countOf(caller.calls),
      last_called_at: isoTime(lastMs),
    })),
    callerCount: callers.size,
    overTime,
  };
}
