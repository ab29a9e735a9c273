import type { Head } from '../../query/answer-head.ts';
import type { ClientRow } from '../../reports/callers/clients.ts';
import type { ConsumerRow } from '../../reports/callers/consumers.ts';
import type { CallRow } from '../../reports/calls/call-row.ts';
import type { ComparisonRow } from '../../reports/compare/comparison-row.ts';
import type { EndpointRow } from '../../reports/endpoint-row.ts';
import type { SeriesPoint } from '../../reports/series/series.ts';
import type { EventRow } from '../../reports/series/timeline.ts';
import type { ServiceRow } from '../../reports/services.ts';
import type { VersionRow } from '../../reports/versions.ts';

/** The API's answers as the page reads them. Rows are the analyzer's own types. */
export type {
  CallRow,
  ClientRow,
  ComparisonRow,
  ConsumerRow,
  EndpointRow,
  EventRow,
  Head,
  SeriesPoint,
  ServiceRow,
  VersionRow,
};

export interface Calls {
  generated_at: string;
  notes?: NonNullable<Head['notes']>;
  kept_since: string | null;
  calls: CallRow[];
  next_cursor: string | null;
  follow_cursor: string;
}

export interface ReportSummary {
  total_endpoints: number;
  total_requests: number;
  active: number;
  cold: number;
  dead: number;
  never_called: number;
  unknown?: number;
}

/** The fields of an endpoint in lists; the others are requested for one endpoint at a time. */
export const reportFields = [
  'id',
  'service',
  'environment',
  'method',
  'route',
  'route_display',
  'status',
  'marks',
  'total_calls',
  'error_4xx_count',
  'error_5xx_count',
  'refused_count',
  'missing_count',
  'failed_count',
  'error_rate_pct',
  'avg_duration_ms',
  'p50_duration_ms',
  'p75_duration_ms',
  'p90_duration_ms',
  'p95_duration_ms',
  'p99_duration_ms',
  'max_duration_ms',
  'unique_clients',
  'first_called_at',
  'last_called_at',
  'last_answered_at',
  'last_used_at',
  'days_since_last_call',
  'lifetime_calls',
  'owner',
  'estimated',
  'total_calls_interval',
] as const satisfies readonly (keyof EndpointRow)[];

export type ReportRow = Pick<EndpointRow, (typeof reportFields)[number]>;

export interface Report extends Head {
  summary: ReportSummary;
  endpoints: ReportRow[];
  next_cursor: string | null;
}

/** The fields of endpoints that can go, or should not be called any more, with their evidence. */
export const evidenceFields = [
  'id',
  'service',
  'environment',
  'method',
  'route',
  'status',
  'marks',
  'confidence',
  'reasons',
  'total_calls',
  'missing_count',
  'lifetime_calls',
  'observed_days',
  'first_called_at',
  'last_called_at',
  'last_used_at',
  'days_since_last_call',
  'last_callers',
  'last_version',
  'owner',
  'sunset_at',
  'expected_at',
  'removed_at',
  'decision',
  'decision_reason',
  'decision_by',
  'decided_at',
  'decision_until',
  'decision_returned',
] as const satisfies readonly (keyof EndpointRow)[];

export type EvidenceRow = Pick<EndpointRow, (typeof evidenceFields)[number]>;

export interface EvidenceList extends Head {
  endpoints: EvidenceRow[];
  next_cursor: string | null;
}

/** Endpoints by status on each day, days without a snapshot excepted. */
export interface DeadHistory {
  days: ({ day: string } & Record<
    'active' | 'cold' | 'dead' | 'never_called' | 'unknown' | 'removed',
    number
  >)[];
}

export type DecisionAction = 'keep' | 'deprecate' | 'remove';

/** What people decided about an endpoint, newest first; an action of null withdrew the one before. */
export interface DecisionAnswer {
  decision: { decision: DecisionAction; reason: string; until: string | null; by: string } | null;
  returned: EndpointRow['decision_returned'];
  history: {
    decision: DecisionAction | null;
    reason: string;
    until: string | null;
    by: string;
    decided_at: string;
    known_callers: number;
  }[];
}

/** A small series of each endpoint, by id. */
export interface Sparks extends Head {
  spark_starts: string[];
  endpoints: { id: string; spark: Spark }[];
  next_cursor: string | null;
}

export type Spark = NonNullable<EndpointRow['spark']>;

