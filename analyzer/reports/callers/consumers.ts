import { z } from 'zod';
import { limits, specialRoutes } from '../../../core/limits.ts';
import { outcomes } from '../../../core/outcome.ts';
import type { ConsumerNote } from '../../../core/store/annotations/consumers.ts';
import type { ConsumerUsage, CountedCalls, Selection } from '../../../core/store/store.ts';
import type { Usage } from '../../../core/usage/usage.ts';
import { isoTime, type Window } from '../../../core/window.ts';
import {
  type Head,
  head,
  headProse,
  headShape,
  type Note,
  type QueryContext,
  selectionNotes,
} from '../../query/answer-head.ts';
import { listPage } from '../../query/list.ts';
import type { Order } from '../../query/page.ts';
import {
  chosenEndpoints,
  commonParameters,
  endpointParameter,
  orderParameter,
  pageParameters,
  versionParameter,
} from '../../query/parameters.ts';
import { defineQuery } from '../../query/query.ts';
import { count, nextCursor, percentOrNull, time } from '../../query/schema.ts';
import { isText, sortValue, tableOf } from '../../query/table.ts';
import { keptCoverage } from '../../query/window.ts';
import { chosenSelection } from '../endpoint-filter.ts';
import { countOf, percent } from '../figures.ts';
import { callsOf, unrecordedNotes, versionNotes } from './calls-of-version.ts';

/** Calls of one consumer, by the agents that were asked for. */
export interface ConsumerEntry {
  usage: ConsumerUsage;
  calls: CountedCalls;
  /** Calls in the window of all the endpoints, those of no consumer too. */
  allCalls: number;
  /** It is one of the project's own services, by its name. */
  isInternal: boolean;
  note?: ConsumerNote;
}

const outcomeColumn = (outcome: (typeof outcomes)[number], about: string) => ({
  type: count,
  about,
  value: ({ calls }: ConsumerEntry) => countOf(calls.outcomes[outcome]),
});

/** Who calls. Every call is in one row, except for those that release 0.1.0 counted. */
export const consumerTable = tableOf<ConsumerEntry>()('ConsumerRow', {
  consumer: {
    type: z.string().nullable(),
    about: `as the span names it, else the product of its user agent; null when neither is known; the last row may be {other}: the consumers beyond ${limits.listedConsumers} and the rarest of an endpoint with more than ${limits.consumersPerEndpoint}`,
    value: ({ usage }) => usage.consumer || null,
    brief: true,
  },
  named_by: {
    type: z.enum(['span', 'agent', 'other']),
    about:
      'span: an attribute of the span named the consumer (ROLLCALL_CONSUMER_ATTRIBUTES); agent: only its user agent is known; other: the row {other}',
    value: ({ usage }) => usage.namedBy,
  },
  display_name: {
    type: z.string().nullable(),
    about: 'as PUT /consumers/{name} was told',
    value: ({ note }) => note?.displayName || null,
    brief: true,
  },
  group: {
    type: z.string().nullable(),
    about: 'as PUT /consumers/{name} was told',
    value: ({ note }) => note?.group || null,
    brief: true,
  },
  contact: {
    type: z.string().nullable(),
    about: 'as PUT /consumers/{name} was told',
    value: ({ note }) => note?.contact || null,
  },
  calls: {
    type: count,
    about: 'calls in the window',
    value: ({ calls }) => countOf(calls.calls),
    brief: true,
  },
  share_pct: {
    type: percentOrNull,
    about: 'of all calls in the window to the same endpoints',
    value: ({ calls, allCalls }) => percent(calls.calls, allCalls),
    brief: true,
  },
  errors: {
    type: count,
    about: 'of those, statuses of 400 or more',
    value: ({ calls }) => countOf(calls.errors),
    brief: true,
  },
  error_rate_pct: {
    type: percentOrNull,
    about: 'errors of calls',
    value: ({ calls }) => percent(calls.errors, calls.calls),
    brief: true,
  },
  answered_count: outcomeColumn('answered', 'statuses 100 to 399'),
  refused_count: outcomeColumn('refused', 'statuses 401, 403 and 429'),
  missing_count: outcomeColumn('missing', 'statuses 404, 405 and 410'),
  failed_count: outcomeColumn('failed', 'every other call, those without a status too'),
  people_calls: {
    type: count,
    about: 'calls whose user agent is no bot, whatever agents= asked for',
    value: ({ usage }) => countOf(usage.people.calls),
  },
  bot_calls: {
    type: count,
    about: 'calls whose user agent is a bot: a crawler, scanner, link preview or monitor',
    value: ({ usage }) => countOf(usage.bots.calls),
  },
  endpoints: {
    type: count.nullable(),
    about: 'endpoints that it called, of those asked for; null of {other}',
    value: ({ usage }) => usage.endpoints ?? null,
    brief: true,
  },
  first_called_at: {
    type: time,
    about: 'its first call in the window, to the second',
    value: ({ usage }) => isoTime(usage.firstCallMs),
  },
  last_called_at: {
    type: time,
    about: 'its last call in the window, to the second',
    value: ({ usage }) => isoTime(usage.lastCallMs),
    brief: true,
  },
  internal: {
    type: z.boolean(),
    about:
      "it has the name of a service that was observed here: one of the project's own services calls; its name comes from the span where ROLLCALL_CONSUMER_ATTRIBUTES names such an attribute, as peer.service, else from its user agent",
    value: ({ isInternal }) => isInternal,
  },
});

