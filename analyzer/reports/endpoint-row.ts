import { z } from 'zod';
import type { Outcome } from '../../core/outcome.ts';
import { decisionActions } from '../../core/store/decisions.ts';
import type { LastCaller } from '../../core/store/store.ts';
import type { percentiles } from '../../core/usage/usage.ts';
import { isoTime, type Window } from '../../core/window.ts';
import { returnReasons } from '../decisions/applied-decision.ts';
import { type JsonBytes, partOf } from '../query/json-bytes.ts';
import { count, millisecondsOrNull, named, percentOrNull, time } from '../query/schema.ts';
import { marks, statuses } from '../query/status.ts';
import { tableOf } from '../query/table.ts';
import { type ReasonCode, reasonCodes, reasonsOf, reasonsText } from '../verdict/reasons.ts';
import { callersInWindow } from './callers/window-callers.ts';
import { endpointColumns } from './endpoint-columns.ts';
import { type EndpointEntry, isEstimated, type ListedEndpoint } from './endpoint-usage.ts';
import {
  averageMs,
  callsInterval,
  countOf,
  errorRatePct,
  leastMs,
  mostMs,
  outcomeCount,
  percentileMs,
  successRatePct,
} from './figures.ts';
import { sparkSchema } from './series/spark.ts';

const lastCallerSchema = named(
  'LastCaller',
  z.object({
    client: z.string().nullable().describe('address'),
    consumer: z.string().nullable().describe('who the caller is, where the span says so'),
    agent: z.string().nullable().describe('product of the user agent'),
    called_at: time,
  }),
);

export const reasonSchema = named(
  'VerdictReason',
  z.object({
    code: z.enum(Object.keys(reasonCodes) as [ReasonCode, ...ReasonCode[]]).describe(
      Object.entries(reasonCodes)
        .map(([code, meaning]) => `${code}: ${meaning}`)
        .join('; '),
    ),
    message: z.string().describe('a sentence for people'),
  }),
);

const callsIntervalSchema = z.array(count).length(2);

const percentileColumn = (percentile: (typeof percentiles)[number]) => ({
  type: millisecondsOrNull,
  about: 'nearest rank, within 1 %; null without calls',
  value: ({ usage }: EndpointEntry) => percentileMs(usage, percentile),
});

const outcomeColumn = (outcome: Outcome, about: string) => ({
  type: count,
  about,
  value: ({ usage }: EndpointEntry) => outcomeCount(usage, outcome),
});

