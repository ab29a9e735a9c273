import { limits } from '../../core/limits.ts';
import type { ArrivalOutcome } from '../../core/store/arrivals.ts';

/** Why something that arrived does not count, in sentences with numbers, and what mends it. */
export const findingCodes = {
  none_server: 'spans came, none of kind SERVER',
  none_http: 'SERVER spans came, none of HTTP',
  rejected: 'spans were not taken',
  excluded: 'calls were left out as configured',
  refused: 'requests were refused: the key may not send',
  undecodable: 'bodies could not be decoded',
  other_signal: 'metrics, logs or profiles came, which are not stored',
  without_route: 'calls whose route is unknown or guessed from their path',
  without_client: 'calls that name no address',
  sampled: 'only a sample of the calls is seen',
  gaps: 'the service was not heard for a while',
} as const;
export type FindingCode = keyof typeof findingCodes;

export interface Finding {
  code: FindingCode;
  /** Null for whole requests, which belong to no service. */
  service: string | null;
  environment: string | null;
  message: string;
  /** What to do; null where there is nothing. */
  advice: string | null;
}

/** What became of the spans of a service, or of requests, in the last days. */
export interface ArrivedCounts {
  counts: Record<ArrivalOutcome, number>;
  /** By reason. */
  rejected: Record<string, number>;
  refused: Record<string, number>;
  otherSignals: Record<string, number>;
}

/** @param service its name @param days how many the counts are of */
export function spanFindings(service: string, arrived: ArrivedCounts): Finding[] {
  const { counts } = arrived;
  const found: Finding[] = [];
  const add = (code: FindingCode, message: string, advice: string | null) =>
    found.push({ code, service, environment: null, message, advice });
  const server = counts.stored + counts.not_http + counts.excluded + counts.duplicate;
  const rejected = Object.values(arrived.rejected).reduce((sum, count) => sum + count, 0);
  if (counts.not_server > 0 && server + rejected === 0) {
    add(
      'none_server',
      `${plural(counts.not_server, 'span')} came from ${service}, none of kind SERVER.`,
      'Is the HTTP server instrumentation on? Only spans of kind SERVER are calls.',
    );
  }
  if (counts.not_http > 0 && counts.stored + counts.excluded + counts.duplicate === 0) {
    add(
      'none_http',
      `${plural(counts.not_http, 'SERVER span')} came from ${service}, none of HTTP.`,
      'A call has an HTTP method, status, route or path. ROLLCALL_RPC=on counts gRPC and other RPC too.',
    );
  }
  for (const [reason, count] of Object.entries(arrived.rejected)) {
    const [why, advice] = rejections[reason] ?? [reason, null];
    add(
      'rejected',
      `${plural(count, 'span')} of ${service} ${was(count)} not taken: ${why}.`,
      advice,
    );
  }
  if (counts.excluded > 0) {
    add(
      'excluded',
      `${plural(counts.excluded, 'call')} of ${service} ${was(counts.excluded)} left out, as configured.`,
      'ROLLCALL_EXCLUDE_METHODS and ROLLCALL_EXCLUDE_ROUTES say which.',
    );
  }
  return found;
}

const rejections: Record<string, [string, string | null]> = {
  trace_id: ['the trace id is not 16 bytes', 'In JSON it has 32 hexadecimal digits.'],
  span_id: ['the span id is not 8 bytes', 'In JSON it has 16 hexadecimal digits.'],
  time_zero: ['a start or end time is missing', null],
  future: [
    `the end is more than ${limits.futureS / 60} minutes in the future`,
    'Set the clock of the machine that sends.',
  ],
  too_old: ['older than the days that are kept', 'ROLLCALL_RETAIN_DAYS says how long that is.'],
};

export function requestFindings(arrived: ArrivedCounts): Finding[] {
  const found: Finding[] = [];
  const add = (code: FindingCode, message: string, advice: string | null) =>
    found.push({ code, service: null, environment: null, message, advice });
  for (const [scope, count] of Object.entries(arrived.refused)) {
    add(
      'refused',
      `${plural(count, 'request')} refused: the key has scope ${scope}, exporters need ingest.`,
      'Make a key of scope ingest and give it to the exporter.',
    );
  }
  const { undecodable } = arrived.counts;
  if (undecodable > 0) {
    add(
      'undecodable',
      `${plural(undecodable, 'request')} could not be decoded.`,
      'The protocol and the Content-Type must agree: protobuf as application/x-protobuf, JSON as application/json.',
    );
  }
  for (const [signal, count] of Object.entries(arrived.otherSignals)) {
    const exporter = signal === 'profiles' ? null : `OTEL_${signal.toUpperCase()}_EXPORTER`;
    add(
      'other_signal',
      `${plural(count, 'request')} brought ${signal}, which Rollcall does not store.`,
      exporter === null ? null : `${exporter}=none saves sending them.`,
    );
  }
  return found;
}

/** What is known of the calls of a service in the last days. */
export interface CallCoverage {
  service: string;
  environment: string;
  calls: number;
  withoutRoute: number;
  /** Undefined when there are too many services to look. */
  withoutClient: number | undefined;
  isSampled: boolean;
  gaps: number;
}

/** Shares below this are left alone: a scanner's paths have no route anywhere. */
const leastShare = 0.05;

export function callFindings(coverage: CallCoverage): Finding[] {
  const { service, environment, calls } = coverage;
  const found: Finding[] = [];
  const add = (code: FindingCode, message: string, advice: string | null) =>
    found.push({ code, service, environment, message, advice });
  const share = (part: number) =>
    `${Math.round((100 * part) / calls)} % of the calls of ${service}`;
  if (coverage.withoutRoute > leastShare * calls) {
    add(
      'without_route',
      `${share(coverage.withoutRoute)} have no route, or one that is guessed from the path.`,
      'Its spans lack http.route: use an instrumentation of the framework, or upload the inventory of the service.',
    );
  }
  if (coverage.withoutClient !== undefined && coverage.withoutClient > leastShare * calls) {
    add(
      'without_client',
      `${share(coverage.withoutClient)} name no address of a client.`,
      'Its spans lack client.address: the instrumentation must see the connection or a trusted proxy (ROLLCALL_TRUSTED_PROXIES).',
    );
  }
  if (coverage.isSampled) {
    add(
      'sampled',
      `The calls of ${service} are sampled: counts are estimates, and rare calls may go unseen.`,
      'OTEL_TRACES_SAMPLER=always_on makes them exact.',
    );
  }
  if (coverage.gaps > 0) {
    add(
      'gaps',
      `${service} was not heard for a while, ${plural(coverage.gaps, 'time')} in its life.`,
      'Silence in a gap counts for no verdict.',
    );
  }
  return found;
}

const plural = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

const was = (count: number): string => (count === 1 ? 'was' : 'were');