export type ConsumerRow = z.output<typeof consumerTable.schema>;
type ConsumerColumn = (typeof consumerTable.names)[number];

export const agentKinds = ['all', 'people', 'bots'] as const;
type AgentKind = (typeof agentKinds)[number];

export const callerKinds = ['all', 'internal', 'external'] as const;

const sortFields = consumerTable.names as readonly ConsumerColumn[] as [
  ConsumerColumn,
  ...ConsumerColumn[],
];

/** All consumers, page by page; beyond a bound they share the last row. */
export const consumers = defineQuery({
  name: 'consumers',
  path: '/consumers',
  about:
    'Who called in the window, by the name in the span or its user agent: "who still calls v1" is /consumers?route=/v1/*',
  parameters: z.strictObject({
    ...commonParameters,
    ...chosenEndpoints,
    endpoint: endpointParameter,
    version: versionParameter,
    agents: z
      .enum(agentKinds)
      .default('all')
      .describe('all, people or bots: the calls that are counted; all unless told'),
    callers: z
      .enum(callerKinds)
      .default('all')
      .describe(
        "all, internal or external: internal consumers have the name of one of the project's own services; all unless told",
      ),
    group: z
      .string()
      .max(limits.consumerNoteCharacters)
      .optional()
      .describe('only consumers of this group, as PUT /consumers/{name} was told'),
    sort: z
      .enum(sortFields)
      .default('calls')
      .describe(`one of ${sortFields.join(', ')}; calls unless told`),
    order: orderParameter,
    ...pageParameters(100),
  }),
  schema: z.object({
    ...headShape,
    total_calls: count.describe('calls in the window of all the endpoints asked for'),
    known_calls: count.describe(
      'calls by the agents asked for whose consumer is known, whatever callers= and group= asked for',
    ),
    internal_calls: count.describe(
      "of those, calls by the project's own services, as `internal` tells",
    ),
    unrecorded_calls: count.describe(
      'of all calls, those that release 0.1.0 counted: it did not keep whose they were',
    ),
    consumers: z.array(consumerTable.schema),
    next_cursor: nextCursor,
  }),
  list: {
    title: 'Consumers',
    noun: 'consumers',
    isStreamed: true,
    table: consumerTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const { snapshot } = context;
    const { endpoint, agents, group, sort, order, callers, version } = parameters;
    const page = await listPage(context, '/consumers', parameters, async (window) => {
      const coverage = await keptCoverage(snapshot, window);
      const {
        selection,
        observedSinceMs,
        filters: chosen,
      } = await chosenSelection(context, parameters);
      const total = await snapshot.total(selection, coverage.window);
      const calls = await callsOf(snapshot, selection, coverage.window, version);
      const of = { agents, version };
      const known = await consumerEntries(context, selection, coverage.window, { calls }, of);
      const rows = known.entries
        .filter(({ note }) => group === undefined || note?.group === group)
        .filter(({ isInternal }) => callers === 'all' || isInternal === (callers === 'internal'));
      const estimated = total.sampling !== undefined || rows.some(({ usage }) => isOther(usage));
      const notes = [
        ...(await selectionNotes(context, parameters)),
        ...(version === undefined
          ? known.notes
          : await versionNotes(snapshot, selection, coverage.window, version)),
      ];
      const filters = { ...chosen, endpoint, version, agents, callers, group };
      const figures = { coverage, observedSinceMs, estimated, notes };
      const descending = order ? order === 'desc' : !isText(sort, consumerTable.columns[sort]);
      return {
        head: {
          ...head(context, figures, filters),
          total_calls: countOf(calls),
          known_calls: callsOfEntries(
            known.entries,
            ({ usage }) => usage.consumer !== '' && !isOther(usage),
          ),
          internal_calls: callsOfEntries(known.entries, ({ isInternal }) => isInternal),
          unrecorded_calls: countOf(known.unrecorded),
        },
        rows,
        order: orderOf(sort, descending),
      };
    });
    const rows = page.rows.map((entry) => consumerTable.row(entry));
    return { ...page.head, consumers: rows, next_cursor: page.next_cursor };
  },
});

