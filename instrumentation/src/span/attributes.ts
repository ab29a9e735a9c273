import type { RawRequest } from '../frameworks/framework.ts';
import { limits } from '../limits.ts';
import { contentLength } from '../request/http1.ts';
import type { Ending, RequestRecord } from '../request/request-record.ts';
import { type ResponseHeaders, responseHeaderNames } from '../request/response-headers.ts';
import { AttributeKey, type SpanWriter } from './span-writer.ts';

/** Receives attributes: the span writer, or a test. */
export type AttributeSink = Pick<SpanWriter, 'repeated' | 'text' | 'integer' | 'list'>;

const keys = {
  method: new AttributeKey('http.request.method'),
  methodOriginal: new AttributeKey('http.request.method_original'),
  path: new AttributeKey('url.path'),
  scheme: new AttributeKey('url.scheme'),
  version: new AttributeKey('network.protocol.version'),
  route: new AttributeKey('http.route'),
  status: new AttributeKey('http.response.status_code'),
  serverAddress: new AttributeKey('server.address'),
  serverPort: new AttributeKey('server.port'),
  peer: new AttributeKey('network.peer.address'),
  client: new AttributeKey('client.address'),
  forwardedFor: new AttributeKey('http.request.header.x-forwarded-for'),
  forwarded: new AttributeKey('http.request.header.forwarded'),
  userAgent: new AttributeKey('user_agent.original'),
  requestBytes: new AttributeKey('http.request.body.size'),
  responseBytes: new AttributeKey('http.response.body.size'),
  errorType: new AttributeKey('error.type'),
};

const responseHeaderKeys = responseHeaderNames.map((name) => ({
  name,
  key: new AttributeKey(`http.response.header.${name}`),
}));

/** Values of a span's attributes, copied when the request ends: neither request nor response is kept. */
export interface RequestFacts {
  /** `knownMethod` of `originalMethod`. */
  readonly method: string;
  readonly originalMethod: string;
  readonly path: string;
  readonly scheme: string;
  readonly version: string;
  readonly route: string | undefined;
  readonly status: number | undefined;
  readonly host: string | undefined;
  readonly peer: string | undefined;
  readonly forwardedFor: string | undefined;
  readonly forwarded: string | undefined;
  readonly userAgent: string | undefined;
  readonly requestBytes: number | undefined;
  readonly responseBytes: number | undefined;
  readonly errorType: string | undefined;
  readonly headers: readonly { key: AttributeKey; values: readonly string[] }[];
  readonly responseHeaders: ResponseHeaders | undefined;
}

/** The query is never captured, because it may hold secrets. @param headers request headers to capture */
export function factsOf(
  record: RequestRecord,
  ending: Ending,
  responseHeaders: ResponseHeaders | undefined,
  headers: readonly CapturedHeader[],
): RequestFacts {
  const { request, connection, method: originalMethod } = record;
  const sent = request.headers;
  const method = knownMethod(originalMethod);
  return {
    method,
    originalMethod,
    path: pathOf(record.target),
    scheme: connection.scheme,
    version: request.httpVersionMajor === 2 ? '2' : request.httpVersion,
    route: record.route,
    status: ending.status,
    host: (sent[':authority'] as string | undefined) ?? sent.host,
    peer: connection.peerAddress,
    forwardedFor: joined(sent['x-forwarded-for']),
    forwarded: sent.forwarded,
    userAgent: sent['user-agent'],
    requestBytes: contentLength(sent['content-length']),
    responseBytes: method === 'HEAD' ? undefined : ending.responseBytes,
    errorType: errorType(record, ending),
    headers: headers.length === 0 ? noHeaders : headersOf(sent, headers),
    responseHeaders,
  };
}

const noHeaders: RequestFacts['headers'] = [];

