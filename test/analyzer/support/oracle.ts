import { addDay, emptyDays } from '../../../core/day-set.ts';
import type { EndpointUse } from '../../../core/endpoint-use.ts';
import { limits, specialRoutes } from '../../../core/limits.ts';
import type { Outcome, OutcomeCounts } from '../../../core/outcome.ts';
import type { CallRecord } from '../../../core/store/calls.ts';
import type {
  CallerUsage,
  CallReader,
  ClientUsage,
  ConsumerUsage,
  CountedCalls,
  Coverage,
  Distribution,
  EndpointRecord,
  LastCaller,
  Selection,
  ServiceRecord,
  Snapshot,
} from '../../../core/store/store.ts';
import { type DurationBucket, percentiles, type Usage } from '../../../core/usage/usage.ts';
import type { Window } from '../../../core/window.ts';
import { searchPlainly } from '../../support/plain-search.ts';

/** A call as a test writes it down. */
export interface PlainCall {
  service: string;
  environment: string;
  method: string;
  route: string;
  status: number;
  durationNs: number;
  endMs: number;
  client: string;
  consumer: string;
  agent: string;
  version: string;
  /** These four are unknown unless told. */
  errorType?: string;
  traceId?: string;
  requestBytes?: number;
  responseBytes?: number;
  /** 1 unless told. */
  weight?: number;
  /** A monitor, crawler or scanner. */
  bot?: true;
}

export function weightOf({ weight = 1 }: PlainCall): number {
  return weight;
}

function sumOf(calls: readonly PlainCall[]): number {
  return calls.reduce((sum, call) => sum + weightOf(call), 0);
}

/** The ends of sampled calls, newest last. */
function sampledMs(calls: readonly PlainCall[]): number[] {
  const sampled = calls.filter((call) => weightOf(call) !== 1);
  return sampled.map(({ endMs }) => endMs).sort((a, b) => a - b);
}

const isError = ({ status }: PlainCall): boolean => status >= 400;

export interface OracleOptions {
  /** Before these moments only hours, only days are kept; nothing is rounded unless told. */
  minutesFromS?: number;
  hoursFromS?: number;
}

/**
 * A store that keeps plain calls in an array and answers every question by looking at each of them: slow,
 * exact, and plain enough to be believed.
 */
