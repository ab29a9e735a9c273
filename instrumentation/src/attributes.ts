import type { Call, Ending } from './call.ts';
import type { RawRequest } from './framework.ts';
import { contentLength } from './http1.ts';
import { limits } from './limits.ts';
import { AttributeKey, type SpanWriter } from './span-writer.ts';

/** Who takes attributes down: the span writer, or a test. */
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

/**
 * The attributes of a SERVER span by OpenTelemetry's stable semantic conventions for HTTP (1.29). The query
 * is never taken: it holds secrets too often, and nobody here asks for it.
 * @param headers taken besides; see `takenHeaders`
 */
export function writeAttributes(
  to: AttributeSink,
  call: Call,
  ending: Ending,
  headers: readonly TakenHeader[],
): void {
  const { request, connection } = call;
  const sent = request.headers;
  const method = knownMethod(call.method);
  to.repeated(keys.method, method);
  if (method === otherMethod) to.text(keys.methodOriginal, cut(call.method));
  to.text(keys.path, pathOf(call.target));
  to.repeated(keys.scheme, connection.scheme);
  to.repeated(keys.version, request.httpVersionMajor === 2 ? '2' : request.httpVersion);
  if (call.route !== undefined) to.repeated(keys.route, call.route);
  if (ending.status !== undefined) to.integer(keys.status, ending.status);
  writeServer(to, (sent[':authority'] as string | undefined) ?? sent.host);
  writeClient(to, request, connection.peerAddress);
  const userAgent = sent['user-agent'];
  if (userAgent !== undefined) to.repeated(keys.userAgent, cut(userAgent));
  const requestBytes = contentLength(sent['content-length']);
  if (requestBytes !== undefined) to.integer(keys.requestBytes, requestBytes);
  if (ending.responseBytes !== undefined && method !== 'HEAD') {
    to.integer(keys.responseBytes, ending.responseBytes);
  }
  const failure = errorType(call, ending);
  if (failure !== undefined) to.repeated(keys.errorType, failure);
  for (const { name, key } of headers) {
    const value = sent[name];
    if (value !== undefined) to.list(key, (Array.isArray(value) ? value : [value]).map(cut));
  }
}

/** A request header that becomes an attribute. @property name lower case */
export interface TakenHeader {
  readonly name: string;
  readonly key: AttributeKey;
}

export function takenHeader(name: string): TakenHeader {
  return { name, key: new AttributeKey(`http.request.header.${name}`) };
}

const otherMethod = '_OTHER';
const methods = new Set([
  ...['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'QUERY'],
]);

/** RFC 9110, PATCH (RFC 5789) and QUERY; any other would let callers make up endpoints: `_OTHER`. */
export function knownMethod(method: string): string {
  return methods.has(method) ? method : otherMethod;
}

/** Sets the methods that are known (OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS replaces the list). */
export function knowMethods(names: readonly string[]): void {
  methods.clear();
  for (const name of names) methods.add(name);
}

/** The path of a request's target, which is a whole URL when a proxy is spoken to (RFC 9112, 3.2.2). */
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

/** `server.address` and `server.port` of a Host header: mostly the one of the call before. */
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
 * Who called. As the official instrumentation: the address of X-Forwarded-For, else the peer. Of several hops
 * it takes the first, which anybody can make up; here they go to the collector as they came, for it knows
 * which proxies are trusted. The same for Forwarded.
 */
function writeClient(to: AttributeSink, request: RawRequest, peer: string | undefined): void {
  const { 'x-forwarded-for': forwardedFor, forwarded } = request.headers;
  if (peer !== undefined) to.repeated(keys.peer, peer);
  if (forwarded !== undefined) to.list(keys.forwarded, [cut(forwarded)]);
  if (forwardedFor !== undefined) {
    const text = Array.isArray(forwardedFor) ? forwardedFor.join(', ') : forwardedFor;
    if (text.includes(',')) to.list(keys.forwardedFor, [lastOf(text)]);
    else if (forwarded === undefined) to.repeated(keys.client, cut(text.trim()));
  } else if (forwarded === undefined && peer !== undefined) {
    to.repeated(keys.client, peer);
  }
}

/** Of a list of hops that is too long, the end: its beginning is what a client may have made up. */
function lastOf(hops: string): string {
  if (hops.length <= limits.headerCharacters) return hops;
  const end = hops.slice(-limits.headerCharacters);
  return end.slice(end.indexOf(',') + 1);
}

/** semconv: the error's type when the call failed for the server or had no answer, else nothing. */
function errorType(call: Call, ending: Ending): string | undefined {
  const { status, isAborted } = ending;
  if (status !== undefined && status >= 500) return typeOf(call.error) ?? String(status);
  if (isAborted) return typeOf(call.error) ?? 'aborted';
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
