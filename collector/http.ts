import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError, asAppError } from '../core/error.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { Gone } from './body.ts';
import { type ExportContext, encodingOf, exportPaths, takeExport } from './export-request.ts';
import {
  answers,
  contentTypes,
  exportResponse,
  type Signal,
  statusResponse,
} from './otlp/responses.ts';

/** OTLP over HTTP/1.1, with health, readiness and metrics on the same port. */
export interface HttpDoor {
  /** The real address: `http://127.0.0.1:4318`. */
  url: string;
  /**
   * Stops accepting connections at once. Requests that had begun are answered, later ones on open
   * connections get 503; returns when all are done, or cut off after `graceMs`.
   */
  close(graceMs: number): Promise<void>;
}

export interface HttpOptions extends ExportContext {
  host: string;
  /** 0 takes a free one. */
  port: number;
  log: Log;
}

/** @throws AppError `conflict` when the port is in use or the address is not ours */
export async function openHttpDoor(options: HttpOptions): Promise<HttpDoor> {
  const server = createServer({
    keepAliveTimeout: limits.keepAliveMs,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: 5000,
    maxHeaderSize: limits.headerBytes,
  });
  server.timeout = limits.silentSocketMs;
  const exchange = new Exchange(options);
  server.on('request', (request, response) => exchange.serve(request, response, false));
  server.on('checkContinue', (request, response) => exchange.serve(request, response, true));
  server.on('clientError', refuseUnreadable);
  await listen(server, options.host, options.port);
  return { url: urlOf(server), close: (graceMs) => closeDoor(server, exchange, graceMs) };
}

/** Serves requests and knows how many it is serving. */
class Exchange {
  readonly #options: HttpOptions;
  #serving = 0;
  #idle: (() => void) | undefined;
  closing = false;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Resolves when no request is being served. */
  done(): Promise<void> {
    if (this.#serving === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    this.#serving += 1;
    response.once('close', () => {
      this.#serving -= 1;
      if (this.#serving === 0) this.#idle?.();
    });
    if (this.closing) response.setHeader('connection', 'close');
    const path = pathOf(request.url ?? '');
    const signal = exportPaths.get(path);
    if (request.method === 'POST' && signal !== undefined) {
      this.#export(request, response, signal, expectsContinue);
    } else if (signal !== undefined) {
      response.setHeader('allow', 'POST');
      answerText(request, response, 405, '405 method not allowed, supported: [POST]');
    } else {
      this.#operate(path, request, response).catch((error: unknown) => {
        answerText(request, response, 500, asAppError(error).message);
      });
    }
  }

  async #export(
    request: IncomingMessage,
    response: ServerResponse,
    signal: Signal,
    expectsContinue: boolean,
  ): Promise<void> {
    const { metrics, log } = this.#options;
    const begin = (): void => {
      if (expectsContinue) response.writeContinue();
    };
    const encoding = encodingOf(request.headers['content-type']) ?? 'json';
    try {
      const partial = await takeExport(this.#options, request, signal, begin);
      if (this.closing) response.setHeader('connection', 'close');
      metrics.request('http', 200);
      answer(
        request,
        response,
        200,
        contentTypes[encoding],
        exportResponse(encoding, signal, partial),
      );
    } catch (thrown) {
      if (thrown instanceof Gone) {
        metrics.request('http', 'aborted');
        return;
      }
      if (this.closing) response.setHeader('connection', 'close');
      const error = asAppError(thrown);
      if (error.code === 'internal') log.error({ err: error }, 'an export request failed');
      metrics.request('http', answers[error.code].httpStatus);
      refuse(request, response, error, expectsContinue);
    }
  }

  async #operate(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const known = path === '/healthz' || path === '/readyz' || path === '/metrics';
    if (!known) {
      refuse(
        request,
        response,
        new AppError('not_found', `${path} is not served; send traces to /v1/traces`),
      );
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      answerText(request, response, 405, '405 method not allowed, supported: [GET, HEAD]');
    } else if (path === '/healthz') {
      answerText(request, response, 200, 'ok');
    } else if (path === '/readyz') {
      await this.#ready(request, response);
    } else {
      const { metrics } = this.#options;
      answer(request, response, 200, metrics.contentType, Buffer.from(await metrics.text()));
    }
  }

  async #ready(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await within(limits.readyMs, this.#options.ingest.check());
      answerText(request, response, 200, 'ready');
    } catch (error) {
      response.setHeader('retry-after', retryAfterS);
      answerText(request, response, 503, `not ready: ${asAppError(error).message}`);
    }
  }
}

