import { limits } from '../limits.ts';
import { dayS, hourS, minuteS } from '../window.ts';
import { defaultRetention } from './retention.ts';
import * as values from './values.ts';

export interface Variable<T = unknown> {
  /** The default, as text: used when the variable is unset or empty; shown in help and README. */
  fallback: string;
  meaning: string;
  read: (text: string) => T;
  /** Never repeat the value in a message: all of it is secret, or the part before an @ may be. */
  secret?: 'whole' | 'before @';
}

/** A retention period. At least long enough to build the next coarser level; at most the longest window. */
function keep(fallbackS: number, leastS: number, what: string): Variable<number> {
  const read = values.duration(leastS, limits.windowDays * dayS);
  return { fallback: values.durationText(fallbackS), meaning: `how long ${what}`, read };
}

/** For a variable without a default: undefined when it is unset. */
function optional<T>(read: (text: string) => T): (text: string) => T | undefined {
  return (text) => (text === '' ? undefined : read(text));
}

/** Every variable this version reads, in the order of the README's table. */
export const variables = {
  ROLLCALL_STORE: {
    fallback: 'sqlite:data/rollcall.db',
    meaning:
      'where calls are stored: sqlite: and the path of a file, or clickhouse://user:password@host:8123/database (experimental: docs/clickhouse.md)',
    read: values.store,
    secret: 'before @',
  },
  ROLLCALL_HOST: {
    fallback: '127.0.0.1',
    meaning: 'address to listen on',
    read: values.host,
  },
  ROLLCALL_OTLP_HTTP_PORT: {
    fallback: '4318',
    meaning: 'OTLP over HTTP; 0 takes a free port',
    read: values.port,
  },
  ROLLCALL_OTLP_GRPC_PORT: {
    fallback: '4317',
    meaning: 'OTLP over gRPC; 0 takes a free port',
    read: values.port,
  },
  ROLLCALL_GRPC_CONNECTION_AGE: {
    fallback: '',
    meaning:
      'age at which a gRPC connection is drained and closed, so that a load balancer can spread new ones; unset: never',
    read: optional(values.duration(1, 30 * dayS)),
  },
  ROLLCALL_ANALYZER_PORT: {
    fallback: '4380',
    meaning: 'REST API and dashboard; 0 takes a free port',
    read: values.port,
  },
  ROLLCALL_BASE_PATH: {
    fallback: '/',
    meaning:
      'the path below which a proxy that does not strip it serves the REST API and dashboard, such as /rollcall',
    read: values.basePath,
  },
  ROLLCALL_TRACE_URL: {
    fallback: '',
    meaning:
      'address of a trace in its own system, with {trace_id} in it, such as https://jaeger.example/trace/{trace_id}; unset: calls have no links',
    read: optional(values.traceUrl),
  },
  ROLLCALL_AUTH: {
    fallback: '',
    meaning:
      'keys: every request needs a key; off: no request needs one; unset: off on a loopback address, else keys',
    read: optional(values.oneOf('off', 'keys')),
  },
  ROLLCALL_ALLOWED_HOSTS: {
    fallback: 'none',
    meaning:
      'host names besides localhost under which requests are served on a loopback address without keys, such as the name of a proxy on this machine: list, or none',
    read: values.list(values.hostName),
  },
  ROLLCALL_ADMIN_KEY: {
    fallback: '',
    meaning:
      'a secret of at least 32 characters that may create projects and keys over the REST API',
    read: optional(values.adminKey),
    secret: 'whole',
  },
  ROLLCALL_COLD_AFTER_DAYS: {
    fallback: '7',
    meaning: 'days of silence after which an endpoint is cold',
    read: values.wholeNumber(1, limits.windowDays),
  },
  ROLLCALL_DEAD_AFTER_DAYS: {
    fallback: '30',
    meaning: 'days of silence after which an endpoint is dead',
    read: values.wholeNumber(1, limits.windowDays),
  },
  ROLLCALL_RETAIN_CALLS: keep(defaultRetention.callsS, minuteS, 'raw calls are kept'),
  ROLLCALL_RETAIN_MINUTES: keep(
    defaultRetention.minutesS,
    hourS,
    'reports are exact to the minute',
  ),
  ROLLCALL_RETAIN_HOURS: keep(defaultRetention.hoursS, dayS, 'reports are exact to the hour'),
  ROLLCALL_RETAIN_DAYS: keep(defaultRetention.daysS, dayS, 'reports are exact to the day'),
  ROLLCALL_TRUSTED_PROXIES: {
    fallback: 'private',
    meaning:
      'networks of proxies whose forwarding headers are trusted: CIDR list, private, or none',
    read: values.list(values.network),
  },
  ROLLCALL_CLIENT_PRIVACY: {
    fallback: 'full',
    meaning:
      'how much of client addresses is stored: full, truncate (networks /24 and /48), hash (with a key that changes every day) or none',
    read: values.oneOf('full', 'truncate', 'hash', 'none'),
  },
  ROLLCALL_CONSUMER_ATTRIBUTES: {
    fallback: 'enduser.id,user.id',
    meaning: 'span attributes; the first one present names the consumer',
    read: values.list(values.attributeName),
  },
  ROLLCALL_IGNORE_CONSUMERS: {
    fallback: 'none',
    meaning:
      "consumers whose calls keep no endpoint alive: a list of globs over consumer names or, where a call names none, user agents' products, such as synthetic-*,k6; applies to calls from the next start on",
    read: values.list(values.consumerGlob),
  },
  ROLLCALL_OWNER_ATTRIBUTES: {
    fallback: 'service.owner',
    meaning:
      'resource attributes; the first one present names the owner of endpoints for which neither ROLLCALL_OWNERS nor the inventory names one',
    read: values.list(values.attributeName),
  },
  ROLLCALL_OWNERS: {
    fallback: '',
    meaning:
      'file of owners by route, written like CODEOWNERS; read when the analyzer starts (docs/removal.md)',
    read: values.file,
  },
  ROLLCALL_EXCLUDE_METHODS: {
    fallback: 'OPTIONS',
    meaning: 'HTTP methods that are not counted; none: count all',
    read: values.list(values.method),
  },
  ROLLCALL_EXCLUDE_ROUTES: {
    fallback: 'none',
    meaning:
      'routes that are not counted: a list of globs such as /health*,*/metrics (* any run of characters, ? one)',
    read: values.list(values.routeGlob),
  },
  ROLLCALL_EXCLUDE_LATENCY: {
    fallback: 'upgrades,streams',
    meaning:
      'calls whose duration is left out of latencies: upgrades (status 101), streams (server-sent events), calls longer than a duration such as 5m, or none',
    read: values.excludedLatency,
  },
  ROLLCALL_RPC: {
    fallback: 'off',
    meaning: 'on: RPC server spans (gRPC, Connect) count as calls of POST /package.Service/Method',
    read: values.oneOf('off', 'on'),
  },
  ROLLCALL_SAMPLING_FACTORS: {
    fallback: 'none',
    meaning:
      'calls per span, by service, for sampled spans that carry no weight themselves: shop=10,checkout=4',
    read: values.samplingFactors,
  },
  ROLLCALL_MAX_BODY_MIB: {
    fallback: String(limits.bodyBytes / 2 ** 20),
    meaning: 'largest OTLP body after decompression, in MiB',
    read: values.wholeNumber(1, limits.bodyMibMost),
  },
  ROLLCALL_MEMORY_MIB: {
    fallback: '',
    meaning:
      "memory that the analyzer may use, in MiB; unset: the container's limit, else a quarter of the machine's memory, from 768 to 2048",
    read: optional(values.wholeNumber(limits.memoryMib.least, limits.memoryMib.most)),
  },
  ROLLCALL_TLS_CERT: {
    fallback: '',
    meaning: 'PEM file with the certificate and its chain; every port then speaks TLS',
    read: values.file,
  },
  ROLLCALL_TLS_KEY: {
    fallback: '',
    meaning: "PEM file with the certificate's private key",
    read: values.file,
  },
  ROLLCALL_TLS_CLIENT_CA: {
    fallback: '',
    meaning:
      'PEM file with certificate authorities; OTLP senders must then present a certificate of one of them',
    read: values.file,
  },
  ROLLCALL_CORS_ORIGINS: {
    fallback: 'none',
    meaning: 'web origins that may send OTLP over HTTP: list with * for any characters, or none',
    read: values.list(values.origin),
  },
  ROLLCALL_RESPONSE_HEADERS: {
    fallback: 'none',
    meaning:
      'headers added to every HTTP response: name=value list, commas within values percent-encoded',
    read: values.responseHeaders,
  },
  ROLLCALL_LOG: {
    fallback: 'info',
    meaning: 'lowest level that is logged: trace, debug, info, warn, error, fatal or silent',
    read: values.oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  },
} satisfies Record<string, Variable>;

export type VariableName = keyof typeof variables;
