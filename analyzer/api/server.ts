import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Router } from 'express';
import type { Tenancy } from '../../core/auth/tenancy.ts';
import { analyzerMemory, serviceMemoryBytes } from '../../core/config/memory.ts';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import type { HostCheck } from '../../core/server/host-check.ts';
import { atMostEvery, freshUpTo } from '../../core/server/memo.ts';
import { isHttp2 } from '../../core/server/web-server.ts';
import { type Metrics, openMetrics } from '../metrics.ts';
import type { FormatName } from '../query/formats.ts';
import { readParameters } from '../query/parameters.ts';
import type { Query } from '../query/query.ts';
import { type WrittenAnswer, writtenAnswer, writtenText } from '../query/written-answer.ts';
import type { Answerer } from '../queue/answerer.ts';
import { AnswerQueue } from '../queue/queue.ts';
import type { Command } from '../tenancy/command.ts';
import { commands } from '../tenancy/commands.ts';
import { send, sendAnswer } from './answer.ts';
import { knownPrefix, openBasePath, rootReference } from './base-path.ts';
import { type Dashboard, encoded, pageHeaders } from './dashboard.ts';
import { type Failure, failure, wrongMethod } from './failure.ts';
import { frontPage } from './front-page.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { readJsonBody } from './json-body.ts';
import { openapiDocument } from './openapi.ts';
import { projectCommands } from './project-commands.ts';
import { projectHandlers } from './project-routes.ts';
import { queries } from './queries.ts';
import { type ApiDocument, referencePage, referenceStyle } from './reference-page.ts';
import { openSessionRoutes, type PageFacts, type SessionRoutes } from './session-routes.ts';
import { sendPages } from './stream.ts';

/** The analyzer's HTTP listener: the REST API below /api/v1, the dashboard, health and metrics. */
export interface AnalyzerOptions {
  /** Computes answers, on a thread of its own in a service. */
  answerer: Answerer;
  tenancy: Pick<Tenancy, 'authorizer' | 'keys'>;
  /** ROLLCALL_BASE_PATH: `/rollcall`; none unless given. */
  basePath?: string;
  /** Networks whose X-Forwarded-Prefix is believed; none unless given. */
  trustedProxies?: readonly string[];
  /** Of this service (core/config/memory.ts); by default what this machine or container gives. */
  memoryBytes?: number;
  log: Log;
  version: string;
  /** Throws for a request that is not to be served; absent: every one is. */
  checkHost?: HostCheck | undefined;
  /** The configuration that the dashboard shows; nothing by default. */
  page?: Pick<PageFacts, 'auth' | 'collector' | 'settings'>;
  /** Absent where only the API is served. */
  dashboard?: Dashboard;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/**
 * Answers a request of any HTTP version. Express's router is used without its application, which replaces
 * the prototypes of requests and responses by ones of HTTP/1.1: docs/decisions/0011-http2-without-patching.md.
 */
export function analyzerApp(options: AnalyzerOptions): RequestListener {
  const { tenancy, answerer, now } = options;
  const { commandBytes } = analyzerMemory(options.memoryBytes ?? serviceMemoryBytes());
  const metrics = openMetrics();
  const metricsText = freshUpTo(limits.metricsTextsPerS, () => metrics.registry.metrics());
  const queue = new AnswerQueue((outcome) => metrics.queries.inc({ outcome }));
  metrics.measureWaiting(() => queue.length);
  metrics.measureDamage(() => answerer.damagedRows?.() ?? 0);
  const prove = atMostEvery(limits.proofMs, () => answerer.check());
  // Handlers read the query of the URL themselves, strictly (analyzer/query/parameters.ts).
  const app = Router({ caseSensitive: true });
  app.use((_request, response, next) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    response.on('finish', () => {
      metrics.requests.inc({ transport: 'rest', code: String(response.statusCode) });
    });
    next();
  });
  const session = openSession(options);
  const { credentials } = session;
  const byPath: Iterable<[string, Handlers]>[] = [
    queries.map((query) => [
      query.path,
      { GET: queryHandler(query, options, session, queue, metrics) },
    ]),
    commandHandlers(options, session),
    projectHandlers({ authorizer: tenancy.authorizer, credentials, answerer, commandBytes, now }),
  ];
  for (const [path, handlers] of joined(byPath)) serve(app, `/api/v1${path}`, handlers);
  serve(app, '/session', { GET: session.read, POST: session.signIn, DELETE: session.signOut });
  route(app, '/sessions', session.list);
  serve(app, '/sessions/:id', { DELETE: session.end });
  const description = openapiDocument(queries, commands, projectCommands, options.version);
  const writtenDocument = (content: object) =>
    writtenText('application/json; charset=utf-8', JSON.stringify(content));
  const document = writtenDocument(description);
  route(app, '/api/v1/openapi.json', (request, response) => {
    const prefix = knownPrefix(request);
    const servers = [{ url: `${prefix}/api/v1`, description: 'below the path prefix of a proxy' }];
    const own = prefix === undefined ? document : writtenDocument({ ...description, servers });
    return sendAnswer(request, response, 200, own);
  });
  route(app, '/api/docs', (request, response) => {
    page(response, 200, referencePage(description as ApiDocument, rootReference(request)));
  });
  const style = writtenText('text/css; charset=utf-8', referenceStyle);
  route(app, '/api/docs.css', (request, response) => sendAnswer(request, response, 200, style));
  for (const template of dashboardPaths) {
    route(app, template, (request, response) => {
      const root = rootReference(request);
      page(response, 200, options.dashboard?.page(root) ?? frontPage(queries, root));
    });
  }
  route(app, '/assets/:name', (request, response) => {
    const asset = options.dashboard?.asset(String(request.params.name));
    if (asset === undefined) throw new AppError('not_found', 'there is no such file in this build');
    const { body, encoding } = encoded(asset, String(request.headers['accept-encoding'] ?? ''));
    // The name holds a hash of the contents.
    response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    response.setHeader('Vary', 'Accept-Encoding');
    if (encoding) response.setHeader('Content-Encoding', encoding);
    send(response, 200, asset.contentType, body);
  });
  route(app, '/healthz', fixed('application/json; charset=utf-8', '{"status":"ok"}'));
  route(app, '/readyz', async (_request, response) => {
    await prove();
    send(response, 200, 'application/json; charset=utf-8', '{"status":"ready"}');
  });
  route(app, '/metrics', async (_request, response) => {
    send(response, 200, metrics.registry.contentType, await metricsText());
  });
  app.use((request, response) => {
    const lost = isNavigation(request)
      ? options.dashboard?.page(rootReference(request))
      : undefined;
    if (lost !== undefined) return page(response, 404, lost);
    const message = `there is nothing at ${shorten(pathOf(request))}; /api/v1/openapi.json lists what is`;
    throw new AppError('not_found', message);
  });
  const basePath = openBasePath(options.basePath ?? '', options.trustedProxies ?? []);
  return (request, response) => {
    const failed = (thrown: unknown): void => answerFailure(request, response, thrown, options.log);
    try {
      options.checkHost?.(request);
      const { isBare } = basePath.strip(request);
      if (isBare && isNavigation(request)) return redirect(response, rootReference(request));
      // The router calls back with an error, or without one for a target that has no path (`OPTIONS *`).
      app(request as never, response as never, (thrown?: unknown) => failed(thrown ?? noPath()));
    } catch (thrown) {
      failed(thrown);
    }
  };
}