export interface Totals {
  total_requests: number;
  /** Of sampled calls: the 95 % interval of their true number. */
  total_requests_interval?: [number, number];
  /** Null where it is not kept: of a part of the calls. */
  unique_ips: number | null;
  /** Endpoints that were called, buckets excepted. */
  called_endpoints: number;
  avg_response_time_ms: number | null;
  min_response_time_ms: number | null;
  max_response_time_ms: number | null;
  p95_response_time_ms: number | null;
  error_rate_pct: number | null;
}

export interface Summary extends Head {
  summary: Totals;
  /** Null when a part of the window before is past its retention. */
  previous: Totals | null;
  method_usage: Record<string, number>;
  status_codes: Record<string, number>;
  top_ips: { ip: string; requests: number; errors: number }[];
}

export interface Timeseries extends Head {
  interval: string;
  tz: string;
  /** Deployments in the window. */
  events: EventRow[];
  points: SeriesPoint[];
}

/** Deployments, and events that were told. */
export interface Events extends Head {
  events: EventRow[];
  next_cursor: string | null;
}

/** Endpoints in two windows, or of two versions; what got worse comes first. */
export interface ComparisonAnswer extends Head {
  by: 'window' | 'version';
  before_window: Head['window'];
  versions?: { service: string; environment: string; before_version: string; version: string }[];
  false_discovery_rate_pct: number;
  summary: Record<ComparisonRow['verdict'], number>;
  endpoints: ComparisonRow[];
  next_cursor: string | null;
}

/** Calls by column of time, then by row of duration. */
export interface Heatmap {
  starts: string[];
  /** Bounds of the rows, ascending; one more than rows. */
  bounds_ms: number[];
  counts: number[][];
}

export interface CurvePoint {
  percentile: number;
  duration_ms: number;
}

/** The durations of all selected endpoints together. */
export interface LatencyAnswer extends Head {
  latency_heatmap: Heatmap;
  percentile_curve: CurvePoint[];
}

export interface EndpointAnswer extends Head {
  endpoint: EndpointRow;
  latency_heatmap: Heatmap;
  percentile_curve: CurvePoint[];
  status_codes: Record<string, number>;
  interval: string;
  time_series: SeriesPoint[];
  clients: ClientRow[];
  consumers: ConsumerRow[];
  versions: VersionRow[];
  slowest_calls: CallRow[];
  latest_errors: CallRow[];
}

export interface Consumers extends Head {
  total_calls: number;
  consumers: ConsumerRow[];
  next_cursor: string | null;
}

export interface Clients extends Head {
  clients: ClientRow[];
  next_cursor: string | null;
}

export interface Services extends Head {
  services: ServiceRow[];
  next_cursor: string | null;
}

/** The declared routes of a service, and the calls to each. */
export interface Inventory {
  version: number;
  created_at: string;
  author: string | null;
  format: string;
  declared_routes: number;
  added_routes: number;
  removed_routes: number;
  service: string;
  environment: string | null;
  dry_run: boolean;
  called_routes: number;
  never_called_routes: number;
  notes: string[];
  routes: {
    method: string;
    route: string;
    deprecated: boolean;
    owner: string | null;
    sunset_at: string | null;
    endpoints: { id: string; environment: string; method: string; route: string }[];
  }[];
  undocumented: { id: string; environment: string; method: string; route: string }[];
  former_routes: { method: string; route: string; removed_at: string }[];
}

export interface Key {
  id: string;
  project: string;
  scope: 'ingest' | 'read' | 'admin';
  prefix: string;
  created_at: string;
  rotated_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

/** Facts that the page has before its first request. */
export interface Session {
  auth: 'off' | 'keys';
  /** The build of the dashboard that the analyzer serves now. */
  build: string | null;
  version: string;
  /** Null when a key is wanted and none was given yet. */
  user: {
    /** Null for the operator, who has every project. */
    project: string | null;
    scope: 'read' | 'admin' | 'operator';
    expires_at: string | null;
  } | null;
  /** Where services send: the collector as it is configured. A port of null was taken freely. */
  collector: { scheme: 'http' | 'https'; http_port: number | null; grpc_port: number | null };
  /** Null until signed in. */
  settings: Settings | null;
}

export interface Settings {
  cold_after_days: number;
  dead_after_days: number;
  retention: { calls: string; minutes: string; hours: string; days: string };
  client_privacy: string;
  consumer_attributes: string[];
}
