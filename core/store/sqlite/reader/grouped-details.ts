import { outcomeCounts, outcomes } from '../../../outcome.ts';
import { ConsumerTally } from '../../../usage/consumer-tally.ts';
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
import { callUsageOf } from './detailed-usage.ts';
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
  const groupOf = groups((name) => {
    if (name === 0) return -1;
    const { name: consumer, isAgent } = dimensions.consumer(name);
    const namedBy = isAgent ? 'agent' : 'span';
    return consumers.findIndex((one) => one.consumer === consumer && one.namedBy === namedBy);
  });
  const sums = Array.from({ length: consumers.length + 1 }, () => ({
    outcomes: outcomes.map(() => 0),
    errors: 0,
  }));
  tally.forEach((consumer, counts) => {
    const sum = sums.at(groupOf(consumer >> 1))!;
    sum.errors += counts.errors;
    for (const [i, calls] of counts.outcomes.entries()) sum.outcomes[i]! += calls;
  });
  return sums.map(({ outcomes: own, errors }) => ({
    calls: own.reduce((all, calls) => all + calls, 0),
    errors,
    outcomes: outcomeCounts(own),
  }));
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
