import { specialRoutes } from '../../../limits.ts';
import { outcomeCounts, outcomes } from '../../../outcome.ts';
import { type ConsumerCounts, ConsumerTally } from '../../../usage/consumer-tally.ts';
import type { Tally } from '../../../usage/tally.ts';
import type { CallUsage } from '../../../usage/usage.ts';
import type { ConsumerUsage, CountedCalls, VersionUsage } from '../../store.ts';
import { otherVersions } from '../../versions.ts';
import {
  addConsumers,
  addConsumersOfVersion,
  addEncodedCallTallies,
  addVersions,
  type ConsumersOfVersion,
  type EncodedTally,
  forEachVersion,
} from '../usage/details.ts';
import { sortBy } from '../usage/radix-sort.ts';
import type { UsageEntries } from '../usage/usage-entries.ts';
import type { DimensionCache } from './dimension-cache.ts';

/** Calls by version of all the entries, most calls first, `{other}` last. @param tally an empty one, which is left empty */
export function versionsOf(
  entries: UsageEntries,
  dimensions: DimensionCache,
  tally: Tally,
): VersionUsage[] {
  const byVersion = new Map<number, EncodedTally[]>();
  for (let i = 0; i < entries.length; i++) addVersions(entries, i, byVersion);
  const found: VersionUsage[] = [];
  let other: VersionUsage | undefined;
  for (const [number, encoded] of byVersion) {
    addEncodedCallTallies(tally, encoded);
    const usage = callUsageOf(tally);
    tally.clear();
    if (number === otherVersions) other = { version: specialRoutes.other, usage };
    else found.push({ version: dimensions.version(number), usage });
  }
  found.sort((a, b) => b.usage.calls - a.usage.calls || (a.version < b.version ? -1 : 1));
  return other ? [...found, other] : found;
}

/** Usage without clients. */
export function callUsageOf(tally: Tally): CallUsage {
  const { uniqueClients: _, uniqueClientsEstimated: __, ...usage } = tally.usage();
  return usage;
}

/**
 * Calls of one version by endpoint.
 * @param entries under the rows of their endpoints @param tally an empty one, which is left empty
 * @param add adds up encoded tallies, with their clients or without
 * @returns by row, for those with any call of the version
 */
export function ofVersion<T>(
  entries: UsageEntries,
  isVersion: (version: number) => boolean,
  tally: Tally,
  add: (tally: Tally, encoded: readonly EncodedTally[]) => void,
  answer: (tally: Tally) => T,
): Map<number, T> {
  const answers = new Map<number, T>();
  const own: EncodedTally[] = [];
  const order = sortBy(entries.length, entries.endpoint);
  for (let i = 0; i < order.length; ) {
    const endpoint = entries.endpoint[order[i]!]!;
    for (; i < order.length && entries.endpoint[order[i]!] === endpoint; i++) {
      forEachVersion(entries, order[i]!, (version, encoded) => {
        if (isVersion(version)) own.push(encoded);
      });
    }
    if (own.length === 0) continue;
    add(tally, own);
    answers.set(endpoint, answer(tally));
    own.length = 0;
    tally.clear();
  }
  return answers;
}

/**
 * Calls by consumer of all the entries.
 * @param entries under the rows of their endpoints
 * @param isVersion only calls that these versions answered; undefined for all
 */
export function consumersOf(
  entries: UsageEntries,
  dimensions: DimensionCache,
  limit: number,
  isVersion?: (version: number) => boolean,
): ConsumerUsage[] {
  const byName = new Map<number, Sum>();
  const addAll = (endpoint: number, consumers: ConsumerTally): void =>
    consumers.forEach((consumer, counts) => {
      addConsumer(byName, consumer, counts, endpoint);
    });
  forEachEndpoint(entries, addAll, isVersion);
  return mostOf(byName, dimensions, limit);
}

/** As `consumersOf`, by row, for endpoints with any call. */
export function consumersByEndpoint(
  entries: UsageEntries,
  dimensions: DimensionCache,
  limit: number,
): Map<number, ConsumerUsage[]> {
  const answers = new Map<number, ConsumerUsage[]>();
  forEachEndpoint(entries, (endpoint, consumers) => {
    const byName = new Map<number, Sum>();
    consumers.forEach((consumer, counts) => {
      addConsumer(byName, consumer, counts, endpoint);
    });
    if (byName.size > 0) answers.set(endpoint, mostOf(byName, dimensions, limit));
  });
  return answers;
}

