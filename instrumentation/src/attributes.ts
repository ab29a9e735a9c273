import type { Attributes } from '@opentelemetry/api';
import type { Call, Ending } from './call.ts';
import type { RawRequest } from './framework.ts';
import { contentLength } from './http1.ts';
import { limits } from './limits.ts';

/**
 * The attributes of a SERVER span by OpenTelemetry's stable semantic conventions for HTTP (1.29). The query
 * is never taken: it holds secrets too often, and nobody here asks for it.
 * @param headers lower case, taken besides; see `takenHeaders`
 */
export function attributesOf(call: Call, ending: Ending, headers: readonly string[]): Attributes {
  const { request, connection } = call;
  const sent = request.headers;
  const method = knownMethod(call.method);
  const attributes: Attributes = {
    'http.request.method': method,
    'url.path': pathOf(call.target),
    'url.scheme': connection.scheme,
    'network.protocol.version': request.httpVersionMajor === 2 ? '2' : request.httpVersion,
  };
  if (method === otherMethod) attributes['http.request.method_original'] = cut(call.method);
  if (call.route !== undefined) attributes['http.route'] = call.route;
  if (ending.status !== undefined) attributes['http.response.status_code'] = ending.status;
  addServer(attributes, (sent[':authority'] as string | undefined) ?? sent.host);
  addClient(attributes, request, connection.peerAddress);
  const userAgent = sent['user-agent'];
  if (userAgent !== undefined) attributes['user_agent.original'] = cut(userAgent);
  const requestBytes = contentLength(sent['content-length']);
  if (requestBytes !== undefined) attributes['http.request.body.size'] = requestBytes;
  if (ending.responseBytes !== undefined && method !== 'HEAD') {
    attributes['http.response.body.size'] = ending.responseBytes;
  }
  const failure = errorType(call, ending);
  if (failure !== undefined) attributes['error.type'] = failure;
  for (const name of headers) {
    const value = sent[name];
    if (value === undefined) continue;
    const values = Array.isArray(value) ? value : [value];
    attributes[`http.request.header.${name}`] = values.map(cut);
  }
  return attributes;
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
  const end = path.search(/[?#]/);
  return (end < 0 ? path : path.slice(0, end)).slice(0, limits.pathCharacters);
}

const slash = 47;

let lastHost: string | undefined;
let lastAddress = '';
let lastPort: number | undefined;

/** `server.address` and `server.port` of a Host header: mostly the one of the call before. */
function addServer(attributes: Attributes, host: string | undefined): void {
  if (host === undefined || host === '') return;
  if (host !== lastHost) {
    const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(host);
    lastHost = host;
    lastAddress = cut(match?.[1] ?? host).replace(/^\[|\]$/g, '');
    lastPort = match?.[2] === undefined ? undefined : Number(match[2]);
  }
  attributes['server.address'] = lastAddress;
  if (lastPort !== undefined) attributes['server.port'] = lastPort;
}

/**
 * Who called. As the official instrumentation: the address of X-Forwarded-For, else the peer. Of several hops
 * it takes the first, which anybody can make up; here they go to the collector as they came, for it knows
 * which proxies are trusted. The same for Forwarded.
 */
function addClient(attributes: Attributes, request: RawRequest, peer: string | undefined): void {
  const { 'x-forwarded-for': forwardedFor, forwarded } = request.headers;
  if (peer !== undefined) attributes['network.peer.address'] = peer;
  if (forwarded !== undefined) attributes['http.request.header.forwarded'] = [cut(forwarded)];
  if (forwardedFor !== undefined) {
    const text = Array.isArray(forwardedFor) ? forwardedFor.join(', ') : forwardedFor;
    if (text.includes(',')) attributes['http.request.header.x-forwarded-for'] = [lastOf(text)];
    else if (forwarded === undefined) attributes['client.address'] = cut(text.trim());
  } else if (forwarded === undefined && peer !== undefined) {
    attributes['client.address'] = peer;
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