export function oracleReader(
  calls: readonly PlainCall[],
  { minutesFromS = 0, hoursFromS = 0 }: OracleOptions = {},
): CallReader {
  const ids = new Map<string, string>();
  for (const call of calls) {
    const key = endpointKey(call);
    if (!ids.has(key)) ids.set(key, String(ids.size + 1));
  }
  const idOf = (call: PlainCall): string => ids.get(endpointKey(call))!;
  const selected = (selection: Selection): PlainCall[] =>
    calls.filter(
      (call) =>
        (selection.service === undefined || call.service === selection.service) &&
        (selection.environment === undefined || call.environment === selection.environment) &&
        (selection.endpoints?.has(idOf(call)) ?? true),
    );
  const snapshot: Snapshot = {
    services: async () => [...groups(calls, serviceKey).values()].map(serviceRecord),
    endpoints: async (selection) =>
      [...groups(selected(selection), endpointKey).values()]
        .map((group) => endpointRecord(idOf(group[0]!), group))
        .sort((a, b) => Number(a.id) - Number(b.id)),
    inventories: async () => [],
    decisions: async () => [],
    consumerNotes: async () => [],
    events: async () => [],
    newestCallMs: async () =>
      calls.length === 0 ? undefined : Math.max(...calls.map((call) => call.endMs)),
    async coverage(window): Promise<Coverage> {
      if (window.fromS < hoursFromS) {
        return { window: wholeSteps(window, 86_400), resolution: 'day', incomplete: false };
      }
      if (window.fromS < minutesFromS) {
        return { window: wholeSteps(window, 3600), resolution: 'hour', incomplete: false };
      }
      return { window, resolution: 'minute', incomplete: false };
    },
    async usage(selection, window) {
      const found = groups(within(selected(selection), window), endpointKey).values();
      return new Map([...found].map((group) => [idOf(group[0]!), usageOf(group)]));
    },
    async calledEndpoints(selection, window) {
      return new Set(within(selected(selection), window).map((call) => idOf(call)));
    },
    total: async (selection, window) => usageOf(within(selected(selection), window)),
    async series(selection, edgesS) {
      const all = selected(selection);
      return edgesS
        .slice(1)
        .map((toS, index) => usageOf(within(all, { fromS: edgesS[index]!, toS })));
    },
    async groupSeries(groups, edgesS) {
      return Promise.all(groups.map((selection) => snapshot.series(selection, edgesS)));
    },
    async durations(selection, edgesS) {
      const all = selected(selection);
      return edgesS
        .slice(1)
        .map((toS, index) => durationsOf(within(all, { fromS: edgesS[index]!, toS })));
    },
    async distributions(selection, window) {
      return distributionsOf(within(selected(selection), window), idOf);
    },
    async clients(selection, window, limit, version) {
      const all = ofVersion(within(selected(selection), window), version);
      const counted = all.filter((call) => weightOf(call) > 0);
      const estimated = sampledMs(all).length > 0 && { estimated: true as const };
      const sorted = [...groups(counted, ({ client }) => client).values()]
        .map((own) => ({ ...clientUsage(own), ...estimated }))
        .filter(({ client }) => client !== '')
        .sort((a, b) => b.calls - a.calls || (a.client < b.client ? -1 : 1));
      const rest = sorted.splice(limit);
      if (rest.length === 0) return sorted;
      const names = new Set(rest.map(({ client }) => client));
      const other = clientUsage(counted.filter(({ client }) => names.has(client)));
      return [...sorted, { ...other, client: specialRoutes.other, ...estimated }];
    },
    async clientEndpoints(selection, window, version) {
      const all = ofVersion(within(selected(selection), window), version);
      const counted = all.filter((call) => weightOf(call) > 0);
      const byClient = groups(counted, ({ client }) => client);
      byClient.delete('');
      return new Map([...byClient].map(([name, own]) => [name, groups(own, endpointKey).size]));
    },
    async clientUsage(selection, client, window) {
      const own = within(selected(selection), window).filter((call) => call.client === client);
      return callerUsage(own, idOf);
    },
    async clientSeries(selection, client, edgesS) {
      const own = selected(selection).filter((call) => call.client === client);
      return edgesS
        .slice(1)
        .map((toS, index) => countedCalls(within(own, { fromS: edgesS[index]!, toS })));
    },
    async consumerUsage(selection, { consumer, namedBy }, window) {
      const key = `${namedBy} ${consumer}`;
      const own = within(selected(selection), window).filter((call) => consumerKey(call) === key);
      return callerUsage(own, idOf);
    },
    async calls(selection, filter, { order, cursor = '0', limit }) {
      const isArrival = order === 'arrival';
      const own = selected(selection).map((one) => callRecord(one, calls.indexOf(one), idOf(one)));
      const first = isArrival ? 0 : Number(cursor);
      const since = own.filter(({ id }) => !isArrival || Number(id) > Number(cursor));
      const found = searchPlainly(since, filter, order);
      const page = found.slice(first, first + limit);
      const hasMore = found.length > first + limit;
      const next = isArrival ? page.at(-1)?.id : String(first + limit);
      const last = isArrival && hasMore ? next! : String(calls.length);
      return {
        calls: page,
        ...(hasMore && { cursor: next! }),
        arrivals: last,
      };
    },
    async consumers(selection, window, limit, version) {
      return mostConsumers(ofVersion(within(selected(selection), window), version), limit);
    },
    // Plain calls have no parents.
    internalCallers: async () => [],
    async endpointConsumers(selection, edgesS, limit) {
      const byEndpoint = groups(selected(selection), endpointKey).values();
      return new Map(
        [...byEndpoint].map((own) => [
          idOf(own[0]!),
          edgesS.slice(1).map((toS, index) => {
            const ofInterval = within(own, { fromS: edgesS[index]!, toS });
            return mostConsumers([...ofInterval], limit);
          }),
        ]),
      );
    },
    async versions(selection, window) {
      const all = within(selected(selection), window);
      return [...groups(all, ({ version }) => version)]
        .map(([version, own]) => ({ version, usage: usageOf(own) }))
        .sort((a, b) => b.usage.calls - a.usage.calls || (a.version < b.version ? -1 : 1));
    },
    async versionUsage(selection, version, window) {
      const own = within(selected(selection), window).filter((call) => call.version === version);
      const found = groups(own, endpointKey).values();
      return new Map([...found].map((group) => [idOf(group[0]!), usageOf(group)]));
    },
    async versionDistributions(selection, version, edgesS) {
      const own = selected(selection).filter((call) => call.version === version);
      return edgesS
        .slice(1)
        .map((toS, index) => distributionsOf(within(own, { fromS: edgesS[index]!, toS }), idOf));
    },
    async versionSeries(selection, versions, edgesS) {
      const all = selected(selection);
      return groupsOf(all, versions, ({ version }) => version).map((own) =>
        edgesS.slice(1).map((toS, index) => usageOf(within(own, { fromS: edgesS[index]!, toS }))),
      );
    },
    async consumerSeries(selection, consumers, edgesS) {
      const keys = consumers.map(({ consumer, namedBy }) => `${namedBy} ${consumer}`);
      return groupsOf(selected(selection), keys, consumerKey).map((own) =>
        edgesS
          .slice(1)
          .map((toS, index) => countedCalls(within(own, { fromS: edgesS[index]!, toS }))),
      );
    },
  };
  return {
    snapshot: async (project, ask) => {
      if (project !== 'default') throw new Error(`the oracle knows no project ${project}`);
      return ask(snapshot);
    },
    check: async () => undefined,
    close: async () => undefined,
  };
}

