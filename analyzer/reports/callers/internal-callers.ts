import { z } from 'zod';
import { limits } from '../../../core/limits.ts';
import {
  type InternalCallerUsage,
  internalCallerWindow,
} from '../../../core/store/callers/internal-callers.ts';
import type { Coverage, Selection } from '../../../core/store/store.ts';
import { isoTime } from '../../../core/window.ts';
import {
  type Head,
  head,
  headProse,
  headShape,
  type QueryContext,
  selectionNotes,
} from '../../query/answer-head.ts';
import { listPage } from '../../query/list.ts';
import type { Order } from '../../query/page.ts';
import {
  chosenEndpoints,
  commonParameters,
  endpointParameter,
  pageParameters,
} from '../../query/parameters.ts';
import { defineQuery } from '../../query/query.ts';
import { count, nextCursor, percentOrNull, time } from '../../query/schema.ts';
import { tableOf } from '../../query/table.ts';
import { keptCoverage } from '../../query/window.ts';
import { chosenSelection } from '../endpoint-filter.ts';
import { countOf, percent } from '../figures.ts';
import { consumerEntries } from './consumers.ts';

/** One of the project's own services as a caller. */
interface InternalCallerEntry {
  service: string;
  environment: string;
  traced: number;
  peer: number;
  /** Calls of consumers with its name whose spans show no caller. */
  named: number;
  errors: number;
  endpoints: number;
  firstMs: number;
  lastMs: number;
  /** Calls in the window of all the endpoints. */
  allCalls: number;
}

const callsOf = ({ traced, peer, named }: InternalCallerEntry): number => traced + peer + named;

export const internalCallerTable = tableOf<InternalCallerEntry>()('InternalCallerRow', {
  service: {
    type: z.string(),
    about: `service.name of the caller; {other}: callers past the bound of ${limits.internalCallersPerEndpoint} for an endpoint and hour`,
    value: ({ service }) => service,
    brief: true,
  },
  environment: {
    type: z.string().nullable(),
    about: 'of the caller; null where the trace does not tell it',
    value: ({ environment }) => environment || null,
    brief: true,
  },
  calls: {
    type: count,
    about: 'calls in the window: traced_calls, peer_calls and named_calls together',
    value: (entry) => countOf(callsOf(entry)),
    brief: true,
  },
  share_pct: {
    type: percentOrNull,
    about: 'of all calls in the window to the same endpoints',
    value: (entry) => percent(callsOf(entry), entry.allCalls),
    brief: true,
  },
  errors: {
    type: count,
    about: 'of traced_calls and peer_calls, statuses of 400 or more',
    value: ({ errors }) => countOf(errors),
    brief: true,
  },
  traced_calls: {
    type: count,
    about: "known by the trace: the SERVER span's parent is a CLIENT or SERVER span of the caller",
    value: ({ traced }) => countOf(traced),
  },
  peer_calls: {
    type: count,
    about: 'known by the SERVER span: service.peer.name or peer.service',
    value: ({ peer }) => countOf(peer),
  },
  named_calls: {
    type: count,
    about:
      'of other calls, those whose consumer or user agent has the name of a service that was observed here',
    value: ({ named }) => countOf(named),
  },
  endpoints: {
    type: count,
    about: 'endpoints that it called, of those asked for',
    value: ({ endpoints }) => endpoints,
    brief: true,
  },
  first_called_at: {
    type: time,
    about: `its first call in the window: to the hour, to the day before the last ${limits.internalCallerHourDays - 1} days`,
    value: ({ firstMs }) => isoTime(firstMs),
  },
  last_called_at: {
    type: time,
    about: 'its last call in the window, as the first',
    value: ({ lastMs }) => isoTime(lastMs),
    brief: true,
  },
});

export type InternalCallerRow = z.output<typeof internalCallerTable.schema>;

/** How often the caller of a call is known. */
export const knownCallersShape = {
  total_calls: count.describe('calls in the window of all the endpoints asked for'),
  known_calls: count.describe(
    "of those, calls whose caller is known to be one of the project's own services",
  ),
  known_pct: percentOrNull.describe(
    'known_calls of total_calls; the rest came from outside of the project, or nothing shows from where',
  ),
};

