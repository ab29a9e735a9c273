import { z } from 'zod';
import type { ClientUsage } from '../../core/store/store.ts';
import type { Usage } from '../../core/usage/usage.ts';
import { isoTime } from '../../core/window.ts';
import {
  commonParameters,
  limitParameter,
  methodParameter,
  routeParameter,
} from '../query/parameters.ts';
import { jsonAnswer, question } from '../query/query.ts';
import { previousWindow, requestedWindow, windowAnswer } from '../query/window.ts';
import { type EndpointEntry, head, usageByEndpoint } from './endpoint-usage.ts';
import {
  averageMs,
  callsInterval,
  count,
  errorCount,
  errorRatePct,
  leastMs,
  mostMs,
  percentileMs,
  statusCodes,
} from './figures.ts';
import { glance, narrowed } from './timeseries.ts';

/** One window at a glance, beside the window of the same length before it. */
export const summary = question({
  name: 'summary',
  path: '/summary',
  about: 'Totals, methods, status codes, busiest endpoints, top clients and a time series',
  parameters: z.strictObject({
    ...commonParameters,
    method: methodParameter,
    route: routeParameter,
    limit: limitParameter(1000, 20),
  }),
  async answer(asked, parameters) {
    const { snapshot, nowMs } = asked;
    const { service, environment, method, route, limit } = parameters;
    const { selection } = await narrowed(snapshot, parameters);
    const window = requestedWindow(parameters, nowMs);
    const roll = await usageByEndpoint(asked, selection, window);
    const { coverage } = roll;
    const total = await snapshot.total(selection, coverage.window);
    const before = await snapshot.coverage(previousWindow(window));
    const previous = await snapshot.total(selection, before.window);
    const clients = await snapshot.clients(selection, coverage.window, limit);
    const series = await glance(snapshot, selection, coverage);
    const isEstimated = [total, previous].some(
      (usage) => usage.uniqueClientsEstimated || usage.sampling !== undefined,
    );
    const known = { ...roll, estimated: roll.estimated || isEstimated || series.isEstimated };
    return jsonAnswer({
      ...head(asked, known, { service, environment, method, route }),
      summary: totals(total),
      previous_window: windowAnswer(before),
      previous: totals(previous),
      method_usage: methodUsage(roll.entries),
      endpoint_stats: endpointStats(roll.entries, limit),
      status_codes: statusCodes(total),
      top_ips: clients.map(ipRow),
      interval: series.interval,
      time_series: series.usages.map((usage, n) => point(series.startsS[n]!, usage)),
    });
  },
});

function totals(usage: Usage) {
  const interval = callsInterval(usage);
  return {
    total_requests: count(usage.calls),
    ...(interval && { total_requests_interval: interval }),
    unique_ips: usage.uniqueClients,
    avg_response_time_ms: averageMs(usage),
    min_response_time_ms: leastMs(usage),
    max_response_time_ms: mostMs(usage),
    p95_response_time_ms: percentileMs(usage, 95),
    error_rate_pct: errorRatePct(usage),
  };
}

/** Most used method first. */
function methodUsage(entries: readonly EndpointEntry[]): Record<string, number> {
  const calls = new Map<string, number>();
  for (const { endpoint, usage } of entries) {
    if (usage.calls === 0) continue;
    calls.set(endpoint.method, (calls.get(endpoint.method) ?? 0) + usage.calls);
  }
  const ordered = [...calls].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return Object.fromEntries(ordered.map(([method, sum]) => [method, count(sum)]));
}

/** The busiest endpoints that were called at all. */
function endpointStats(entries: readonly EndpointEntry[], limit: number) {
  return (
    entries
      .filter(({ usage }) => usage.calls > 0)
      // The sort is stable: endpoints with as many calls keep the store's order.
      .sort((a, b) => b.usage.calls - a.usage.calls)
      .slice(0, limit)
      .map(({ endpoint, usage }) => ({
        id: endpoint.id,
        service: endpoint.service,
        environment: endpoint.environment,
        method: endpoint.method,
        route: endpoint.route,
        requests: count(usage.calls),
        avg_time_ms: averageMs(usage),
        errors_count: errorCount(usage),
      }))
  );
}

function ipRow({ client, calls, errors }: ClientUsage) {
  return { ip: client, requests: count(calls), errors: count(errors) };
}

function point(startS: number, usage: Usage) {
  return {
    timestamp: isoTime(startS * 1000),
    requests: count(usage.calls),
    avg_time_ms: averageMs(usage),
    error_rate_pct: errorRatePct(usage),
  };
}