function mostConsumers(calls: readonly PlainCall[], limit: number): ConsumerUsage[] {
  const sorted = [...groups(calls, consumerKey).values()]
    .map((own) => consumerUsage(own))
    .sort((a, b) => callsOf(b) - callsOf(a) || (a.consumer < b.consumer ? -1 : 1));
  if (sorted.length > limit) throw new Error('the oracle lists every consumer');
  return sorted;
}

/** The calls of each named group, and last all others. */
function groupsOf(
  calls: readonly PlainCall[],
  names: readonly string[],
  nameOf: (call: PlainCall) => string,
): PlainCall[][] {
  const others = calls.filter((call) => !names.includes(nameOf(call)));
  return [...names.map((name) => calls.filter((call) => nameOf(call) === name)), others];
}

function distributionsOf(
  calls: readonly PlainCall[],
  idOf: (call: PlainCall) => string,
): Map<string, Distribution> {
  return new Map(
    [...groups(calls, endpointKey).values()].map((group) => {
      const [sum, errors] = [sumOf(group), sumOf(group.filter(isError))];
      return [idOf(group[0]!), { calls: sum, errors, durations: durationsOf(group) }];
    }),
  );
}

function durationsOf(calls: readonly PlainCall[]): DurationBucket[] {
  const timed = calls.filter((own) => own.durationNs >= 0 && weightOf(own) > 0);
  const byUs = Map.groupBy(timed, ({ durationNs }) => Math.round(durationNs / 1000));
  return [...byUs].map(([us, own]) => ({ us, calls: sumOf(own) })).sort((a, b) => a.us - b.us);
}

const serviceKey = (call: PlainCall): string => `${call.service}\0${call.environment}`;
const endpointKey = (call: PlainCall): string =>
  `${serviceKey(call)}\0${call.method}\0${call.route}`;

function groups(
  calls: readonly PlainCall[],
  key: (call: PlainCall) => string,
): Map<string, PlainCall[]> {
  return Map.groupBy(calls, key);
}

function within(calls: readonly PlainCall[], { fromS, toS }: Window): PlainCall[] {
  return calls.filter(({ endMs }) => endMs >= fromS * 1000 && endMs < toS * 1000);
}

function serviceRecord(calls: PlainCall[]): ServiceRecord {
  const { service, environment } = calls[0]!;
  const lastSampledMs = sampledMs(calls).at(-1);
  return {
    service,
    environment,
    endpoints: groups(calls, endpointKey).size,
    lifetimeCalls: sumOf(calls),
    ...(lastSampledMs !== undefined && { lastSampledMs }),
    firstCallMs: Math.min(...calls.map(({ endMs }) => endMs)),
    lastCallMs: Math.max(...calls.map(({ endMs }) => endMs)),
    ...heardOf(calls),
  };
}