/** Adds the entries up by endpoint. The tally is empty again after each. @param isVersion as of `consumersOf` */
export function forEachEndpoint(
  entries: UsageEntries,
  answer: (endpoint: number, consumers: ConsumerTally) => void,
  isVersion?: (version: number) => boolean,
): void {
  const consumers = new ConsumerTally();
  const order = sortBy(entries.length, entries.endpoint);
  for (let i = 0; i < order.length; ) {
    const endpoint = entries.endpoint[order[i]!]!;
    for (; i < order.length && entries.endpoint[order[i]!] === endpoint; i++) {
      if (isVersion) addOfVersion(entries, order[i]!, isVersion, consumers);
      else addConsumers(entries, order[i]!, consumers);
    }
    answer(endpoint, consumers);
    consumers.clear();
  }
}

/** The `limit` consumers with most calls, and `{other}`. */
function mostOf(
  byName: Map<number, Sum>,
  dimensions: DimensionCache,
  limit: number,
): ConsumerUsage[] {
  const named = [...byName].filter(([name]) => name !== otherName);
  named.sort(([a, one], [b, two]) => two.calls - one.calls || a - b);
  const other = byName.get(otherName) ?? noSum();
  const isOther = byName.has(otherName) || named.length > limit;
  for (const [, sum] of named.splice(limit)) addSum(other, sum);
  const found = named.map(([name, sum]) => {
    const { name: consumer, isAgent } = dimensions.consumer(name);
    return usageOf(sum, consumer, isAgent ? 'agent' : 'span');
  });
  return isOther ? [...found, usageOf(other, specialRoutes.other, 'other')] : found;
}

/** Adds the consumers of an entry's calls that some versions answered. */
function addOfVersion(
  entries: UsageEntries,
  entry: number,
  isVersion: (version: number) => boolean,
  consumers: ConsumerTally,
): void {
  const own: ConsumersOfVersion[] = [];
  forEachVersion(entries, entry, (version, encoded) => {
    if (encoded.consumers && isVersion(version)) own.push(encoded.consumers);
  });
  for (const part of own) addConsumersOfVersion(part, consumers);
}

/** The name of both `otherPeople` and `otherBots`. */
const otherName = 0;

/** Calls of one name: by people, and by bots. */
interface Sum {
  calls: number;
  people: Counts;
  bots: Counts;
  firstS: number;
  lastS: number;
  endpoints: number;
  /** The last endpoint that was added. */
  endpoint: number;
}

interface Counts {
  outcomes: number[];
  errors: number;
}

function noSum(): Sum {
  const counts = (): Counts => ({ outcomes: outcomes.map(() => 0), errors: 0 });
  const firstS = Number.POSITIVE_INFINITY;
  const [people, bots] = [counts(), counts()];
  return { calls: 0, people, bots, firstS, lastS: 0, endpoints: 0, endpoint: 0 };
}

function addConsumer(
  byName: Map<number, Sum>,
  consumer: number,
  counts: ConsumerCounts,
  endpoint: number,
): void {
  let sum = byName.get(consumer >> 1);
  if (sum === undefined) {
    sum = noSum();
    byName.set(consumer >> 1, sum);
  }
  const own = consumer & 1 ? sum.bots : sum.people;
  for (const [i, calls] of counts.outcomes.entries()) {
    own.outcomes[i]! += calls;
    sum.calls += calls;
  }
  own.errors += counts.errors;
  sum.firstS = Math.min(sum.firstS, counts.firstS);
  sum.lastS = Math.max(sum.lastS, counts.lastS);
  if (sum.endpoint !== endpoint) sum.endpoints += 1;
  sum.endpoint = endpoint;
}

/** Endpoints do not add up: several consumers may use the same one. */
function addSum(into: Sum, more: Sum): void {
  into.calls += more.calls;
  for (const kind of ['people', 'bots'] as const) {
    into[kind].errors += more[kind].errors;
    for (const [i, calls] of more[kind].outcomes.entries()) into[kind].outcomes[i]! += calls;
  }
  into.firstS = Math.min(into.firstS, more.firstS);
  into.lastS = Math.max(into.lastS, more.lastS);
}

function usageOf(
  { people, bots, endpoints, firstS, lastS }: Sum,
  consumer: string,
  namedBy: ConsumerUsage['namedBy'],
): ConsumerUsage {
  return {
    consumer,
    namedBy,
    people: countedCalls(people),
    bots: countedCalls(bots),
    ...(namedBy !== 'other' && { endpoints }),
    firstCallMs: firstS * 1000,
    lastCallMs: lastS * 1000,
  };
}

function countedCalls({ outcomes, errors }: Counts): CountedCalls {
  const calls = outcomes.reduce((sum, n) => sum + n, 0);
  return { calls, errors, outcomes: outcomeCounts(outcomes) };
}
