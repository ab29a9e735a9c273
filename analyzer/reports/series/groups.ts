import { z } from 'zod';
import { limits, specialRoutes } from '../../../core/limits.ts';
import { outcomeOf } from '../../../core/outcome.ts';
import type {
  ConsumerName,
  ConsumerUsage,
  EndpointRecord,
  Selection,
  Snapshot,
} from '../../../core/store/store.ts';
import type { Usage } from '../../../core/usage/usage.ts';
import type { Window } from '../../../core/window.ts';
import { count, named } from '../../query/schema.ts';
import { countOf, emptyUsage } from '../figures.ts';
import type { Series, SeriesEntry } from './series.ts';

/** A time series cut by what its calls have in common: the groups with most calls, and the rest together. */
export const groupings = [
  'endpoint',
  'method',
  'status_class',
  'outcome',
  'version',
  'consumer',
] as const;
export type Grouping = (typeof groupings)[number];

export const seriesGroupSchema = named(
  'SeriesGroup',
  z.object({
    group: z
      .string()
      .describe(
        `as in the points: an endpoint's id, a method, a class of statuses (2xx, none), an outcome, a service version, a consumer (agent:NAME where only its user agent is known), ${specialRoutes.unknown} for calls without version or consumer, or ${specialRoutes.other} for the rest`,
      ),
    name: z
      .string()
      .describe(
        'for people: an endpoint as method, route and service, a consumer by its display name',
      ),
    calls: count.describe('in the window'),
    errors: count.describe('of those, statuses of 400 or more'),
  }),
);

export interface GroupedSeries {
  groups: z.output<typeof seriesGroupSchema>[];
  /** Group after group, each in the order of time. */
  entries: SeriesEntry[];
  /** Calls of the window that are in no group: release 0.1.0 kept neither version nor consumer. */
  unrecorded: number;
}

interface Group {
  key: string;
  name: string;
  /** One for each interval of the series. */
  usages: GroupUsage[];
}

type GroupUsage = Pick<SeriesEntry, 'usage' | 'counted'>;

/** @param top groups besides the rest @param series of the same selection and window */
export async function groupedSeries(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  series: Series,
  { grouping, top }: { grouping: Grouping; top: number },
): Promise<GroupedSeries> {
  const groups = await groupsOf(snapshot, selection, window, series, { grouping, top });
  const recorded = sum(groups, ({ usages }) => sum(usages, callSum));
  return {
    groups: groups.map(({ key, name, usages }) => ({
      group: key,
      name,
      calls: countOf(sum(usages, callSum)),
      errors: countOf(sum(usages, errorSum)),
    })),
    entries: groups.flatMap(({ key, usages }) =>
      usages.map((usage, n) => ({ startS: series.startsS[n]!, ...usage, group: key })),
    ),
    unrecorded: sum(series.usages, ({ calls }) => calls) - recorded,
  };
}

async function groupsOf(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  series: Series,
  { grouping, top }: { grouping: Grouping; top: number },
): Promise<Group[]> {
  switch (grouping) {
    case 'endpoint':
    case 'method':
      return endpointGroups(snapshot, selection, window, series, grouping, top);
    case 'status_class':
    case 'outcome':
      return statusGroups(series, grouping, top);
    case 'version':
      return versionGroups(snapshot, selection, window, series, top);
    case 'consumer':
      return consumerGroups(snapshot, selection, window, series, top);
  }
}

async function versionGroups(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  { edgesS }: Series,
  top: number,
): Promise<Group[]> {
  const known = (await snapshot.versions(selection, window)).map(({ version }) => version);
  const shown = known.filter((version) => version !== specialRoutes.other).slice(0, top);
  const series = await snapshot.versionSeries(selection, shown, edgesS);
  return namedGroups(
    shown.map((version) => ({
      key: version || specialRoutes.unknown,
      name: version || 'no version',
    })),
    series.map((usages) => usages.map((usage) => ({ usage }))),
    known.length > shown.length,
  );
}

/** Neither durations nor statuses are kept by consumer: these groups have counts, and no latency. */
async function consumerGroups(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  { edgesS }: Series,
  top: number,
): Promise<Group[]> {
  const known = await snapshot.consumers(selection, window, limits.listedConsumers);
  const named = known.filter(({ namedBy }) => namedBy !== 'other');
  // Consumers of as many calls are in the order of their names, whichever engine answers.
  named.sort((a, b) => consumerCalls(b) - consumerCalls(a) || (keyOf(a) < keyOf(b) ? -1 : 1));
  const shown = named.slice(0, top);
  const notes = new Map((await snapshot.consumerNotes()).map((note) => [note.consumer, note]));
  const series = await snapshot.consumerSeries(selection, shown, edgesS);
  return namedGroups(
    shown.map((one) => ({
      key: keyOf(one),
      name: notes.get(one.consumer)?.displayName || one.consumer || 'no consumer',
    })),
    series.map((all) => all.map((counted) => ({ usage: emptyUsage, counted }))),
    known.length > shown.length,
  );
}