/** One endpoint of a report. Durations are milliseconds, rates percent, times ISO 8601 UTC. */
export const endpointTable = tableOf<EndpointEntry>()('EndpointRow', {
  id: {
    type: z.string(),
    about: 'for /endpoints/{id}',
    value: ({ endpoint }) => endpoint.id,
    order: ({ endpoint: { id } }) => (/^\d+$/.test(id) ? id.padStart(20, '0') : id),
  },
  ...endpointColumns,
  status: {
    type: z.enum(statuses).nullable(),
    about:
      'the same under every window; null for the buckets (unmatched), (unknown) and {other}, whose calls belong to no endpoint',
    value: ({ lifecycle }) => lifecycle.status,
    brief: true,
  },
  marks: {
    type: z.array(z.enum(marks)),
    about:
      "sampled: some calls may have gone unseen, what seems dead is possibly sampled out; undocumented: the inventory does not declare it; periodic: used at regular distances; only_errors: no call succeeded; only_refused: no call got past 401, 403, 404, 405, 410 and 429; only_bots: only robots were answered; renamed: a silent endpoint and a new one that has its callers; deprecated_without_notice: deprecated in the inventory, and answered since without a Deprecation or Sunset header, in a service whose spans report these headers; called_after_removal: called though the inventory no longer declares it; stale_version: an older version answered it last, more than a day after the newest version of its service appeared; matched_by_path: spans without a route were counted for it, since the inventory's route takes their path; match_guessed: it fits the declaration only when a literal of its made-up route is a parameter's value",
    value: ({ lifecycle }) => lifecycle.marks,
  },
  confidence: {
    type: z.number().min(0).max(1).nullable(),
    about:
      'of cold, dead and never_called: how sure it is that no use will come, 0 to 1 (docs/verdicts.md); else null',
    value: ({ lifecycle }) => lifecycle.confidence,
  },
  total_calls: {
    type: count,
    about: 'calls in the window',
    value: ({ usage }) => countOf(usage.calls),
    brief: true,
  },
  error_4xx_count: {
    type: count,
    about: 'statuses 400 to 499 in the window',
    value: ({ usage }) => countOf(usage.errors4xx),
  },
  error_5xx_count: {
    type: count,
    about: 'statuses from 500 in the window',
    value: ({ usage }) => countOf(usage.errors5xx),
  },
  answered_count: outcomeColumn('answered', 'statuses 100 to 399 in the window'),
  refused_count: outcomeColumn('refused', 'statuses 401, 403 and 429 in the window'),
  missing_count: outcomeColumn('missing', 'statuses 404, 405 and 410 in the window'),
  failed_count: outcomeColumn(
    'failed',
    'every other call in the window, those without a status too',
  ),
  error_rate_pct: {
    type: percentOrNull,
    about: 'null without calls',
    value: ({ usage }) => errorRatePct(usage),
    brief: true,
  },
  success_rate_pct: {
    type: percentOrNull,
    about: 'null without calls',
    value: ({ usage }) => successRatePct(usage),
  },
  avg_duration_ms: {
    type: millisecondsOrNull,
    about: 'null without calls',
    value: ({ usage }) => averageMs(usage),
    brief: true,
  },
  min_duration_ms: {
    type: millisecondsOrNull,
    about: 'null without calls',
    value: ({ usage }) => leastMs(usage),
  },
  p50_duration_ms: { ...percentileColumn(50), brief: true },
  p75_duration_ms: percentileColumn(75),
  p90_duration_ms: percentileColumn(90),
  p95_duration_ms: { ...percentileColumn(95), brief: true },
  p99_duration_ms: { ...percentileColumn(99), brief: true },
  p999_duration_ms: percentileColumn(99.9),
  max_duration_ms: {
    type: millisecondsOrNull,
    about: 'null without calls',
    value: ({ usage }) => mostMs(usage),
  },
  first_called_at: {
    type: time.nullable(),
    about: 'lifetime; null when never called',
    ...momentOf(({ endpoint }) => endpoint.firstCallMs),
  },
  last_called_at: {
    type: time.nullable(),
    about: 'lifetime; null when never called',
    ...momentOf(({ endpoint }) => endpoint.lastCallMs),
    brief: true,
  },
  days_since_last_call: {
    type: count.nullable(),
    about: 'whole days, lifetime; null when never called',
    value: ({ lifecycle }) => lifecycle.daysSinceLastCall,
    brief: true,
  },
  observed_days: {
    type: count,
    about:
      'whole days in which the service was observed since its first call, or its declaration where it was never called; gaps in observation are left out',
    value: ({ lifecycle }) => lifecycle.observedDays,
  },
  last_used_at: {
    type: time.nullable(),
    about:
      'its last use: a call that was answered or failed, of a caller that is no robot and not in ROLLCALL_IGNORE_CONSUMERS; null without any',
    ...momentOf(({ lifecycle }) => lifecycle.lastUseMs),
  },
  expected_at: {
    type: time.nullable(),
    about: 'of a periodic endpoint: the day on which the next use is expected, or was',
    ...momentOf(({ lifecycle }) => lifecycle.expectedMs),
  },
  dead_since: {
    type: time.nullable(),
    about: 'of a dead endpoint: when its silence reached the threshold',
    ...momentOf(({ lifecycle }) => lifecycle.deadSinceMs),
  },
  reasons: {
    type: z.array(reasonSchema),
    about: 'why the verdict is what it is; empty for endpoints in use',
    value: ({ lifecycle }) => reasonsOf(lifecycle),
    order: ({ lifecycle }) => reasonsText(reasonsOf(lifecycle)),
    markdown: reasonsText,
  },
  renamed_to: {
    type: z.string().nullable(),
    about: 'id of the endpoint that probably took its place',
    value: ({ renamedTo }) => renamedTo ?? null,
  },
  renamed_from: {
    type: z.string().nullable(),
    about: 'id of the endpoint whose place it probably took',
    value: ({ renamedFrom }) => renamedFrom ?? null,
  },
  service_status: {
    type: z.enum(statuses).nullable(),
    about: 'one status over all environments of the service: that of the most alive one',
    value: ({ lifecycle, joint }) => (joint ?? lifecycle).status,
  },
  service_confidence: {
    type: z.number().min(0).max(1).nullable(),
    about: 'the least confidence of these environments; null where service_status has none',
    value: ({ lifecycle, joint }) => (joint ?? lifecycle).confidence,
  },
  lifetime_calls: {
    type: count,
    about: 'all calls ever',
    value: ({ endpoint }) => countOf(endpoint.lifetimeCalls),
    brief: true,
  },
  unique_clients: {
    type: count,
    about: 'distinct addresses in the window',
    value: ({ usage }) => usage.uniqueClients,
  },
  last_version: {
    type: z.string().nullable(),
    about: 'service.version that answered last',
    value: ({ endpoint }) => endpoint.lastVersion || null,
  },
  last_callers: {
    type: z.array(lastCallerSchema),
    about: 'distinct callers, latest first, lifetime; sorts by the latest',
    value: ({ endpoint }) => endpoint.lastCallers.map(lastCallerRow),
    write: (json, { endpoint }) => writeCallers(json, endpoint.lastCallers),
    order: ({ endpoint }) => endpoint.lastCallers[0]?.atMs ?? null,
    markdown: (callers) => callers.map(callerText).join('; '),
  },
  last_answered_at: {
    type: time.nullable(),
    about: 'the last call with a status of 100 to 399, lifetime; null when none is recorded',
    ...momentOf(({ endpoint }) => endpoint.lastAnsweredMs ?? null),
  },
  last_answered_callers: {
    type: z.array(lastCallerSchema).optional(),
    about:
      'distinct callers of such calls, latest first, lifetime; where fields= names it, and of /endpoints/{id} beside the row',
    asked: true,
    value: ({ endpoint }) => endpoint.lastAnsweredCallers.map(lastCallerRow),
    order: ({ endpoint }) => endpoint.lastAnsweredMs ?? null,
    markdown: (callers) => callers.map(callerText).join('; '),
  },
  window_last_callers: {
    type: z.array(lastCallerSchema).nullable().optional(),
    about:
      'of last_callers those in the window; null where the window ends before its newest call; where fields= names it, and of /endpoints/{id} beside the row',
    asked: true,
    value: ({ endpoint, window }) => window && windowLastCallers(endpoint, window),
    markdown: (callers) => (callers ?? []).map(callerText).join('; '),
  },
  window_last_answered_callers: {
    type: z.array(lastCallerSchema).nullable().optional(),
    about:
      'of last_answered_callers those in the window; null where the window ends before its newest answered call, and where release 0.1.0 counted calls of the window without saying which were answered; where fields= names it, and of /endpoints/{id} beside the row',
    asked: true,
    value: ({ endpoint, window }) => window && windowLastAnsweredCallers(endpoint, window),
    markdown: (callers) => (callers ?? []).map(callerText).join('; '),
  },
  route_display: {
    type: z.string(),
    about: 'the route as the service itself spells it, as last seen; regular expressions readably',
    value: ({ endpoint }) => endpoint.display,
  },
  declared: {
    type: z.boolean().nullable(),
    about: "whether the service's inventory declares it; null without an inventory",
    value: ({ declaration }) => (declaration ? declaration.state === 'declared' : null),
  },
  declared_route: {
    type: z.string().nullable(),
    about: 'the route as the inventory declares it, without the prefix of a server',
    value: ({ declaration }) => declaration?.route ?? null,
  },
  owner: {
    type: z.string().nullable(),
    about:
      'who answers for it, as the file of ROLLCALL_OWNERS, the inventory or the resource of its spans says',
    value: ({ owners }) => owners.join(', ') || null,
  },
  deprecated_since: {
    type: time.nullable(),
    about:
      'since when it is deprecated, or from when on: the date of its Deprecation header (RFC 9745), else the first answer with one, else as the inventory says, else the upload that first declared it deprecated; null where it is not, or where that is not known',
    ...momentOf(({ lifecycle }) => lifecycle.ending?.deprecatedSinceMs ?? null),
  },
  sunset_at: {
    type: z.string().nullable(),
    about: 'when it may be gone, as its Sunset header (RFC 8594), else the inventory says',
    value: ({ lifecycle }) => lifecycle.ending?.sunsetAt ?? null,
  },
  deprecation_link: {
    type: z.string().nullable(),
    about: 'a page about its deprecation or its successor, as its Link header says',
    value: ({ lifecycle }) => lifecycle.ending?.link ?? null,
  },
  operation_id: {
    type: z.string().nullable(),
    about: 'its name in the OpenAPI document',
    value: ({ declaration }) => declaration?.operationId ?? null,
  },
  removed_at: {
    type: time.nullable(),
    about: 'since when no version of the inventory declares it any more',
    ...momentOf(({ declaration }) => declaration?.removedMs ?? null),
  },
  decision: {
    type: z.enum(decisionActions).nullable(),
    about: 'what people decided is to become of it; null without a decision',
    value: ({ decision }) => decision?.decision.action ?? null,
  },
  decision_reason: {
    type: z.string().nullable(),
    about: 'why',
    value: ({ decision }) => decision?.decision.reason ?? null,
  },
  decision_by: {
    type: z.string().nullable(),
    about: 'who decided',
    value: ({ decision }) => decision?.decision.by ?? null,
  },
  decided_at: {
    type: time.nullable(),
    about: 'when it was decided',
    ...momentOf(({ decision }) => decision?.decision.decidedMs ?? null),
  },
  decision_until: {
    type: time.nullable(),
    about: 'when it is to be decided again; null for never',
    ...momentOf(({ decision }) => decision?.decision.untilMs ?? null),
  },
  decision_returned: {
    type: z.enum(returnReasons).nullable(),
    about:
      'why it is to be decided again; until_passed: its date came; new_consumer: a kept endpoint has a caller that it had not; called: one that is to be removed was answered again',
    value: ({ decision }) => decision?.returned ?? null,
  },
  estimated: {
    type: z.literal(true).optional(),
    about: 'true where counts stand for sampled calls; absent where nothing is sampled',
    value: ({ endpoint, usage }) => isEstimated(endpoint, usage) || undefined,
  },
  total_calls_interval: {
    type: callsIntervalSchema.optional(),
    about:
      'of sampled calls: 95 % interval of total_calls, [low, high]; absent where nothing is sampled',
    value: ({ usage }) => callsInterval(usage),
  },
  spark: {
    type: sparkSchema.optional(),
    about: 'calls over the window, where spark= asked for it; spark_starts has the intervals',
    value: ({ spark }) => spark,
    jsonOnly: true,
  },
});

