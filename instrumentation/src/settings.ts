import type { RawRequest } from './frameworks/framework.ts';
import { limits } from './limits.ts';
import { capturedHeaders } from './request/headers.ts';
import { type CapturedHeader, capturedHeader } from './span/attributes.ts';

/** Options of the app. Others come from the environment, then from the app's package.json. */
export interface RollcallOptions {
  serviceName?: string;
  serviceVersion?: string;
  /** Rollcall's OTLP address without a path: `http://127.0.0.1:4318`. */
  endpoint?: string;
  /** A key of scope `ingest`. */
  key?: string;
  /** Returns the caller's name, such as an account or a client id; called when a request ends. Not a secret. */
  consumer?: (request: RawRequest) => string | undefined;
  /** Returns true for requests without a span, such as health checks; called when a request begins. */
  ignore?: (request: RawRequest) => boolean;
  /** Request headers to capture. Headers of secrets are never captured, even when listed. */
  headers?: readonly string[];
  /** Gets each log line, without a line end. Default: standard error. */
  log?: (line: string) => void;
}

/** Destination of spans, for exporter and queue. undefined: the exporter reads its own OTEL_* variable. */
export interface Destination {
  /** With the path of traces. */
  url: string | undefined;
  headers: Record<string, string> | undefined;
  timeoutMs: number | undefined;
  /** The address without credentials and query, for log lines. */
  target: string;
  queuedSpansMax: number | undefined;
  batchSpansMax: number | undefined;
  sendDelayMs: number | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const defaultEndpoint = 'http://127.0.0.1:4318';

/** From `options`, else ROLLCALL_ENDPOINT and ROLLCALL_KEY, else OTEL_EXPORTER_OTLP_*, else 127.0.0.1:4318. */
export function destinationOf(options: RollcallOptions, env: Environment): Destination {
  const own = options.endpoint ?? nonEmpty(env.ROLLCALL_ENDPOINT);
  const standard =
    nonEmpty(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) ?? nonEmpty(env.OTEL_EXPORTER_OTLP_ENDPOINT);
  const isStandard = own === undefined && standard !== undefined;
  const base = own ?? standard ?? defaultEndpoint;
  const key = options.key ?? nonEmpty(env.ROLLCALL_KEY);
  const hasTimeout =
    nonEmpty(env.OTEL_EXPORTER_OTLP_TIMEOUT) ?? nonEmpty(env.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT);
  return {
    url: isStandard ? undefined : tracesUrl(base),
    headers: key === undefined ? undefined : { Authorization: `Bearer ${key}` },
    timeoutMs: hasTimeout === undefined ? limits.exportTimeoutMs : undefined,
    target: withoutSecrets(base),
    queuedSpansMax: count(env.OTEL_BSP_MAX_QUEUE_SIZE),
    batchSpansMax: count(env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE),
    sendDelayMs: count(env.OTEL_BSP_SCHEDULE_DELAY),
  };
}

/** Hooks of lean mode, called for each request. */
export interface RequestHooks {
  consumer: ((request: RawRequest) => string | undefined) | undefined;
  ignore: ((request: RawRequest) => boolean) | undefined;
  headers: readonly CapturedHeader[];
}

export function requestHooks(options: RollcallOptions, log: (line: string) => void): RequestHooks {
  const refused = (name: string) => log(`header ${name} holds secrets and is not taken`);
  return {
    consumer: options.consumer,
    ignore: options.ignore,
    headers: capturedHeaders(options.headers ?? [], refused).map(capturedHeader),
  };
}

/** As OpenTelemetry reads booleans: `true` in any case, nothing else. */
export function isDisabled(env: Environment): boolean {
  const isOff = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
  return isOff || env.OTEL_TRACES_EXPORTER?.trim() === 'none';
}

/** The trimmed value; undefined for an empty one, which OpenTelemetry treats as unset. */
export function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

export function logToStandardError(line: string): void {
  process.stderr.write(`rollcall: ${line}\n`);
}

function tracesUrl(base: string): string {
  const url = new URL(base);
  if (!/\/v1\/traces\/?$/.test(url.pathname))
    url.pathname = url.pathname.replace(/\/*$/, '/v1/traces');
  return url.toString();
}

function withoutSecrets(address: string): string {
  try {
    const { protocol, host } = new URL(address);
    return `${protocol}//${host}`;
  } catch {
    return 'Rollcall';
  }
}

function count(value: string | undefined): number | undefined {
  const number = Number(nonEmpty(value));
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
