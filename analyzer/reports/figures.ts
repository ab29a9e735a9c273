import { z } from 'zod';
import { type Outcome, type OutcomeCounts, outcomeOf } from '../../core/outcome.ts';
import { type CallUsage, percentiles, type Usage } from '../../core/usage/usage.ts';
import { count } from '../query/schema.ts';

/**
 * Figures of answers. Durations are milliseconds with three decimals. Percentages have four decimals, so
 * that one error in a million calls is still seen. Without calls there is no duration and no rate: null.
 */
export function milliseconds(ns: number): number {
  return Math.round(ns / 1000) / 1000;
}

export function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : roundPercent((100 * part) / whole);
}

export function errorRatePct(usage: CallUsage): number | null {
  return percent(usage.errors4xx + usage.errors5xx, usage.calls);
}

/** The complement of the error rate as shown, so that the two always add up to 100. */
export function successRatePct(usage: CallUsage): number | null {
  const errorRate = errorRatePct(usage);
  return errorRate === null ? null : roundPercent(100 - errorRate);
}

const roundPercent = (value: number): number => Math.round(value * 10_000) / 10_000;

/** A count of calls as answers show it: with sampling it is a sum of weights, which need not be whole. */
export function countOf(sum: number): number {
  return Math.round(sum);
}

/** An error is a status of 400 or more. */
export function errorCount(usage: CallUsage): number {
  return countOf(usage.errors4xx + usage.errors5xx);
}

export function outcomeCount(usage: CallUsage, outcome: Outcome): number {
  if (usage.statuses !== counted.statuses) {
    counted = { statuses: usage.statuses, answered: 0, refused: 0, missing: 0, failed: 0 };
    for (const [status, calls] of usage.statuses) counted[outcomeOf(status)] += calls;
  }
  return countOf(counted[outcome]);
}

/** Of the last usage that was asked for: a row asks for its four outcomes one after the other. */
let counted: OutcomeCounts & { statuses: CallUsage['statuses'] } = {
  statuses: new Map(),
  answered: 0,
  refused: 0,
  missing: 0,
  failed: 0,
};

/** The 95 % interval of the true number of calls, whole numbers, and never fewer than were seen. */
export function callsInterval({ calls, sampling }: CallUsage): [number, number] | undefined {
  if (sampling === undefined) return undefined;
  const reach = 1.96 * Math.sqrt(sampling.variance);
  const low = Math.max(sampling.seen, Math.floor(calls - reach));
  return [low, Math.max(low, Math.ceil(calls + reach))];
}

/** Calls that have a latency. */
function timedCalls(usage: CallUsage): number {
  return usage.calls - (usage.untimed ?? 0);
}

export function averageMs(usage: CallUsage): number | null {
  const timed = timedCalls(usage);
  return timed === 0 ? null : milliseconds(usage.sumNs / timed);
}

export function leastMs(usage: CallUsage): number | null {
  return timedCalls(usage) === 0 ? null : milliseconds(usage.minNs);
}

export function mostMs(usage: CallUsage): number | null {
  return timedCalls(usage) === 0 ? null : milliseconds(usage.maxNs);
}

export function percentileMs(
  usage: CallUsage,
  percentile: (typeof percentiles)[number],
): number | null {
  if (timedCalls(usage) === 0) return null;
  return milliseconds(usage.percentilesNs[percentiles.indexOf(percentile)]!);
}

export const statusCodesSchema = z
  .record(z.string(), count)
  .describe('calls by status code, lowest first; 0 for calls without one');

/** Calls by status, lowest status first; `0` is for calls without one. */
export function statusCodes(usage: CallUsage): Record<string, number> {
  const ordered = [...usage.statuses].sort(([a], [b]) => a - b);
  return Object.fromEntries(ordered.map(([status, calls]) => [status, countOf(calls)]));
}

/** The usage of an endpoint without calls. */
export const emptyUsage: Usage = {
  calls: 0,
  errors4xx: 0,
  errors5xx: 0,
  statuses: new Map(),
  sumNs: 0,
  minNs: 0,
  maxNs: 0,
  percentilesNs: percentiles.map(() => 0),
  uniqueClients: 0,
  uniqueClientsEstimated: false,
};