/**
 * Consumers of some endpoints, most calls first, without those that the asked agents have no call of.
 * @param total calls of all consumers @param version only calls that it answered
 */
export async function consumerEntries(
  { snapshot }: Pick<QueryContext, 'snapshot'>,
  selection: Selection,
  window: Window,
  total: Pick<Usage, 'calls'>,
  {
    agents = 'all',
    limit = limits.listedConsumers,
    version,
  }: { agents?: AgentKind; limit?: number; version?: string | undefined } = {},
): Promise<{ entries: ConsumerEntry[]; unrecorded: number; notes: Note[] }> {
  const usages = await snapshot.consumers(selection, window, limit, version);
  const told = new Map((await snapshot.consumerNotes()).map((note) => [note.consumer, note]));
  const services = new Set((await snapshot.services()).map(({ service }) => service));
  const entries: ConsumerEntry[] = [];
  let recorded = 0;
  for (const usage of usages) {
    const { people, bots, consumer } = usage;
    recorded += people.calls + bots.calls;
    const calls = agents === 'all' ? together(people, bots) : usage[agents];
    if (agents !== 'all' && calls.calls === 0) continue;
    const note = isOther(usage) ? undefined : told.get(consumer);
    const isInternal = !isOther(usage) && consumer !== '' && services.has(consumer);
    entries.push({ usage, calls, allCalls: total.calls, isInternal, ...(note && { note }) });
  }
  const unrecorded = total.calls - recorded;
  return { entries, unrecorded, notes: unrecordedNotes(unrecorded, 'callers') };
}

function together(a: CountedCalls, b: CountedCalls): CountedCalls {
  const sums = outcomes.map((outcome) => [outcome, a.outcomes[outcome] + b.outcomes[outcome]]);
  return {
    calls: a.calls + b.calls,
    errors: a.errors + b.errors,
    outcomes: Object.fromEntries(sums) as CountedCalls['outcomes'],
  };
}

function callsOfEntries(
  entries: readonly ConsumerEntry[],
  isCounted: (entry: ConsumerEntry) => boolean,
): number {
  const counted = entries.filter(isCounted);
  return countOf(counted.reduce((sum, { calls }) => sum + calls.calls, 0));
}

const isOther = ({ namedBy }: ConsumerUsage): boolean => namedBy === 'other';

/** `{other}` comes last, regardless of its figures. */
function orderOf(sort: ConsumerColumn, descending: boolean): Order<ConsumerEntry> {
  return {
    value: (entry) => (isOther(entry.usage) ? null : sortValue(consumerTable.columns[sort], entry)),
    descending,
    key: ({ usage: { consumer, namedBy } }) =>
      `${consumer === specialRoutes.other && namedBy === 'other' ? 1 : 0} ${consumer} ${namedBy}`,
  };
}