function headersOf(
  sent: RawRequest['headers'],
  headers: readonly CapturedHeader[],
): RequestFacts['headers'] {
  return headers.flatMap(({ name, key }) => {
    const value = sent[name];
    return value === undefined
      ? []
      : [{ key, values: (Array.isArray(value) ? value : [value]).map(cut) }];
  });
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

/** By OpenTelemetry's stable semantic conventions for HTTP (1.29). */
export function writeAttributes(to: AttributeSink, facts: RequestFacts): void {
  const { method, route, status, userAgent, requestBytes, responseBytes } = facts;
  to.repeated(keys.method, method);
  if (method === otherMethod) to.text(keys.methodOriginal, cut(facts.originalMethod));
  to.text(keys.path, facts.path);
  to.repeated(keys.scheme, facts.scheme);
  to.repeated(keys.version, facts.version);
  if (route !== undefined) to.repeated(keys.route, route);
  if (status !== undefined) to.integer(keys.status, status);
  writeServer(to, facts.host);
  writeClient(to, facts);
  if (userAgent !== undefined) to.repeated(keys.userAgent, cut(userAgent));
  if (requestBytes !== undefined) to.integer(keys.requestBytes, requestBytes);
  if (responseBytes !== undefined) to.integer(keys.responseBytes, responseBytes);
  if (facts.errorType !== undefined) to.repeated(keys.errorType, facts.errorType);
  for (const { key, values } of facts.headers) to.list(key, values);
  if (facts.responseHeaders !== undefined) writeResponseHeaders(to, facts.responseHeaders);
}

function writeResponseHeaders(to: AttributeSink, headers: ResponseHeaders): void {
  for (const { name, key } of responseHeaderKeys) {
    const value = headers[name];
    if (value !== undefined) to.list(key, [cut(value)]);
  }
}

/** A request header that becomes an attribute. @property name lower case */
export interface CapturedHeader {
  readonly name: string;
  readonly key: AttributeKey;
}

export function capturedHeader(name: string): CapturedHeader {
  return { name, key: new AttributeKey(`http.request.header.${name}`) };
}

const otherMethod = '_OTHER';
const methods = new Set([
  ...['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'QUERY'],
]);

/** Methods of RFC 9110, PATCH (RFC 5789) and QUERY; any other is `_OTHER`, or callers could invent endpoints. */
export function knownMethod(method: string): string {
  return methods.has(method) ? method : otherMethod;
}

/** Replaces the known methods (OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS). */
export function setKnownMethods(names: readonly string[]): void {
  methods.clear();
  for (const name of names) methods.add(name);
}

/** The path of a request target, which may be a whole URL (absolute-form, RFC 9112, 3.2.2). */
function pathOf(target: string): string {
  let path = target;
  if (target.charCodeAt(0) !== slash && /^https?:\/\//i.test(target)) {
    const start = target.indexOf('/', target.indexOf('//') + 2);
    path = start < 0 ? '/' : target.slice(start);
  }
  const end = path.indexOf('?');
  return (end < 0 ? path : path.slice(0, end)).slice(0, limits.pathCharacters);
}

const slash = 47;

let lastHost: string | undefined;
let lastAddress = '';
let lastPort: number | undefined;

/** `server.address` and `server.port` from the Host header. The last one is cached. */
function writeServer(to: AttributeSink, host: string | undefined): void {
  if (host === undefined || host === '') return;
  if (host !== lastHost) {
    const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(host);
    lastHost = host;
    lastAddress = cut(match?.[1] ?? host).replace(/^\[|\]$/g, '');
    lastPort = match?.[2] === undefined ? undefined : Number(match[2]);
  }
  to.repeated(keys.serverAddress, lastAddress);
  if (lastPort !== undefined) to.integer(keys.serverPort, lastPort);
}

/**
 * The client. `client.address` is the only address of X-Forwarded-For, else the peer. A list of several hops, or a
 * Forwarded header, is sent as it came instead: Rollcall knows which proxies are trusted, and a client can write the
 * first hop itself.
 */
function writeClient(to: AttributeSink, { peer, forwardedFor, forwarded }: RequestFacts): void {
  if (peer !== undefined) to.repeated(keys.peer, peer);
  if (forwarded !== undefined) to.list(keys.forwarded, [lastOf(forwarded)]);
  if (forwardedFor !== undefined) {
    if (forwardedFor.includes(',')) to.list(keys.forwardedFor, [lastOf(forwardedFor)]);
    else if (forwarded === undefined) to.repeated(keys.client, cut(forwardedFor.trim()));
  } else if (forwarded === undefined && peer !== undefined) {
    to.repeated(keys.client, peer);
  }
}

/** The last whole hops of a list that is too long: a client can write the first ones itself. */
function lastOf(hops: string): string {
  if (hops.length <= limits.headerCharacters) return hops;
  const end = hops.slice(-limits.headerCharacters);
  return end.slice(end.indexOf(',') + 1);
}

/** `error.type` by the semantic conventions: for a status from 500 on, and for an aborted request. */
function errorType(record: RequestRecord, ending: Ending): string | undefined {
  const { status, isAborted } = ending;
  if (status !== undefined && status >= 500) return typeOf(record.error) ?? String(status);
  if (isAborted) return typeOf(record.error) ?? 'aborted';
  return undefined;
}

function typeOf(error: unknown): string | undefined {
  if (error === undefined || error === null) return undefined;
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return cut(typeof code === 'string' ? code : error.name || error.constructor.name);
}

function cut(text: string): string {
  return text.length > limits.headerCharacters ? text.slice(0, limits.headerCharacters) : text;
}