function heardOf(calls: readonly PlainCall[]) {
  const hours = new Set(calls.map(({ endMs }) => Math.floor(endMs / 3_600_000)));
  const byDay = Map.groupBy(hours, (hour) => Math.floor(hour / 24));
  const heardDays = [...byDay.keys()].sort((a, b) => a - b);
  const heardHours = heardDays.map((day) =>
    byDay.get(day)!.reduce((bits, hour) => bits + 2 ** (hour % 24), 0),
  );
  return { heardDays, heardHours };
}

/** Refused and missing calls are no use, nor are those of robots. */
function useOf(calls: readonly PlainCall[]): EndpointUse {
  const noAnswer = [401, 403, 404, 405, 410, 429];
  const reached = calls.filter(({ status }) => !noAnswer.includes(status));
  const uses = reached.filter(({ bot }) => !bot);
  const others = reached.filter(({ bot }) => bot);
  const days = emptyDays();
  for (const { endMs } of uses) addDay(days, Math.floor(endMs / 86_400_000));
  return {
    lastMs: Math.max(0, ...uses.map(({ endMs }) => endMs)),
    calls: uses.length,
    otherCalls: others.length,
    lastOtherMs: Math.max(0, ...others.map(({ endMs }) => endMs)),
    sampledCalls: sampledMs(calls).length,
    days,
  };
}

function endpointRecord(id: string, calls: PlainCall[]): EndpointRecord {
  const { service, environment, method, route } = calls[0]!;
  const lastMs = sampledMs(calls).at(-1);
  const latestFirst = [...calls].sort((a, b) => b.endMs - a.endMs);
  const answered = latestFirst.filter(({ status }) => plainOutcome(status) === 'answered');
  const person = answered.find(({ bot }) => !bot);
  const by = (outcome: Outcome) => calls.filter(({ status }) => plainOutcome(status) === outcome);
  const counts = (of: (own: PlainCall[]) => number): OutcomeCounts => ({
    answered: of(by('answered')),
    refused: of(by('refused')),
    missing: of(by('missing')),
    failed: of(by('failed')),
  });
  return {
    id,
    service,
    environment,
    method,
    route,
    templated: false,
    display: route,
    firstCallMs: latestFirst.at(-1)!.endMs,
    lastCallMs: latestFirst[0]!.endMs,
    lifetimeCalls: sumOf(calls),
    lifetimeErrors: sumOf(calls.filter(isError)),
    lifetimeOutcomes: counts(sumOf),
    ...(lastMs !== undefined && {
      sampling: {
        lastMs,
        seenCalls: calls.length,
        seenErrors: calls.filter(isError).length,
        seenOutcomes: counts(({ length }) => length),
      },
    }),
    botCalls: calls.filter(({ bot }) => bot).length,
    lastVersion: latestFirst[0]!.version,
    lastCallers: callersOf(latestFirst),
    ...(answered.length > 0 && { lastAnsweredMs: answered[0]!.endMs }),
    ...(person && { lastPersonMs: person.endMs }),
    lastAnsweredVersion: answered[0]?.version ?? '',
    lastAnsweredCallers: callersOf(answered),
    versions: [...groups(latestFirst, ({ version }) => version)].map(([version, own]) => ({
      version,
      firstCallMs: own.at(-1)!.endMs,
      lastCallMs: own[0]!.endMs,
      seenCalls: own.length,
    })),
    use: useOf(calls),
  };
}

function callersOf(latestFirst: readonly PlainCall[]): LastCaller[] {
  const callers = new Map<string, LastCaller>();
  for (const { client, consumer, agent, endMs } of latestFirst) {
    const key = `${client}\0${consumer}\0${agent}`;
    if (!callers.has(key)) callers.set(key, { client, consumer, agent, atMs: endMs });
  }
  return [...callers.values()].slice(0, limits.lastCallers);
}

