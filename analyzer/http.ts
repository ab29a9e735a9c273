import type { ServerResponse } from 'node:http';
import express, { type Express, type Request, type Response } from 'express';
import { AppError } from '../core/error.ts';
import type { Log } from '../core/log.ts';
import type { CallReader } from '../core/store/store.ts';
import { type Failure, failure, wrongMethod } from './failure.ts';
import { frontPage } from './front-page.ts';
import { type Metrics, openMetrics } from './metrics.ts';
import { openapiDocument } from './openapi.ts';
import { readParameters } from './parameters.ts';
import type { Answer, Question } from './question.ts';
import { questions } from './questions.ts';
import type { Thresholds } from './reports/lifecycle.ts';

/** The analyzer's HTTP door: the REST API below /api/v1, and what watches over the process. */
export interface AnalyzerOptions {
  reader: CallReader;
  thresholds: Thresholds;
  log: Log;
  version: string;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Without keys there is one project. */
const project = 'default';

export function analyzerApp(options: AnalyzerOptions): Express {
  const metrics = openMetrics();
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  // Questions read their query themselves, strictly.
  app.set('query parser', false);
  app.use((_request, response, next) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    response.on('finish', () => {
      metrics.requests.inc({ transport: 'rest', code: String(response.statusCode) });
    });
    next();
  });
  for (const asked of questions) route(app, `/api/v1${asked.path}`, ask(asked, options, metrics));
  const document = JSON.stringify(openapiDocument(questions, options.version));
  route(app, '/api/v1/openapi.json', fixed('application/json; charset=utf-8', document));
  route(app, '/', fixed('text/html; charset=utf-8', frontPage(questions)));
  route(app, '/healthz', fixed('application/json; charset=utf-8', '{"status":"ok"}'));
  route(app, '/readyz', async (_request, response) => {
    await options.reader.check();
    send(response, 200, 'application/json; charset=utf-8', '{"status":"ready"}');
  });
  route(app, '/metrics', async (_request, response) => {
    send(response, 200, metrics.registry.contentType, await metrics.registry.metrics());
  });
  app.use((request) => {
    const message = `there is nothing at ${shorten(request.path)}; /api/v1/openapi.json lists what is`;
    throw new AppError('not_found', message);
  });
  // Express knows an error handler by its four parameters.
  app.use((thrown: unknown, request: Request, response: Response, _next: unknown) => {
    const failed = failure(thrown);
    if (failed.status >= 500) options.log.error({ err: thrown, url: request.url }, 'not answered');
    fail(response, failed);
  });
  return app;
}

type Handler = (request: Request, response: Response) => void | Promise<void>;

/** GET, and HEAD with it; any other method is refused by name. */
function route(app: Express, path: string, handler: Handler): void {
  app.get(path, handler);
  app.all(path, (request, response) => {
    fail(response, wrongMethod(request.method, shorten(request.path)));
  });
}

function ask(asked: Question, options: AnalyzerOptions, metrics: Metrics): Handler {
  return async (request, response) => {
    const startMs = performance.now();
    const query = request.url.indexOf('?');
    const search = query === -1 ? '' : request.url.slice(query);
    const parameters = readParameters(asked.parameters, search);
    const path = request.params as Record<string, string>;
    const answer = await options.reader.snapshot(project, (snapshot) =>
      asked.answer(
        { snapshot, nowMs: options.now(), thresholds: options.thresholds },
        parameters as never,
        path,
      ),
    );
    metrics.reportSeconds.observe({ report: asked.name }, (performance.now() - startMs) / 1000);
    linkNext(request, response, answer);
    send(response, 200, answer.contentType, answer.body);
  };
}

/** A table has no room for its cursor: the next page stands in a header (RFC 8288). */
function linkNext(request: Request, response: Response, { nextCursor }: Answer): void {
  if (!nextCursor) return;
  const url = new URL(request.url, 'http://analyzer');
  url.searchParams.set('cursor', nextCursor);
  response.setHeader('Link', `<${url.pathname}${url.search}>; rel="next"`);
}

function fixed(contentType: string, body: string): Handler {
  return (_request, response) => send(response, 200, contentType, body);
}

function fail(response: ServerResponse, { status, headers, body }: Failure): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  send(response, status, 'application/json; charset=utf-8', body);
}

/** Node leaves the body out of an answer to HEAD and keeps its length. */
function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': bytes.length });
  response.end(bytes);
}

const shorten = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
