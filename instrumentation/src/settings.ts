import type { RawRequest } from './frameworks/framework.ts';
import { limits } from './limits.ts';
import { takenHeaders } from './request/headers.ts';
import { type TakenHeader, takenHeader } from './span/attributes.ts';

/** What the app may say; everything unsaid comes from the environment, then from the app's package.json. */
export interface RollcallOptions {
  serviceName?: string;
  serviceVersion?: string;
  /** Rollcall's OTLP address without a path: `http://127.0.0.1:4318`. */
  endpoint?: string;
  /** A key of scope `ingest`. */
  key?: string;
  /** Who calls, in the app's own words, asked when a call ends: an account, a client id. No secret. */
  consumer?: (request: RawRequest) => string | undefined;
  /** Calls that are not to be seen at all: health checks. Asked when a call begins. */
  ignore?: (request: RawRequest) => boolean;
  /** Request headers to take besides; secrets are never taken, even when named. */
  headers?: readonly string[];
  /** Gets the few lines there are to say, without a line end. Standard error unless told. */
  log?: (line: string) => void;
}

/** Where spans go and how, for the exporter and the queue; undefined leaves it to the exporter's own OTEL_*. */
export interface Destination {
  /** With the path of traces. */
  url: string | undefined;
  headers: Record<string, string> | undefined;
  timeoutMs: number | undefined;
  /** For log lines: the address without anything secret. */
  target: string;
  queuedSpansMax: number | undefined;
  batchSpansMax: number | undefined;
  sendDelayMs: number | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const defaultEndpoint = 'http://127.0.0.1:4318';

/** Said in code, else ROLLCALL_ENDPOINT and ROLLCALL_KEY, else OTEL_EXPORTER_OTLP_*, else this machine. */
export function destinationOf(options: RollcallOptions, env: Environment): Destination {
  const own = options.endpoint ?? said(env.ROLLCALL_ENDPOINT);
  const standard =
    said(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) ?? said(env.OTEL_EXPORTER_OTLP_ENDPOINT);
  const isStandard = own === undefined && standard !== undefined;
  const base = own ?? standard ?? defaultEndpoint;
  const key = options.key ?? said(env.ROLLCALL_KEY);
  const hasTimeout =
    said(env.OTEL_EXPORTER_OTLP_TIMEOUT) ?? said(env.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT);
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

/** What lean mode asks of each request. */
export interface RequestHooks {
  consumer: ((request: RawRequest) => string | undefined) | undefined;
  ignore: ((request: RawRequest) => boolean) | undefined;
  headers: readonly TakenHeader[];
}

export function requestHooks(options: RollcallOptions, log: (line: string) => void): RequestHooks {
  const refused = (name: string) => log(`header ${name} holds secrets and is not taken`);
  return {
    consumer: options.consumer,
    ignore: options.ignore,
    headers: takenHeaders(options.headers ?? [], refused).map(takenHeader),
  };
}

/** As OpenTelemetry reads booleans: `true` in any case, nothing else. */
export function isDisabled(env: Environment): boolean {
  const isOff = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
  return isOff || env.OTEL_TRACES_EXPORTER?.trim() === 'none';
}

/** A variable that is there and not empty, which OpenTelemetry takes for one that is not there. */
export function said(value: string | undefined): string | undefined {
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
  const number = Number(said(value));
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