export function usageOf(seen: readonly PlainCall[]): Usage {
  const calls = seen.filter((call) => weightOf(call) > 0);
  // Weights are whole numbers in these tests.
  const durations = calls
    .flatMap((call) => Array<number>(weightOf(call)).fill(call.durationNs))
    .sort((a, b) => a - b);
  const statuses = new Map<number, number>();
  for (const call of calls) {
    statuses.set(call.status, (statuses.get(call.status) ?? 0) + weightOf(call));
  }
  const variance = calls.reduce((sum, call) => sum + weightOf(call) * (weightOf(call) - 1), 0);
  return {
    calls: sumOf(calls),
    errors4xx: sumOf(calls.filter(({ status }) => status >= 400 && status < 500)),
    errors5xx: sumOf(calls.filter(({ status }) => status >= 500)),
    statuses,
    sumNs: durations.reduce((sum, ns) => sum + ns, 0),
    minNs: durations[0] ?? 0,
    maxNs: durations.at(-1) ?? 0,
    percentilesNs: percentiles.map(
      (p) => durations[Math.ceil((p / 100) * durations.length) - 1] ?? 0,
    ),
    uniqueClients: new Set(calls.map(({ client }) => client).filter(Boolean)).size,
    uniqueClientsEstimated: false,
    ...(sampledMs(seen).length > 0 && { sampling: { seen: seen.length, variance } }),
  };
}

function callRecord(call: PlainCall, index: number, endpoint: string): CallRecord {
  const { endMs, durationNs, status, client, consumer, agent, version } = call;
  const { bot = false, errorType = '', traceId = '' } = call;
  const { requestBytes = -1, responseBytes = -1 } = call;
  return {
    id: String(index + 1),
    endpoint,
    endS: Math.floor(endMs / 1000),
    endNs: (endMs % 1000) * 1_000_000,
    ...{ durationNs, status, client, serviceVersion: version, consumer, agent, bot, errorType },
    ...{ requestBytes, responseBytes, traceId, weight: weightOf(call) },
  };
}

const consumerKey = ({ consumer, agent }: PlainCall): string =>
  consumer === '' || consumer === agent ? `agent ${agent}` : `span ${consumer}`;

const callsOf = ({ people, bots }: ConsumerUsage): number => people.calls + bots.calls;

function consumerUsage(calls: PlainCall[]): ConsumerUsage {
  const { consumer, agent } = calls[0]!;
  const ends = calls.map(({ endMs }) => Math.floor(endMs / 1000) * 1000);
  return {
    consumer: consumer || agent,
    namedBy: consumer === '' || consumer === agent ? 'agent' : 'span',
    people: countedCalls(calls.filter(({ bot }) => !bot)),
    bots: countedCalls(calls.filter(({ bot }) => bot)),
    endpoints: groups(calls, endpointKey).size,
    firstCallMs: Math.min(...ends),
    lastCallMs: Math.max(...ends),
  };
}

/** No caller is past a bound here. */
function callerUsage(calls: PlainCall[], idOf: (call: PlainCall) => string): CallerUsage {
  const counted = calls.filter((call) => weightOf(call) > 0);
  const byEndpoint = new Map(
    [...groups(counted, endpointKey).values()].map((own) => [idOf(own[0]!), countedCalls(own)]),
  );
  return { byEndpoint, otherCalls: 0 };
}

function countedCalls(calls: PlainCall[]): CountedCalls {
  const of = (outcome: Outcome) =>
    sumOf(calls.filter(({ status }) => plainOutcome(status) === outcome));
  return {
    calls: sumOf(calls),
    errors: sumOf(calls.filter(isError)),
    outcomes: {
      answered: of('answered'),
      refused: of('refused'),
      missing: of('missing'),
      failed: of('failed'),
    },
  };
}

/** As the documents say it, not as the product computes it. */
function plainOutcome(status: number): Outcome {
  if ([401, 403, 429].includes(status)) return 'refused';
  if ([404, 405, 410].includes(status)) return 'missing';
  return Math.floor(status / 100) >= 1 && Math.floor(status / 100) <= 3 ? 'answered' : 'failed';
}

/** The least window of whole steps around a window. */
function wholeSteps({ fromS, toS }: Window, stepS: number): Window {
  const behind = toS % stepS;
  return { fromS: fromS - (fromS % stepS), toS: behind === 0 ? toS : toS + stepS - behind };
}

function clientUsage(calls: PlainCall[]): ClientUsage {
  const minutes = calls.map(({ endMs }) => endMs - (endMs % 60_000));
  return {
    client: calls[0]!.client,
    ...countedCalls(calls),
    firstMinuteMs: Math.min(...minutes),
    lastMinuteMs: Math.max(...minutes),
  };
}

/** @param version undefined for all */
function ofVersion(calls: PlainCall[], version: string | undefined): PlainCall[] {
  return calls.filter((call) => version === undefined || call.version === version);
}
