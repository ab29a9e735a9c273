import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import { promisify } from 'node:util';
import type { Destination } from '../settings.ts';
import { packageVersion } from '../version.ts';

/** An answer that is no success. */
export class RefusedError extends Error {
  /** HTTP's status. */
  readonly code: number;
  /** The delay in its Retry-After. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, statusText: string, retryAfter: string | undefined) {
    super(`it answers ${status} ${statusText}`);
    this.name = 'RefusedError';
    this.code = status;
    this.retryAfterMs = retryAfter === undefined ? undefined : pauseOf(retryAfter);
  }
}

/** Retry-After is a number of seconds or a date (RFC 9110, 10.2.3). */
function pauseOf(retryAfter: string): number | undefined {
  const seconds = Number(retryAfter);
  const pauseMs = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1000;
  return pauseMs >= 0 ? pauseMs : undefined;
}

/**
 * How requests reach Rollcall. Addresses, headers, certificates, compression and timeout are read by OpenTelemetry's
 * exporter base; it would send by `import('http')`, which reads every name of that module, one of which is a
 * WebSocket: Node loads undici for it, 6 MB.
 */
export interface Transport {
  url: string;
  request: (url: string, options: RequestOptions) => ClientRequest;
  agent: Agent;
  headers: Record<string, string>;
  isCompressed: boolean;
  timeoutMs: number;
}

export function configOf({ url, headers, timeoutMs }: Destination) {
  return {
    ...(url === undefined ? {} : { url }),
    ...(headers === undefined ? {} : { headers }),
    ...(timeoutMs === undefined ? {} : { timeoutMillis: timeoutMs }),
  };
}

/** As OTEL_EXPORTER_OTLP_* and the destination have it. */
export async function transportTo(destination: Destination): Promise<Transport> {
  const base =
    require('@opentelemetry/otlp-exporter-base/node-http') as typeof import('@opentelemetry/otlp-exporter-base/node-http');
  const { url, headers, compression, timeoutMillis, agentFactory } = base.convertLegacyHttpOptions(
    configOf(destination),
    'TRACES',
    'v1/traces',
    { 'Content-Type': 'application/x-protobuf' },
  );
  const isPlain = new URL(url).protocol === 'http:';
  const http = require('node:http') as typeof import('node:http');
  const { request } = isPlain ? http : (require('node:https') as typeof import('node:https'));
  return {
    url,
    request,
    agent: isPlain ? new http.Agent({ keepAlive: true }) : await agentFactory('https:'),
    headers: {
      ...(await headers()),
      'User-Agent': `rollcall-instrumentation/${packageVersion}`,
    },
    isCompressed: compression === 'gzip',
    timeoutMs: timeoutMillis,
  };
}

/** @throws RefusedError, or the error of the connection */
export async function deliver(transport: Transport, body: Buffer): Promise<void> {
  const { headers } = transport;
  if (!transport.isCompressed) return post(transport, body, headers);
  const { gzip } = require('node:zlib') as typeof import('node:zlib');
  const packed = await promisify(gzip)(body);
  return post(transport, packed, { ...headers, 'Content-Encoding': 'gzip' });
}

/** @param isAgain over a new connection, since the one that was kept was closed meanwhile */
function post(
  transport: Transport,
  body: Buffer,
  headers: Transport['headers'],
  isAgain = false,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { agent, timeoutMs, url, request } = transport;
    const withLength = { ...headers, 'Content-Length': String(body.length) };
    const sent = request(url, { method: 'POST', agent, headers: withLength });
    const timer = setTimeout(() => {
      sent.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    // A delivery under way holds no process that has nothing else to do: `sendBeforeEnd` does, for a while.
    timer.unref();
    sent.on('socket', (socket) => socket.unref());
    sent.on('close', () => clearTimeout(timer));
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // The server closed a connection that was kept while the request was on its way: that is no failure.
      const isClosed = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      if (sent.reusedSocket && isClosed && !isAgain)
        post(transport, body, headers, true).then(resolve, reject);
      else reject(error);
    });
    sent.on('response', (answer) => {
      const { statusCode = 0, statusMessage = '' } = answer;
      const refused =
        statusCode >= 200 && statusCode < 300
          ? undefined
          : new RefusedError(statusCode, statusMessage, answer.headers['retry-after']);
      // The status decides: an answer that breaks off later changes nothing.
      answer.on('error', () => {});
      answer.on('close', () => (refused === undefined ? resolve() : reject(refused)));
      answer.resume();
    });
    sent.end(body);
  });
}
