import assert from 'node:assert/strict';
import { z } from 'zod';
import type { Coverage, EndpointRecord, Selection, ServiceRecord } from '../../core/store/store.ts';
import type { Usage } from '../../core/usage/usage.ts';
import type { Note, QueryContext } from '../query/answer-head.ts';
import { count, named } from '../query/schema.ts';
import { type Status, statuses } from '../query/status.ts';
import { clientNotes, isHashed } from './client-notes.ts';
import { countOf, emptyUsage } from './figures.ts';
import { activityOf, type Lifecycle, lifecycle } from './lifecycle.ts';

/** Every endpoint of a selection with its usage in a window and its lifecycle. */
export interface EndpointUsage {
  coverage: Coverage;
  /** End of the oldest span of the selection. */
  observedSinceMs: number | undefined;
  /** Some count is an estimate. */
  estimated: boolean;
  notes: Note[];
  entries: EndpointEntry[];
}

export interface EndpointEntry {
  endpoint: EndpointRecord;
  usage: Usage;
  lifecycle: Lifecycle;
}

/** @param coverage of the store; its window is read as it is */
export async function usageByEndpoint(
  context: QueryContext,
  selection: Selection,
  coverage: Coverage,
): Promise<EndpointUsage> {
  const { snapshot, thresholds, nowMs } = context;
  const usages = await snapshot.usage(selection, coverage.window);
  const endpoints = await snapshot.endpoints(selection);
  const services = new Map(
    (await snapshot.services()).map((service) => [
      serviceKey(service),
      activityOf(service, thresholds.coldAfterDays),
    ]),
  );
  const entries: EndpointEntry[] = [];
  let estimated = false;
  for (const endpoint of endpoints) {
    const service = services.get(serviceKey(endpoint));
    assert(service, `endpoint ${endpoint.id} has no service ${endpoint.service}`);
    const usage = usages.get(endpoint.id) ?? emptyUsage;
    entries.push({ endpoint, usage, lifecycle: lifecycle(endpoint, service, thresholds, nowMs) });
    estimated ||= usage.uniqueClientsEstimated || isEstimated(endpoint, usage);
  }
  const hashed = endpoints.some(({ lastCallers }) => lastCallers.some(isHashed));
  const notes = clientNotes(context, coverage.window, hashed);
  return { coverage, observedSinceMs: observedSince(endpoints), estimated, notes, entries };
}

/** Calls in the window or in its life were counted by weights. */
export function isEstimated(endpoint: EndpointRecord, usage: Usage): boolean {
  return endpoint.sampling !== undefined || usage.sampling !== undefined;
}

/** Equal for a service's record and those of its endpoints, different for any two services. */
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

/** Counts the whole selection, whatever filters leave of the list. */
export const endpointSummarySchema = named(
  'EndpointSummary',
  z
    .object({
      total_endpoints: count,
      total_requests: count.describe('calls in the window'),
      ...(Object.fromEntries(statuses.map((status) => [status, count])) as Record<
        Status,
        typeof count
      >),
      undocumented: count,
    })
    .describe('counts the whole selection, whatever the filters leave of the list'),
);

export function summarize(
  entries: readonly EndpointEntry[],
): z.output<typeof endpointSummarySchema> {
  const byStatus = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<
    Status,
    number
  >;
  let calls = 0;
  let endpoints = 0;
  for (const { usage, lifecycle: life } of entries) {
    calls += usage.calls;
    if (life.status === null) continue;
    endpoints += 1;
    byStatus[life.status] += 1;
  }
  return {
    total_endpoints: endpoints,
    total_requests: countOf(calls),
    ...byStatus,
    undocumented: 0,
  };
}
