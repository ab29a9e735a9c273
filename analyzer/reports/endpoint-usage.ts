import assert from 'node:assert/strict';
import type {
  Coverage,
  EndpointRecord,
  Selection,
  ServiceRecord,
  Snapshot,
} from '../../core/store/store.ts';
import type { Usage } from '../../core/usage/usage.ts';
import { isoTime, type Window } from '../../core/window.ts';
import { type WindowAnswer, windowAnswer } from '../query/window.ts';
import { count, emptyUsage } from './figures.ts';
import type { Lifecycle, Status, Thresholds } from './lifecycle.ts';
import { activityOf, lifecycle } from './lifecycle.ts';

/** The roll: every endpoint of a selection with its usage in the window and its lifecycle. */
export interface EndpointUsage {
  coverage: Coverage;
  /** End of the oldest span of the selection. */
  observedSinceMs: number | undefined;
  /** Some count is an estimate. */
  estimated: boolean;
  entries: EndpointEntry[];
}

export interface EndpointEntry {
  endpoint: EndpointRecord;
  usage: Usage;
  life: Lifecycle;
}

/** What every question is asked with. */
export interface QueryContext {
  snapshot: Snapshot;
  nowMs: number;
  thresholds: Thresholds;
}

export async function usageByEndpoint(
  asked: QueryContext,
  selection: Selection,
  window: Window,
): Promise<EndpointUsage> {
  const { snapshot, thresholds, nowMs } = asked;
  const coverage = await snapshot.coverage(window);
  const usages = await snapshot.usage(selection, coverage.window);
  const endpoints = await snapshot.endpoints(selection);
  const services = new Map(
    (await snapshot.services()).map((service) => [
      serviceKey(service),
      activityOf(service, thresholds.coldAfterDays),
    ]),
  );
  const observedSinceMs = observedSince(endpoints);
  const roll: EndpointUsage = { coverage, observedSinceMs, estimated: false, entries: [] };
  for (const endpoint of endpoints) {
    const service = services.get(serviceKey(endpoint));
    assert(service, `endpoint ${endpoint.id} has no service ${endpoint.service}`);
    const usage = usages.get(endpoint.id) ?? emptyUsage;
    const life = lifecycle(endpoint, service, thresholds, nowMs);
    roll.entries.push({ endpoint, usage, life });
    roll.estimated ||= usage.uniqueClientsEstimated || isEstimated(endpoint, usage);
  }
  return roll;
}

/** Calls in the window or in its life were counted by weights. */
export function isEstimated(endpoint: EndpointRecord, usage: Usage): boolean {
  return endpoint.sampling !== undefined || usage.sampling !== undefined;
}

/** Tells services apart, and those of their endpoints. */
export function serviceKey({ service, environment }: EndpointRecord | ServiceRecord): string {
  return `${service}\0${environment}`;
}

export function observedSince(
  records: readonly (EndpointRecord | ServiceRecord)[],
): number | undefined {
  let oldestMs: number | undefined;
  for (const { firstCallMs } of records) oldestMs = Math.min(firstCallMs, oldestMs ?? Infinity);
  return oldestMs;
}

/** The selection of the common parameters. */
export function selectionOf(parameters: {
  service?: string | undefined;
  environment?: string | undefined;
}): Selection {
  const { service, environment } = parameters;
  return {
    ...(service !== undefined && { service }),
    ...(environment !== undefined && { environment }),
  };
}

/** What every answer begins with. */
export interface Head {
  generated_at: string;
  window: WindowAnswer;
  /** The filters that were given, as they were understood; null where none was. */
  filters: Record<string, string | null>;
  observed_since: string | null;
  estimated: boolean;
}

export function head(
  asked: QueryContext,
  known: { coverage: Coverage; observedSinceMs: number | undefined; estimated: boolean },
  filters: Record<string, string | readonly string[] | undefined>,
): Head {
  return {
    generated_at: isoTime(asked.nowMs),
    window: windowAnswer(known.coverage),
    filters: Object.fromEntries(
      Object.entries(filters).map(([name, value]) => [name, value?.toString() ?? null]),
    ),
    observed_since: known.observedSinceMs === undefined ? null : isoTime(known.observedSinceMs),
    estimated: known.estimated,
  };
}

/** Counts the whole selection, whatever filters leave of the list. */
export interface EndpointSummary extends Record<Status, number> {
  total_endpoints: number;
  total_requests: number;
  undocumented: number;
}

export function summarize(entries: readonly EndpointEntry[]): EndpointSummary {
  const summary: EndpointSummary = {
    total_endpoints: 0,
    total_requests: 0,
    active: 0,
    cold: 0,
    dead: 0,
    never_called: 0,
    unknown: 0,
    undocumented: 0,
  };
  for (const { usage, life } of entries) {
    summary.total_requests += usage.calls;
    if (life.status === null) continue;
    summary.total_endpoints += 1;
    summary[life.status] += 1;
  }
  summary.total_requests = count(summary.total_requests);
  return summary;
}