const consumerCalls = ({ people, bots }: ConsumerUsage): number => people.calls + bots.calls;

function keyOf({ consumer, namedBy }: ConsumerName): string {
  if (consumer === '') return specialRoutes.unknown;
  return namedBy === 'agent' ? `agent:${consumer}` : consumer;
}

/** @param series of each name, and last of the rest @param hasRest there is something in the rest */
function namedGroups(
  names: readonly Pick<Group, 'key' | 'name'>[],
  series: readonly GroupUsage[][],
  hasRest: boolean,
): Group[] {
  const groups = names.map((name, n) => ({ ...name, usages: series[n]! }));
  if (!hasRest) return groups;
  return [...groups, { key: specialRoutes.other, name: 'the rest', usages: series.at(-1)! }];
}

/** Groups of whole endpoints have all figures. */
async function endpointGroups(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  { edgesS }: Series,
  grouping: 'endpoint' | 'method',
  top: number,
): Promise<Group[]> {
  const usages = await snapshot.usage(selection, window);
  const called = (await snapshot.endpoints(selection)).filter(({ id }) => usages.has(id));
  const byKey = Map.groupBy(called, ({ id, method }) => (grouping === 'method' ? method : id));
  const callsOf = (endpoints: readonly EndpointRecord[]) =>
    sum(endpoints, ({ id }) => usages.get(id)!.calls);
  const ranked = [...byKey].sort(
    ([a, as], [b, bs]) => callsOf(bs) - callsOf(as) || (a < b ? -1 : 1),
  );
  const rest = ranked.slice(top).flatMap(([, endpoints]) => endpoints);
  const shown: { key: string; name: string; endpoints: readonly EndpointRecord[] }[] = ranked
    .slice(0, top)
    .map(([key, endpoints]) => ({ key, name: nameOf(grouping, endpoints[0]!), endpoints }));
  if (rest.length > 0) {
    shown.push({ key: specialRoutes.other, name: 'the rest', endpoints: rest });
  }
  const selections = shown.map(({ endpoints }) => ({
    endpoints: new Set(endpoints.map(({ id }) => id)),
  }));
  const series = await snapshot.groupSeries(selections, edgesS);
  return shown.map(({ key, name }, n) => ({
    key,
    name,
    usages: series[n]!.map((usage) => ({ usage })),
  }));
}

function nameOf(
  grouping: 'endpoint' | 'method',
  { method, display, service }: EndpointRecord,
): string {
  return grouping === 'method' ? method : `${method} ${display} (${service})`;
}

/** Durations are not kept by status: these groups have counts, and no latency. */
function statusGroups(
  { usages }: Series,
  grouping: 'status_class' | 'outcome',
  top: number,
): Group[] {
  const groupOf = grouping === 'outcome' ? outcomeOf : classOf;
  const keys = new Map<string, number>();
  for (const { statuses } of usages) {
    for (const [status, calls] of statuses) {
      const key = groupOf(status);
      keys.set(key, (keys.get(key) ?? 0) + calls);
    }
  }
  const ranked = [...keys].sort(([a, as], [b, bs]) => bs - as || (a < b ? -1 : 1));
  const shown = ranked.slice(0, top).map(([key]) => key);
  const keyOf = (status: number): string => {
    const key = groupOf(status);
    return shown.includes(key) ? key : specialRoutes.other;
  };
  const groups = ranked.length > top ? [...shown, specialRoutes.other] : shown;
  return groups.map((key) => ({
    key,
    name: key === specialRoutes.other ? 'the rest' : key,
    usages: usages.map((usage) => ({
      usage: untimedPart(usage, (status) => keyOf(status) === key),
    })),
  }));
}

/** `2xx`; `none` for calls without a status. */
function classOf(status: number): string {
  return status < 100 ? 'none' : `${Math.floor(status / 100)}xx`;
}

function untimedPart({ statuses }: Usage, isIn: (status: number) => boolean): Usage {
  const own = [...statuses].filter(([status]) => isIn(status));
  const callsOf = (least: number, below: number) =>
    sum(own, ([status, calls]) => (status >= least && status < below ? calls : 0));
  const calls = callsOf(0, Infinity);
  return {
    ...emptyUsage,
    calls,
    untimed: calls,
    errors4xx: callsOf(400, 500),
    errors5xx: callsOf(500, Infinity),
  };
}

const callSum = ({ usage, counted }: GroupUsage): number => (counted ?? usage).calls;
const errorSum = ({ usage, counted }: GroupUsage): number =>
  counted ? counted.errors : usage.errors4xx + usage.errors5xx;

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((all, item) => all + value(item), 0);
}