/** Shorter than any exporter's deadline; JavaScript's takes 0 for "at once" (R7). */
const retryAfterS = '1';

/** The path of a request target, in whatever form it came, without its query. */
function pathOf(target: string): string {
  if (exportPaths.has(target)) return target;
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  const path = (absolute === null ? target : target.slice(absolute[0].length)).split(/[?#]/, 1)[0]!;
  return path === '' ? '/' : path;
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: AppError,
  expectsContinue = false,
): void {
  // Whoever waits for "100 Continue" may or may not send the body after all: the connection is lost.
  if (expectsContinue) response.setHeader('connection', 'close');
  const { httpStatus } = answers[error.code];
  if (httpStatus === 429 || httpStatus === 503) response.setHeader('retry-after', retryAfterS);
  const encoding = encodingOf(request.headers['content-type']);
  if (httpStatus === 415 || (httpStatus === 404 && encoding === undefined)) {
    answerText(request, response, httpStatus, error.message);
  } else {
    const body = statusResponse(encoding ?? 'json', error);
    answer(request, response, httpStatus, contentTypes[encoding ?? 'json'], body);
  }
}

function answerText(
  request: IncomingMessage,
  response: ServerResponse,
  httpStatus: number,
  text: string,
): void {
  answer(request, response, httpStatus, 'text/plain', Buffer.from(text));
}

/**
 * Sends the answer. When the body was not read to its end, what follows is read and thrown away, and the
 * connection is kept only if that is little: closing on a client that still sends could cost it the answer.
 */
function answer(
  request: IncomingMessage,
  response: ServerResponse,
  httpStatus: number,
  contentType: string,
  body: Buffer,
): void {
  const unread = !request.readableEnded && !request.complete;
  if (unread && bytesToCome(request) > limits.discardBytes)
    response.setHeader('connection', 'close');
  response.writeHead(httpStatus, { 'content-type': contentType, 'content-length': body.length });
  if (!unread) {
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  response.write(body);
  discardRest(request, () => response.end());
}

function bytesToCome(request: IncomingMessage): number {
  const header = request.headers['content-length'];
  return header === undefined ? Number.POSITIVE_INFINITY : Number(header);
}

/** Reads on until the end, for a while; then `done`, which closes the connection. */
function discardRest(request: IncomingMessage, done: () => void): void {
  const timer = setTimeout(finish, limits.discardMs);
  let bytes = 0;
  function finish(): void {
    clearTimeout(timer);
    request.off('data', count);
    request.off('end', finish);
    request.off('close', finish);
    done();
  }
  function count(chunk: Buffer): void {
    bytes += chunk.length;
    if (bytes > limits.discardBytes) finish();
  }
  request.on('data', count);
  request.on('end', finish);
  request.on('close', finish);
  request.resume();
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new AppError('unavailable', `the store did not answer within ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the HTTP parser cannot read: a short answer in plain text, and the end of the connection. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, text] = unreadable[error.code ?? ''] ?? [
    '400 Bad Request',
    'not an HTTP/1.1 request',
  ];
  const head = `HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${text}`, () => socket.destroy());
}

const unreadable: Record<string, [string, string]> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `headers are larger than ${limits.headerBytes} bytes`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long to arrive'],
  HPE_PAUSED_H2_UPGRADE: [
    '505 HTTP Version Not Supported',
    'this is OTLP over HTTP/1.1; OTLP over gRPC (HTTP/2) has a port of its own, usually 4317',
  ],
};

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(
        new AppError('conflict', `cannot listen on ${host}:${port} for OTLP over HTTP: ${why}`),
      );
    });
    server.listen(port, host, resolve);
  });
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

async function closeDoor(server: Server, exchange: Exchange, graceMs: number): Promise<void> {
  exchange.closing = true;
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([exchange.done(), grace]);
  clearTimeout(timer);
  server.closeAllConnections();
  await closed;
}
