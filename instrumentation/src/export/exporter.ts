import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import { promisify } from 'node:util';
import type { Destination } from '../settings.ts';
import { packageVersion } from '../version.ts';
import type { Sender } from './span-queue.ts';

/** An answer that is no success. */
export class RefusedError extends Error {
  /** HTTP's status. */
  readonly code: number;
  /** What its Retry-After asks for. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, statusText: string, retryAfter: string | undefined) {
    super(`it answers ${status} ${statusText}`);
    this.name = 'RefusedError';
    this.code = status;
    const seconds = Number(retryAfter);
    this.retryAfterMs = retryAfter !== undefined && seconds >= 0 ? seconds * 1000 : undefined;
  }
}

/** How requests reach Rollcall. */
interface Way {
  url: string;
  request: (url: string, options: RequestOptions) => ClientRequest;
  agent: Agent;
  headers: Record<string, string>;
  isCompressed: boolean;
  timeoutMs: number;
}

/**
 * Sends OTLP requests that are encoded already. Addresses, headers, certificates, compression and timeout are
 * read by OpenTelemetry's exporter base; it would send by `import('http')`, which reads every name of that
 * module, one of which is a WebSocket: Node loads undici for it, 6 MB.
 */
export function encodedSender(destination: Destination): Sender<Buffer> {
  let way: Promise<Way> | undefined;
  return {
    send: (body, done) => {
      way ??= wayTo(destination);
      way
        .then((known) => deliver(known, body))
        .then(
          () => done({ code: 0 }),
          (error: Error) => done({ code: 1, error }),
        );
    },
    shutdown: async () => (await way)?.agent.destroy(),
  };
}

export function configOf({ url, headers, timeoutMs }: Destination) {
  return {
    ...(url === undefined ? {} : { url }),
    ...(headers === undefined ? {} : { headers }),
    ...(timeoutMs === undefined ? {} : { timeoutMillis: timeoutMs }),
  };
}

async function wayTo(destination: Destination): Promise<Way> {
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

async function deliver(way: Way, body: Buffer): Promise<void> {
  if (!way.isCompressed) return post(way, body, way.headers);
  const { gzip } = require('node:zlib') as typeof import('node:zlib');
  const packed = await promisify(gzip)(body);
  return post(way, packed, { ...way.headers, 'Content-Encoding': 'gzip' });
}

/** @throws RefusedError, or what the connection failed of */
function post(way: Way, body: Buffer, headers: Way['headers'], isAgain = false): Promise<void> {
  return new Promise((resolve, reject) => {
    const { agent, timeoutMs } = way;
    const withLength = { ...headers, 'Content-Length': String(body.length) };
    const sent = way.request(way.url, { method: 'POST', agent, headers: withLength });
    const timer = setTimeout(() => {
      sent.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    sent.on('close', () => clearTimeout(timer));
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // The server closed a connection that was kept while the request was on its way: that is no failure.
      const isClosed = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      if (sent.reusedSocket && isClosed && !isAgain)
        post(way, body, headers, true).then(resolve, reject);
      else reject(error);
    });
    sent.on('response', (answer) => {
      const { statusCode = 0, statusMessage = '' } = answer;
      const refused =
        statusCode >= 200 && statusCode < 300
          ? undefined
          : new RefusedError(statusCode, statusMessage, answer.headers['retry-after']);
      // The status says it all: an answer that breaks off later changes nothing.
      answer.on('error', () => {});
      answer.on('close', () => (refused === undefined ? resolve() : reject(refused)));
      answer.resume();
    });
    sent.end(body);
  });
}
