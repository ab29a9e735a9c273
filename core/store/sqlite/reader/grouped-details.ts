import { outcomeCounts, outcomes } from '../../../outcome.ts';
import { type ConsumerCounts, ConsumerTally } from '../../../usage/consumer-tally.ts';
import type { Tally } from '../../../usage/tally.ts';
import type { CallUsage } from '../../../usage/usage.ts';
import type { ConsumerName, CountedCalls } from '../../store.ts';
import { otherVersions } from '../../versions.ts';
import {
  addConsumers,
  addEncodedCallTallies,
  type EncodedTally,
  forEachVersion,
} from '../usage/details.ts';
import type { UsageEntries } from '../usage/usage-entries.ts';
import { callUsageOf, forEachEndpoint } from './detailed-usage.ts';
import type { DimensionCache } from './dimension-cache.ts';

/**
 * Usage of each named version, and last that of all others together.
 * @param tally an empty one, which is left empty
 */
export function byVersions(
  entries: UsageEntries,
  dimensions: DimensionCache,
  versions: readonly string[],
  tally: Tally,
): CallUsage[] {
  const groupOf = groups((version) =>
    version === otherVersions ? -1 : versions.indexOf(dimensions.version(version)),
  );
  const encoded: EncodedTally[][] = Array.from({ length: versions.length + 1 }, () => []);
  for (let i = 0; i < entries.length; i++) {
    forEachVersion(entries, i, (version, own) => {
      encoded.at(groupOf(version))!.push(own);
    });
  }
  return encoded.map((own) => {
    addEncodedCallTallies(tally, own);
    const usage = callUsageOf(tally);
    tally.clear();
    return usage;
  });
}

/** Calls of each named consumer, and last those of all others together. */
export function byConsumers(
  entries: UsageEntries,
  dimensions: DimensionCache,
  consumers: readonly ConsumerName[],
): CountedCalls[] {
  const tally = new ConsumerTally();
  for (let i = 0; i < entries.length; i++) addConsumers(entries, i, tally);
  const groupOf = consumerGroups(dimensions, consumers);
  const sums = Array.from({ length: consumers.length + 1 }, () => ({
    outcomes: outcomes.map(() => 0),
    errors: 0,
  }));
  tally.forEach((consumer, counts) => {
    addCounts(sums.at(groupOf(consumer >> 1))!, counts);
  });
  return sums.map(countedCalls);
}

/**
 * Calls of one consumer by endpoint, by the endpoint's row.
 * @param entries under the rows of their endpoints
 */
export function byEndpointOfConsumer(
  entries: UsageEntries,
  dimensions: DimensionCache,
  wanted: ConsumerName,
): { byRow: Map<number, CountedCalls>; otherCalls: number } {
  const byRow = new Map<number, CountedCalls>();
  let otherCalls = 0;
  const groupOf = consumerGroups(dimensions, [wanted]);
  forEachEndpoint(entries, (endpoint, consumers) => {
    const sum = { outcomes: outcomes.map(() => 0), errors: 0 };
    consumers.forEach((consumer, counts) => {
      const name = consumer >> 1;
      if (name === 0) otherCalls += callsOf(counts.outcomes);
      else if (groupOf(name) === 0) addCounts(sum, counts);
    });
    const counted = countedCalls(sum);
    if (counted.calls > 0) byRow.set(endpoint, counted);
  });
  return { byRow, otherCalls };
}

interface Sum {
  outcomes: number[];
  errors: number;
}

function addCounts(into: Sum, { outcomes: own, errors }: ConsumerCounts): void {
  into.errors += errors;
  for (const [i, calls] of own.entries()) into.outcomes[i]! += calls;
}

const callsOf = (own: readonly number[]): number => own.reduce((all, calls) => all + calls, 0);

function countedCalls({ outcomes: own, errors }: Sum): CountedCalls {
  return { calls: callsOf(own), errors, outcomes: outcomeCounts(own) };
}

/** The index of a name among the wanted ones, by the name's number; -1 for all others. */
function consumerGroups(
  dimensions: DimensionCache,
  wanted: readonly ConsumerName[],
): (name: number) => number {
  return groups((name) => {
    if (name === 0) return -1;
    const { name: consumer, isAgent } = dimensions.consumer(name);
    const namedBy = isAgent ? 'agent' : 'span';
    return wanted.findIndex((one) => one.consumer === consumer && one.namedBy === namedBy);
  });
}

/** The index of a number's group, found once for each number; -1 for the last group, that of all others. */
function groups(find: (number: number) => number): (number: number) => number {
  const known = new Map<number, number>();
  return (number) => {
    let group = known.get(number);
    if (group === undefined) {
      group = find(number);
      known.set(number, group);
    }
    return group;
  };
}
