import { z } from 'zod';
import { limits, specialRoutes } from '../../../core/limits.ts';
import type { outcomes } from '../../../core/outcome.ts';
import type { ClientUsage } from '../../../core/store/store.ts';
import { isoTime } from '../../../core/window.ts';
import { type Head, head, headProse, headShape, selectionNotes } from '../../query/answer-head.ts';
import { listPage } from '../../query/list.ts';
import type { Order } from '../../query/page.ts';
import {
  chosenEndpoints,
  commonParameters,
  endpointParameter,
  pageParameters,
  versionParameter,
} from '../../query/parameters.ts';
import { defineQuery } from '../../query/query.ts';
import { count, nextCursor, percentOrNull, time } from '../../query/schema.ts';
import { tableOf } from '../../query/table.ts';
import { keptCoverage } from '../../query/window.ts';
import { chosenSelection } from '../endpoint-filter.ts';
import { countOf, percent } from '../figures.ts';
import { callsOf, versionNotes } from './calls-of-version.ts';
import { clientNotes, isHashed } from './client-notes.ts';

export interface ClientEntry extends ClientUsage {
  /** Calls in the window to the same endpoints, those of unknown clients too. */
  allCalls: number;
  /** Of those asked for, that it called; null of {other}; undefined where that was not asked for. */
  endpoints?: number | null;
}

const outcomeColumn = (outcome: (typeof outcomes)[number], about: string) => ({
  type: count,
  about,
  value: (usage: ClientEntry) => countOf(usage.outcomes[outcome]),
});

const timeOrNull = (ms: number | undefined): string | null =>
  ms === undefined ? null : isoTime(ms);

/** One network address that called. Calls without a known address are in no row. */
export const clientTable = tableOf<ClientEntry>()('ClientRow', {
  client: {
    type: z.string(),
    about: `address; the last row is {other}: the clients beyond ${limits.listedClients} and the rarest of an endpoint with more than ${limits.clientsPerEndpoint}`,
    value: ({ client }) => client,
    brief: true,
  },
  calls: {
    type: count,
    about: 'calls in the window',
    value: ({ calls }) => countOf(calls),
    brief: true,
  },
  share_pct: {
    type: percentOrNull,
    about: 'of all calls in the window to the same endpoints, those without a known address too',
    value: ({ calls, allCalls }) => percent(calls, allCalls),
  },
  errors: {
    type: count,
    about: 'of those, statuses of 400 or more',
    value: ({ errors }) => countOf(errors),
    brief: true,
  },
  error_rate_pct: {
    type: percentOrNull,
    about: 'errors of calls',
    value: ({ calls, errors }) => percent(errors, calls),
    brief: true,
  },
  endpoints: {
    type: count.nullable().optional(),
    about: 'endpoints that it called, of those asked for; null of {other}; absent in other lists',
    value: ({ endpoints }) => endpoints,
    sparse: true,
    brief: true,
  },
  answered_count: outcomeColumn('answered', 'statuses 100 to 399'),
  refused_count: outcomeColumn('refused', 'statuses 401, 403 and 429'),
  missing_count: outcomeColumn('missing', 'statuses 404, 405 and 410'),
  failed_count: outcomeColumn('failed', 'every other call, those without a status too'),
  unrecorded_count: {
    type: count.optional(),
    about:
      'calls that release 0.1.0 counted and whose outcome it did not keep: they are in none of the four counts; absent for none',
    value: ({ unrecorded }) => (unrecorded === undefined ? undefined : countOf(unrecorded)),
    sparse: true,
  },
  first_called_at: {
    type: time.nullable(),
    about:
      'its first call in the window, rounded down to the minute; null when release 0.1.0 counted calls of it, whose times it did not keep',
    value: ({ firstMinuteMs }) => timeOrNull(firstMinuteMs),
  },
  last_called_at: {
    type: time.nullable(),
    about:
      'its last call in the window, rounded down to the minute; null when release 0.1.0 counted all its calls',
    value: ({ lastMinuteMs }) => timeOrNull(lastMinuteMs),
    brief: true,
  },
  one_day: {
    type: z.literal(true).optional(),
    about:
      'the address is hashed with the key of one day: the same client has another name on another day; absent for addresses that are not hashed',
    value: (usage) => isHashed(usage) || undefined,
  },
});

export type ClientRow = z.output<typeof clientTable.schema>;

/** `{other}` comes last, regardless of its calls. */
const mostCallsFirst: Order<ClientEntry> = {
  value: ({ client, calls }) => (client === specialRoutes.other ? null : calls),
  descending: true,
  key: ({ client }) => client,
};

/** All clients, page by page; beyond a bound they share the last row. */
export const clients = defineQuery({
  name: 'clients',
  path: '/clients',
  about:
    'The addresses that called in the window, most calls first: "who still calls version 1.4" is /clients?version=1.4',
  parameters: z.strictObject({
    ...commonParameters,
    ...chosenEndpoints,
    endpoint: endpointParameter,
    version: versionParameter,
    ...pageParameters(100),
  }),
  schema: z.object({
    ...headShape,
    clients: z.array(clientTable.schema),
    next_cursor: nextCursor,
  }),
  list: {
    title: 'Clients',
    noun: 'clients',
    isStreamed: true,
    table: clientTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const { snapshot } = context;
    const { endpoint, version } = parameters;
    const page = await listPage(context, '/clients', parameters, async (window) => {
      const coverage = await keptCoverage(snapshot, window);
      const { selection, observedSinceMs, filters } = await chosenSelection(context, parameters);
      const { window: covered } = coverage;
      const found = await snapshot.clients(selection, covered, limits.listedClients, version);
      const allCalls = await callsOf(snapshot, selection, covered, version);
      const used = await snapshot.clientEndpoints(selection, covered, version);
      const rows = found.map((usage) => {
        const endpoints = used.get(usage.client) ?? null;
        return { ...usage, allCalls, endpoints };
      });
      const estimated = rows.some(
        (usage) => usage.estimated || usage.client === specialRoutes.other,
      );
      const notes = [
        ...(await selectionNotes(context, parameters)),
        ...clientNotes(context, coverage.window, rows.some(isHashed)),
        ...(await versionNotes(snapshot, selection, covered, version)),
      ];
      const known = { coverage, observedSinceMs, estimated, notes };
      return {
        head: head(context, known, { ...filters, endpoint, version }),
        rows,
        order: mostCallsFirst,
      };
    });
    const rows = page.rows.map((usage) => clientTable.row(usage));
    return { ...page.head, clients: rows, next_cursor: page.next_cursor };
  },
});
