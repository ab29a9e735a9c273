import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../../core/config/config.ts';
import { AppError, asAppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import type { Certificates } from '../../core/server/certificates.ts';
import { boundConnections, boundPipelining, boundUnread } from '../../core/server/connections.ts';
import type { HostCheck } from '../../core/server/host-check.ts';
import { addressOf, listen, waitAtMost } from '../../core/server/listen.ts';
import {
  createWebServer,
  type ServerTimeouts,
  type WebServer,
} from '../../core/server/web-server.ts';
import { checkReady } from '../ingest/readiness.ts';
import {
  answers,
  contentTypes,
  exportResponse,
  retryAfterS,
  type Signal,
} from '../otlp/responses.ts';
import { Gone } from '../request/body.ts';
import type { ExportContext } from '../request/request.ts';
import { answer, answerText, refuse, refuseUnreadable } from './answer.ts';
import { Cors } from './cors.ts';
import { encodingOf, exportTarget, misspeltAdvice, takeExport } from './export.ts';

/** OTLP over HTTP/1.1 and, with certificates, HTTP/2; with health, readiness and metrics on the same port. */
export interface HttpServer {
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
  /** Absent: in the clear. They remain the caller's to close. */
  certificates?: Certificates | undefined;
  /** Throws for a request that a web page must not send; absent: every one is served. */
  checkHost?: HostCheck | undefined;
  /** Of pages whose exporters may send; see Cors. */
  corsOrigins?: readonly string[];
  /** Of every answer. */
  responseHeaders?: Config['responseHeaders'];
  timeouts?: ServerTimeouts;
}

/** @throws AppError `conflict` when the port is in use or the address is not ours */
export async function openHttpServer(options: HttpOptions): Promise<HttpServer> {
  const { certificates, timeouts = limits } = options;
  const tls = certificates && { certificates, clients: 'certified' as const };
  const web = createWebServer({ timeouts, tls });
  const { server } = web;
  const exchange = new Exchange(options);
  boundConnections(server);
  const answered = boundUnread((request, response) => exchange.serve(request, response, false));
  const plain = boundPipelining(answered);
  server.on('request', plain);
  server.on('checkContinue', (request, response) => exchange.serve(request, response, true));
  server.on('clientError', refuseUnreadable);
  await listen(web.server, {
    host: options.host,
    port: options.port,
    serves: 'OTLP over HTTP',
    variable: 'ROLLCALL_OTLP_HTTP_PORT',
  });
  const url = `${web.scheme}://${addressOf(web.server)}`;
  return { url, close: (graceMs) => closeServer(web, exchange, graceMs) };
}

/** Serves requests and knows how many it is serving. */
class Exchange {
  readonly #options: HttpOptions;
  readonly #cors: Cors;
  #serving = 0;
  #idle: (() => void) | undefined;
  closing = false;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#cors = new Cors(options.corsOrigins ?? []);
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
    for (const [name, value] of this.#options.responseHeaders ?? [])
      response.setHeader(name, value);
    if (this.closing) response.setHeader('connection', 'close');
    const path = pathOf(request.url ?? '');
    const target = exportTarget(path);
    const signal = target?.signal;
    if (signal !== undefined && this.#cors.isOn) {
      if (this.#cors.preflight(request, response)) return;
      this.#cors.mark(request, response);
    }
    if (this.#refusesHost(request, response)) return;
    if (request.method === 'POST' && signal !== undefined) {
      this.#export(request, response, signal, expectsContinue);
      if (target?.isMisspelt) this.#warnOfPath(request, path, signal);
    } else if (signal !== undefined) {
      response.setHeader('allow', 'POST');
      answerText(request, response, 405, '405 method not allowed, supported: [POST]');
    } else {
      this.#operate(path, request, response).catch((error: unknown) => {
        answerText(request, response, 500, asAppError(error).message);
      });
    }
  }

  /** Only of browsers, which name the page's origin in every POST: an exporter may know this machine by any name. */
  #refusesHost(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.headers.origin === undefined) return false;
    try {
      this.#options.checkHost?.(request);
      return false;
    } catch (thrown) {
      this.#options.metrics.request('http', 403);
      refuse(request, response, asAppError(thrown));
      return true;
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

  /** Once an hour for each client. */
  #warnOfPath({ socket }: IncomingMessage, path: string, signal: Signal): void {
    const { log, notices } = this.#options;
    const client = socket.remoteAddress ?? '';
    if (notices.due(client, 'path')) log.warn({ client }, misspeltAdvice(path, signal));
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
      const notice = await checkReady(this.#options.ingest);
      answerText(request, response, 200, notice === '' ? 'ready' : `ready; ${notice}`);
    } catch (error) {
      response.setHeader('retry-after', retryAfterS);
      answerText(request, response, 503, `not ready: ${asAppError(error).message}`);
    }
  }
}

/** The path of a request target in any form, without its query. */
function pathOf(target: string): string {
  if (target.startsWith('/') && !/[?#]/.test(target)) return target;
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  const path = (absolute === null ? target : target.slice(absolute[0].length)).split(/[?#]/, 1)[0]!;
  return path === '' ? '/' : path;
}

async function closeServer(web: WebServer, exchange: Exchange, graceMs: number): Promise<void> {
  const { server } = web;
  exchange.closing = true;
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  await waitAtMost(graceMs, exchange.done());
  web.closeAllConnections();
  await closed;
}