export const internalCallers = defineQuery({
  name: 'internalCallers',
  path: '/consumers/internal',
  about:
    "Which of the project's own services called in the window, by the trace, by the span's peer or by name; `known_pct` says how often it is known",
  parameters: z.strictObject({
    ...commonParameters,
    ...chosenEndpoints,
    endpoint: endpointParameter,
    ...pageParameters(100),
  }),
  schema: z.object({
    ...headShape,
    ...knownCallersShape,
    internal_callers: z.array(internalCallerTable.schema),
    next_cursor: nextCursor,
  }),
  list: {
    title: 'Internal callers',
    noun: 'internal_callers',
    isStreamed: true,
    table: internalCallerTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const { snapshot } = context;
    const { endpoint } = parameters;
    const page = await listPage(context, '/consumers/internal', parameters, async (window) => {
      const { selection, observedSinceMs, filters } = await chosenSelection(context, parameters);
      const found = await internalCallersIn(
        context,
        selection,
        await keptCoverage(snapshot, window),
      );
      const notes = await selectionNotes(context, parameters);
      const { coverage, estimated } = found;
      const figures = { coverage, observedSinceMs, estimated, notes };
      return {
        head: { ...head(context, figures, { ...filters, endpoint }), ...found.known },
        rows: found.entries,
        order: byCalls,
      };
    });
    const rows = page.rows.map((entry) => internalCallerTable.row(entry));
    return { ...page.head, internal_callers: rows, next_cursor: page.next_cursor };
  },
});

/** Compares two callers: the one with more calls is first. */
export const mostCalls = (a: InternalCallerEntry, b: InternalCallerEntry): number =>
  callsOf(b) - callsOf(a) || (a.service < b.service ? -1 : 1);

const byCalls: Order<InternalCallerEntry> = {
  value: callsOf,
  descending: true,
  key: ({ service, environment }) => `${service}\0${environment}`,
};

/** @returns callers in the window as it is kept for them, which `coverage` has */
export async function internalCallersIn(
  context: Pick<QueryContext, 'snapshot' | 'nowMs'>,
  selection: Selection,
  asked: Coverage,
) {
  const { snapshot, nowMs } = context;
  const wide = internalCallerWindow(asked.window, nowMs);
  const coverage = { ...(await snapshot.coverage(wide)), incomplete: asked.incomplete };
  const total = await snapshot.total(selection, coverage.window);
  const callers = await snapshot.internalCallers(selection, coverage.window);
  const entries = new Map<string, InternalCallerEntry>();
  for (const caller of callers) {
    const { service, environment, tracedCalls: traced, peerCalls: peer, ...figures } = caller;
    const { errors, endpoints, firstMs, lastMs } = figures;
    const entry = { service, environment, traced, peer, errors, endpoints, firstMs, lastMs };
    entries.set(keyOf(service, environment), { ...entry, named: 0, allCalls: total.calls });
  }
  const byName = namedCalls(callers);
  const consumers = await consumerEntries(context, selection, coverage.window, total);
  const named = new Map<string, Named>();
  for (const { isInternal, usage, calls } of consumers.entries) {
    if (!isInternal) continue;
    const known = named.get(usage.consumer);
    named.set(usage.consumer, {
      calls: (known?.calls ?? 0) + calls.calls,
      endpoints: Math.max(known?.endpoints ?? 0, usage.endpoints ?? 0),
      firstMs: Math.min(known?.firstMs ?? usage.firstCallMs, usage.firstCallMs),
      lastMs: Math.max(known?.lastMs ?? usage.lastCallMs, usage.lastCallMs),
    });
  }
  for (const [service, { calls, ...of }] of named) {
    const more = calls - (byName.get(service) ?? 0);
    if (more <= 0) continue;
    const entry = entries.get(keyOf(service, '')) ?? {
      ...{ service, environment: '', traced: 0, peer: 0, named: 0, errors: 0 },
      ...{ ...of, allCalls: total.calls },
    };
    entry.named = more;
    entry.endpoints = Math.max(entry.endpoints, of.endpoints);
    entry.firstMs = Math.min(entry.firstMs, of.firstMs);
    entry.lastMs = Math.max(entry.lastMs, of.lastMs);
    entries.set(keyOf(service, ''), entry);
  }
  const sum = [...entries.values()].reduce((calls, entry) => calls + callsOf(entry), 0);
  const knownCalls = Math.min(sum, total.calls);
  const isEstimate = ({ tracedCalls, peerCalls, seenCalls }: InternalCallerUsage): boolean =>
    tracedCalls + peerCalls !== seenCalls;
  return {
    coverage,
    entries: [...entries.values()],
    estimated: total.sampling !== undefined || callers.some(isEstimate),
    known: {
      total_calls: countOf(total.calls),
      known_calls: countOf(knownCalls),
      known_pct: percent(knownCalls, total.calls),
    },
  };
}

interface Named {
  calls: number;
  endpoints: number;
  firstMs: number;
  lastMs: number;
}

const keyOf = (service: string, environment: string): string => `${service}\0${environment}`;

/** By service: calls that the consumer of its name has too. */
function namedCalls(callers: readonly InternalCallerUsage[]): Map<string, number> {
  const named = new Map<string, number>();
  for (const { service, namedCalls } of callers) {
    named.set(service, (named.get(service) ?? 0) + namedCalls);
  }
  return named;
}