/**
 * Of every answer. Pages replace the policy by their own (analyzer/api/dashboard.ts), queries the caching
 * (analyzer/api/answer.ts). An answer of the API is data: a browser that opens it loads and runs nothing.
 */
const securityHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** The dashboard's pages; analyzer/web/app.tsx shows one for each. */
const dashboardPaths = [
  '/',
  '/endpoints',
  '/endpoints/:id',
  '/dead',
  '/inventory',
  '/clients',
  '/calls',
  '/compare',
  '/services',
  '/settings',
  '/sign-in',
];

/** A person followed a link: programs get JSON. */
function isNavigation(request: IncomingMessage): boolean {
  const { method, headers } = request;
  return (
    method === 'GET' &&
    !pathOf(request).startsWith('/api/') &&
    (headers.accept ?? '').includes('text/html')
  );
}

function page(response: ServerResponse, status: number, html: string): void {
  for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
  send(response, status, 'text/html; charset=utf-8', html);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(308, { ...securityHeaders, Location: location });
  response.end();
}

function noPath(): AppError {
  return new AppError('invalid', 'the request target has no path');
}

function answerFailure(
  request: IncomingMessage,
  response: ServerResponse,
  thrown: unknown,
  log: Log,
): void {
  const failed = failure(thrown);
  if (failed.status >= 500) log.error({ err: thrown, url: request.url }, 'not answered');
  try {
    // The rest of the body stays unread; HTTP/2 ends its own stream.
    if (failed.status === 413 && !isHttp2(request)) response.setHeader('Connection', 'close');
    fail(response, failed);
  } catch {
    // An answer has begun, or the client is gone: the connection is all that is left to end.
    response.destroy();
  }
}

type Handlers = Partial<Record<'GET' | 'POST' | 'PUT' | 'DELETE', Handler>>;

function route(app: Router, path: string, handler: Handler): void {
  serve(app, path, { GET: handler });
}

/** A path may have queries and commands of several kinds: its methods are served together. */
function joined(lists: readonly Iterable<[string, Handlers]>[]): Map<string, Handlers> {
  const all = new Map<string, Handlers>();
  for (const list of lists) {
    for (const [path, handlers] of list) all.set(path, { ...all.get(path), ...handlers });
  }
  return all;
}