export type EndpointRow = z.output<typeof endpointTable.schema>;
export type EndpointColumn = (typeof endpointTable.names)[number];

export function lastCallerRow({
  client,
  consumer,
  agent,
  atMs,
}: LastCaller): z.output<typeof lastCallerSchema> {
  return {
    client: client || null,
    consumer: consumer || null,
    agent: agent || null,
    called_at: isoTime(atMs),
  };
}

/** The same rows as JSON: they are a third of a report. */
function writeCallers(json: JsonBytes, callers: readonly LastCaller[]): void {
  json.part(callers.length === 0 ? noCallers : firstCaller);
  for (let i = 0; i < callers.length; i++) {
    const { client, consumer, agent, atMs } = callers[i]!;
    if (i > 0) json.part(nextCaller);
    json.value(client || null);
    json.part(consumerKey);
    json.value(consumer || null);
    json.part(agentKey);
    json.value(agent || null);
    json.part(calledAtKey);
    json.time(atMs);
  }
  if (callers.length > 0) json.part(callersEnd);
}

const [noCallers, firstCaller, nextCaller, consumerKey, agentKey, calledAtKey, callersEnd] = [
  partOf('[]'),
  partOf('[{"client":'),
  partOf('},{"client":'),
  partOf(',"consumer":'),
  partOf(',"agent":'),
  partOf(',"called_at":'),
  partOf('}]'),
];

