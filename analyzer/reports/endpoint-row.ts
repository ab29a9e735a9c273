import type { LastCaller } from '../../core/store/store.ts';
import { isoTime } from '../../core/window.ts';
import type { Column } from '../query/table.ts';
import { type EndpointEntry, isEstimated } from './endpoint-usage.ts';
import {
  averageMs,
  callsInterval,
  count,
  errorRatePct,
  leastMs,
  mostMs,
  percentileMs,
  successRatePct,
} from './figures.ts';
import type { Mark, Status } from './lifecycle.ts';

/** One endpoint of a report. Durations are milliseconds, rates percent, times ISO 8601 UTC. */
export interface EndpointRow {
  id: string;
  service: string;
  environment: string;
  method: string;
  route: string;
  /** Null for a bucket. */
  status: Status | null;
  marks: Mark[];
  total_calls: number;
  error_4xx_count: number;
  error_5xx_count: number;
  error_rate_pct: number | null;
  success_rate_pct: number | null;
  avg_duration_ms: number | null;
  min_duration_ms: number | null;
  p50_duration_ms: number | null;
  p75_duration_ms: number | null;
  p90_duration_ms: number | null;
  p95_duration_ms: number | null;
  p99_duration_ms: number | null;
  max_duration_ms: number | null;
  first_called_at: string | null;
  last_called_at: string | null;
  days_since_last_call: number | null;
  observed_days: number;
  lifetime_calls: number;
  unique_clients: number;
  last_version: string | null;
  last_callers: LastCallerRow[];
  route_display: string;
  /** Counts and durations are estimates from sampled calls; absent where nothing is sampled. */
  estimated?: true;
  /** Of sampled calls in the window: the 95 % interval of their true number. */
  total_calls_interval?: [number, number];
}

export interface LastCallerRow {
  client: string | null;
  consumer: string | null;
  agent: string | null;
  called_at: string;
}

/** The fields in their order, with what the OpenAPI document says of them. `brief` ones make the md table. */
export const endpointColumns: Column<EndpointRow>[] = [
  { name: 'id', type: 'string', about: 'for /endpoints/{id}' },
  { name: 'service', type: 'string', about: 'service.name', brief: true },
  { name: 'environment', type: 'string', about: 'deployment.environment.name, empty when unnamed' },
  { name: 'method', type: 'string', about: 'HTTP method', brief: true },
  { name: 'route', type: 'string', about: 'canonical route, or a special one', brief: true },
  {
    name: 'status',
    type: 'string',
    about:
      'active, cold, dead, never_called or unknown, the same under every window; null for the buckets (unmatched), (unknown) and {other}, whose calls belong to no endpoint',
    brief: true,
  },
  {
    name: 'marks',
    type: 'array',
    about:
      'new, only_errors, sampled: some calls may have gone unseen, what seems dead is possibly sampled out',
  },
  { name: 'total_calls', type: 'integer', about: 'calls in the window', brief: true },
  { name: 'error_4xx_count', type: 'integer', about: 'statuses 400 to 499 in the window' },
  { name: 'error_5xx_count', type: 'integer', about: 'statuses from 500 in the window' },
  { name: 'error_rate_pct', type: 'number', about: 'null without calls', brief: true },
  { name: 'success_rate_pct', type: 'number', about: 'null without calls' },
  { name: 'avg_duration_ms', type: 'number', about: 'null without calls', brief: true },
  { name: 'min_duration_ms', type: 'number', about: 'null without calls' },
  { name: 'p50_duration_ms', type: 'number', about: 'nearest rank, within 1 %', brief: true },
  { name: 'p75_duration_ms', type: 'number', about: 'nearest rank, within 1 %' },
  { name: 'p90_duration_ms', type: 'number', about: 'nearest rank, within 1 %' },
  { name: 'p95_duration_ms', type: 'number', about: 'nearest rank, within 1 %', brief: true },
  { name: 'p99_duration_ms', type: 'number', about: 'nearest rank, within 1 %', brief: true },
  { name: 'max_duration_ms', type: 'number', about: 'null without calls' },
  { name: 'first_called_at', type: 'string', about: 'lifetime' },
  { name: 'last_called_at', type: 'string', about: 'lifetime', brief: true },
  { name: 'days_since_last_call', type: 'integer', about: 'whole days, lifetime', brief: true },
  {
    name: 'observed_days',
    type: 'integer',
    about: 'whole days since the first call of the service',
  },
  { name: 'lifetime_calls', type: 'integer', about: 'all calls ever', brief: true },
  { name: 'unique_clients', type: 'integer', about: 'distinct addresses in the window' },
  { name: 'last_version', type: 'string', about: 'service.version that answered last' },
  { name: 'last_callers', type: 'array', about: 'distinct callers, latest first, lifetime' },
  {
    name: 'route_display',
    type: 'string',
    about: 'the route as the service itself spells it, as last seen; regular expressions readably',
  },
  {
    name: 'estimated',
    type: 'boolean',
    about: 'true where counts stand for sampled calls; absent where nothing is sampled',
  },
  {
    name: 'total_calls_interval',
    type: 'array',
    about:
      'of sampled calls: 95 % interval of total_calls, [low, high]; absent where nothing is sampled',
  },
];

export function endpointRow({ endpoint, usage, life }: EndpointEntry): EndpointRow {
  const interval = callsInterval(usage);
  return {
    id: endpoint.id,
    service: endpoint.service,
    environment: endpoint.environment,
    method: endpoint.method,
    route: endpoint.route,
    status: life.status,
    marks: life.marks,
    total_calls: count(usage.calls),
    error_4xx_count: count(usage.errors4xx),
    error_5xx_count: count(usage.errors5xx),
    error_rate_pct: errorRatePct(usage),
    success_rate_pct: successRatePct(usage),
    avg_duration_ms: averageMs(usage),
    min_duration_ms: leastMs(usage),
    p50_duration_ms: percentileMs(usage, 50),
    p75_duration_ms: percentileMs(usage, 75),
    p90_duration_ms: percentileMs(usage, 90),
    p95_duration_ms: percentileMs(usage, 95),
    p99_duration_ms: percentileMs(usage, 99),
    max_duration_ms: mostMs(usage),
    first_called_at: isoTime(endpoint.firstCallMs),
    last_called_at: isoTime(endpoint.lastCallMs),
    days_since_last_call: life.daysSinceLastCall,
    observed_days: life.observedDays,
    lifetime_calls: count(endpoint.lifetimeCalls),
    unique_clients: usage.uniqueClients,
    last_version: endpoint.lastVersion || null,
    last_callers: endpoint.lastCallers.map(lastCallerRow),
    route_display: endpoint.display,
    ...(isEstimated(endpoint, usage) && { estimated: true as const }),
    ...(interval && { total_calls_interval: interval }),
  };
}

function lastCallerRow({ client, consumer, agent, atMs }: LastCaller): LastCallerRow {
  return {
    client: client || null,
    consumer: consumer || null,
    agent: agent || null,
    called_at: isoTime(atMs),
  };
}

/** What breaks ties of any order: every endpoint has its own. */
export function endpointKey(row: EndpointRow): string {
  return `${row.service}\0${row.environment}\0${row.route}\0${row.method}`;
}
