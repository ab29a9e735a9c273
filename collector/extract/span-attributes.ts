import type { WantedKey } from '../otlp/attributes.ts';

/**
 * The attributes of a SERVER span that are read, old and new names; which wins is said where they are
 * read (docs/extraction.md 2.1). Slots of the attribute walk are their places in this list.
 */
const names = {
  method: 'http.request.method',
  methodOriginal: 'http.request.method_original',
  oldMethod: 'http.method',
  status: 'http.response.status_code',
  oldStatus: 'http.status_code',
  route: 'http.route',
  urlTemplate: 'url.template',
  nextRoute: 'next.route',
  path: 'url.path',
  url: 'url.full',
  oldTarget: 'http.target',
  oldUrl: 'http.url',
  rpcSystem: 'rpc.system',
  rpcSystemName: 'rpc.system.name',
  rpcService: 'rpc.service',
  rpcMethod: 'rpc.method',
  rpcStatus: 'rpc.response.status_code',
  otherRpcStatus: 'rpc.status_code',
  oldRpcStatus: 'rpc.grpc.status_code',
  connectStatus: 'rpc.connect_rpc.error_code',
  faasTrigger: 'faas.trigger',
  faasInvocation: 'faas.invocation_id',
  oldFaasInvocation: 'faas.execution',
  client: 'client.address',
  oldClient: 'http.client_ip',
  rustClient: 'http.client.address',
  peer: 'network.peer.address',
  oldSocketPeer: 'net.sock.peer.addr',
  oldPeer: 'net.peer.ip',
  otherPeer: 'peer.address',
  forwardedFor: 'http.request.header.x-forwarded-for',
  oldForwardedFor: 'http.request.header.x_forwarded_for',
  forwarded: 'http.request.header.forwarded',
  realIp: 'http.request.header.x-real-ip',
  oldRealIp: 'http.request.header.x_real_ip',
  cfConnectingIp: 'http.request.header.cf-connecting-ip',
  oldCfConnectingIp: 'http.request.header.cf_connecting_ip',
  userAgent: 'user_agent.original',
  oldUserAgent: 'http.user_agent',
  otherUserAgent: 'user_agent',
  synthetic: 'user_agent.synthetic.type',
  errorType: 'error.type',
  contentType: 'http.response.header.content-type',
  oldContentType: 'http.response.header.content_type',
  accept: 'http.request.header.accept',
  upgrade: 'http.request.header.upgrade',
  deprecation: 'http.response.header.deprecation',
  sunset: 'http.response.header.sunset',
  link: 'http.response.header.link',
  codeFunction: 'code.function.name',
  codeFile: 'code.file.path',
  codeLine: 'code.line.number',
  oldCodeFunction: 'code.function',
  oldCodeNamespace: 'code.namespace',
  oldCodeFile: 'code.filepath',
  oldCodeLine: 'code.lineno',
  scheme: 'url.scheme',
  oldScheme: 'http.scheme',
  peerService: 'service.peer.name',
  oldPeerService: 'peer.service',
  requestSize: 'http.request.body.size',
  oldRequestSize: 'http.request_content_length',
  otherRequestSize: 'http.request.size',
  responseSize: 'http.response.body.size',
  oldResponseSize: 'http.response_content_length',
  otherResponseSize: 'http.response.size',
  sampleRatio: 'X-SampleRatio',
  sampleRate: 'SampleRate',
  samplerType: 'sampler.type',
  samplerParam: 'sampler.param',
  // Names that are believed from some scopes only: collector/extract/conventions.ts.
  plainMethod: 'method',
  plainUri: 'uri',
  plainStatus: 'status',
  plainException: 'exception',
  plainUrl: 'url',
  plainStatusCode: 'status_code',
  httpPath: 'http.path',
} as const;

type Name = keyof typeof names;

const order = Object.keys(names) as Name[];

export const slot = Object.fromEntries(order.map((name, place) => [name, place])) as Record<
  Name,
  number
>;

/** Marks of a span that has such an attribute. */
export const mark = {
  http: 1,
  rpc: 2,
  forwarding: 4,
  size: 8,
  faas: 16,
  sampling: 32,
  /** A header of a connection that stays open. */
  stream: 64,
  /** A name that only some scopes are believed. */
  other: 128,
  /** A method; a route, path or URL: both make an HTTP call of a span with `rpc.system`. */
  method: 256,
  target: 512,
  /** Set by `applyConvention`: an HTTP call with `rpc.system`. */
  rpcOverHttp: 1024,
  /** A trait of the endpoint (collector/extract/endpoint/trait-notes.ts). */
  trait: 2048,
  /** A URL, or a scheme by its old name: the less common places of a WebSocket's scheme. */
  urlOrOldScheme: 4096,
  /** The name of the calling service. */
  peer: 4096,
} as const;

/** Marks that make a SERVER span a call (docs/extraction.md 2.1), after `applyConvention`. */
export function isHttpSpan(marks: number): boolean {
  return (marks & (mark.http | mark.rpc)) === mark.http;
}

const marks: Partial<Record<Name, number>> = {
  method: mark.http | mark.method,
  oldMethod: mark.http | mark.method,
  status: mark.http,
  oldStatus: mark.http,
  route: mark.http | mark.target,
  path: mark.http | mark.target,
  url: mark.http | mark.target | mark.urlOrOldScheme,
  oldTarget: mark.http | mark.target,
  oldUrl: mark.http | mark.target | mark.urlOrOldScheme,
  rpcSystem: mark.rpc,
  rpcSystemName: mark.rpc,
  faasTrigger: mark.faas,
  faasInvocation: mark.faas,
  oldFaasInvocation: mark.faas,
  forwardedFor: mark.forwarding,
  oldForwardedFor: mark.forwarding,
  forwarded: mark.forwarding,
  realIp: mark.forwarding,
  oldRealIp: mark.forwarding,
  cfConnectingIp: mark.forwarding,
  oldCfConnectingIp: mark.forwarding,
  contentType: mark.stream,
  oldContentType: mark.stream,
  accept: mark.stream,
  upgrade: mark.stream,
  deprecation: mark.trait,
  sunset: mark.trait,
  codeFunction: mark.trait,
  codeFile: mark.trait,
  oldCodeFunction: mark.trait,
  oldCodeFile: mark.trait,
  peerService: mark.peer,
  oldPeerService: mark.peer,
  requestSize: mark.size,
  oldRequestSize: mark.size,
  otherRequestSize: mark.size,
  responseSize: mark.size,
  oldResponseSize: mark.size,
  otherResponseSize: mark.size,
  sampleRatio: mark.sampling,
  sampleRate: mark.sampling,
  samplerParam: mark.sampling,
  oldScheme: mark.urlOrOldScheme,
  plainMethod: mark.other,
  plainUrl: mark.other,
  plainStatusCode: mark.other,
  httpPath: mark.other,
};

/** The keys to want of a span, and the slots of the attributes that may name the consumer. */
export function wantedAttributes(consumerAttributes: readonly string[]): {
  keys: WantedKey[];
  consumerSlots: number[];
} {
  const keys: WantedKey[] = order.map((name) => ({ key: names[name], mark: marks[name] ?? 0 }));
  const consumerSlots = consumerAttributes.map((key) => {
    const known = keys.findIndex((wanted) => wanted.key === key);
    return known >= 0 ? known : keys.push({ key }) - 1;
  });
  return { keys, consumerSlots };
}