/** HEAD comes with GET; any other method is refused by name. */
function serve(app: Router, path: string, { GET, POST, PUT, DELETE }: Handlers): void {
  const allowed: string[] = [];
  if (GET) {
    app.get(path, GET);
    allowed.push('GET', 'HEAD');
  }
  if (POST) {
    app.post(path, POST);
    allowed.push('POST');
  }
  if (PUT) {
    app.put(path, PUT);
    allowed.push('PUT');
  }
  if (DELETE) {
    app.delete(path, DELETE);
    allowed.push('DELETE');
  }
  app.all(path, (request, response) => {
    fail(response, wrongMethod(request.method, shorten(pathOf(request)), allowed));
  });
}

/** The sender's authority is checked before anything of the request is read. */
function commandHandler(
  command: Command,
  { tenancy, now }: AnalyzerOptions,
  session: SessionRoutes,
): Handler {
  return async (request, response) => {
    const administrator = await tenancy.authorizer.administrator(session.credentials(request));
    const parameters = readParameters(command.parameters, searchOf(request));
    const input = command.input && (await readJsonBody(request, command.input));
    const body = await command.run({
      keys: await tenancy.keys(),
      administrator,
      nowS: Math.floor(now() / 1000),
      parameters: parameters as never,
      input: input as never,
      path: request.params,
    });
    if (body === undefined) {
      response.writeHead(command.status);
      response.end();
      return;
    }
    const { format } = parameters as { format?: FormatName };
    const answer = writtenAnswer(body, { ...command, format });
    await sendAnswer(request, response, command.status, answer);
  };
}

/** By path, since one path may have several methods. */
function commandHandlers(options: AnalyzerOptions, session: SessionRoutes): Map<string, Handlers> {
  const byPath = new Map<string, Handlers>();
  for (const command of commands) {
    const handlers = byPath.get(command.path) ?? {};
    byPath.set(command.path, {
      ...handlers,
      [command.method]: commandHandler(command, options, session),
    });
  }
  return byPath;
}

function openSession({ tenancy, page, version, dashboard, now }: AnalyzerOptions): SessionRoutes {
  const { auth = 'off', collector = unknownCollector, settings = {} } = page ?? {};
  const facts = { auth, version, build: dashboard?.build, collector, settings };
  return openSessionRoutes(tenancy.authorizer, facts, now);
}

const unknownCollector = { scheme: 'http', http_port: null, grpc_port: null } as const;

/** The query of a URL, with its question mark. */
function searchOf({ url }: ApiRequest): string {
  const query = url.indexOf('?');
  return query === -1 ? '' : url.slice(query);
}

/** The sender's authority and the parameters are checked here; the answer is computed when its turn has come. */
function queryHandler(
  query: Query,
  { answerer, tenancy, now }: AnalyzerOptions,
  session: SessionRoutes,
  queue: AnswerQueue,
  metrics: Metrics,
): Handler {
  return async (request, response) => {
    const startMs = performance.now();
    const project = await tenancy.authorizer.project(session.credentials(request), 'read');
    const parameters = readParameters(query.parameters, searchOf(request));
    const path = request.params;
    const ask = (own: object): Promise<WrittenAnswer | undefined> => {
      const question = { project, name: query.name, parameters: own, path };
      const asked = queue.ask({
        project,
        key: JSON.stringify([query.name, path, own]),
        run: () => answerer.answer({ ...question, nowMs: now() }),
        abandon: () => answerer.abandon(),
      });
      // The client closed its connection, or the answer is sent.
      response.once('close', asked.leave);
      if (response.destroyed) asked.leave();
      return asked.answer.finally(() => response.off('close', asked.leave));
    };
    if (isWholeList(query, parameters, request)) {
      const page = { ...parameters, limit: limits.streamedPageRows };
      await sendPages(request, response, (cursor) =>
        ask(cursor === undefined ? page : { ...page, cursor }),
      );
    } else {
      const answer = await ask(parameters);
      if (answer === undefined) return;
      await sendAnswer(request, response, 200, answer);
    }
    metrics.reportSeconds.observe({ report: query.name }, (performance.now() - startMs) / 1000);
  };
}

/** NDJSON without `limit=` and `cursor=` is the list from its first to its last row, for queries whose lists say so. */
function isWholeList(query: Query, parameters: object, request: ApiRequest): boolean {
  const { format } = parameters as { format?: FormatName };
  if (format !== 'ndjson' || !query.list?.isStreamed) return false;
  const given = new URLSearchParams(searchOf(request));
  return ['limit', 'cursor', 'follow'].every((name) => !given.has(name));
}

function fixed(contentType: string, body: string): Handler {
  return (_request, response) => send(response, 200, contentType, body);
}

function fail(response: ServerResponse, { status, headers, body }: Failure): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  send(response, status, 'application/json; charset=utf-8', body);
}

/** The path of a request's target, without its query. */
const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0]!;

const shorten = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