/** A column's value, which is a moment. */
function momentOf(momentMs: (entry: EndpointEntry) => number | null) {
  return {
    value: (entry: EndpointEntry) => {
      const ms = momentMs(entry);
      return ms === null ? null : isoTime(ms);
    },
    write: (json: JsonBytes, entry: EndpointEntry) => json.time(momentMs(entry)),
  };
}

/** Who called in the window, as far as that is recorded. */
export function windowLastCallers({ lastCallers, lastCallMs }: ListedEndpoint, window: Window) {
  const callers = callersInWindow(lastCallers, lastCallMs ?? undefined, window, undefined);
  return callers?.map(lastCallerRow) ?? null;
}

/** The same of answered calls. */
export function windowLastAnsweredCallers(endpoint: ListedEndpoint, window: Window) {
  const { lastAnsweredCallers, lastAnsweredMs, unrecordedMs } = endpoint;
  const callers = callersInWindow(lastAnsweredCallers, lastAnsweredMs, window, unrecordedMs);
  return callers?.map(lastCallerRow) ?? null;
}

/** The best name of a caller, what else is known of it, and the day of its call. */
function callerText({ client, consumer, agent, called_at }: z.output<typeof lastCallerSchema>) {
  const [name = 'unknown', ...more] = [consumer, client, agent].filter((text) => text !== null);
  const detail = more.length === 0 ? '' : ` (${more.join(', ')})`;
  return `${name}${detail} ${called_at.slice(0, 10)}`;
}

/** Breaks ties of any order: every endpoint has its own. */
export function endpointKey({ endpoint }: EndpointEntry): string {
  return `${endpoint.service}\0${endpoint.environment}\0${endpoint.route}\0${endpoint.method}`;
}
