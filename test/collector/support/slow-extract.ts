import { TrustedProxies } from '../../../collector/extract/client/address.ts';
import type { ClockAhead } from '../../../collector/extract/clock-skew.ts';
import {
  nothingExtracted,
  type RejectReason,
  type SpanCounts,
} from '../../../collector/extract/counts.ts';
import { rpcRoute } from '../../../collector/extract/endpoint/rpc-span.ts';
import { agentOf } from '../../../collector/extract/user-agent.ts';
import { truncateUtf8 } from '../../../collector/intern/truncate.ts';
import type { Config } from '../../../core/config/config.ts';
import { limits } from '../../../core/limits.ts';
import { routeTakesPath } from '../../../core/route/match.ts';
import { endpointRoute, type Route, routePattern, withDisplay } from '../../../core/route/route.ts';
import { templatePath } from '../../../core/route/template.ts';
import type { Called } from './called.ts';
import { type DecodedSpan, decodeRequest } from './decoder.ts';
import { Attributes } from './slow-attributes.ts';
import { slowClient } from './slow-client.ts';
import { underConvention, verbs } from './slow-conventions.ts';
import { slowCredible, slowStateWeight } from './trace-states.ts';

/**
 * The slow clear version of collector/extract/extractor.ts, on fully decoded spans: the oracle of its tests.
 * Nothing is remembered between spans, no bytes are matched, times are BigInt.
 */
/** @param earlier the calls of earlier messages: their routes may be those of a 404 or an error page */
export function slowExtract(
  project: string,
  message: Buffer,
  config: Config,
  nowMs: number,
  earlier: readonly Called[] = [],
) {
  const extracted = nothingExtracted();
  const calls: Called[] = [];
  for (const { resource, scopeSpans } of decodeRequest(message).resourceSpans) {
    const attributes = new Attributes(resource?.attributes ?? []);
    const service = {
      project,
      service: truncateUtf8(attributes.firstText(['service.name']), limits.serviceNameBytes),
      environment: truncateUtf8(
        attributes.firstText(['deployment.environment.name', 'deployment.environment']),
        limits.environmentBytes,
      ),
      serviceVersion: truncateUtf8(attributes.firstText(['service.version']), limits.versionBytes),
    };
    if (service.service === '') service.service = 'unknown_service';
    const instance = attributes.firstText(['service.instance.id', 'host.name']);
    const ahead = {
      service: service.service,
      instance: truncateUtf8(instance, limits.instanceBytes),
      aheadS: 0,
    };
    const all = scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({ span, scope: scope?.name ?? '' })),
    );
    for (const { span, scope } of all) {
      const call = callOf(span, scope, config, nowMs, extracted, ahead);
      if (call === undefined) continue;
      extracted.stored += 1;
      const { path, isUnnamed, errorPage, display, refused: _, ...own } = call;
      const all = { ...service, ...own };
      const known =
        isUnnamed || errorPage
          ? answeredRoute(all, path, errorPage, [...earlier, ...calls])
          : undefined;
      const { route, templated, shown } = known ?? {
        route: own.route,
        templated: own.templated,
        shown: display,
      };
      calls.push({
        ...all,
        route,
        templated,
        ...(shown !== undefined && { display: shown }),
        ...(templated && isRefused(own.status) && { refused: true as const }),
      });
    }
    if (ahead.aheadS > 0) extracted.clocksAhead.push(ahead);
  }
  return { extracted, calls };
}

interface SpanCall extends Omit<Called, 'project' | 'service' | 'environment' | 'serviceVersion'> {
  path: string;
  /** A 404 without a route. */
  isUnnamed: boolean;
  errorPage: boolean;
}

/** The route of this path that answered a call before (docs/extraction.md X28). */
function answeredRoute(
  call: Called,
  path: string,
  isErrorPage: boolean,
  earlier: readonly Called[],
) {
  if (path === '') return undefined;
  const keys = new Set<string>();
  const routes = earlier.filter((one) => {
    const { service, environment, method, route, display, status } = one;
    if (status < 100 || status >= 300 || !route.startsWith('/')) return false;
    const key = JSON.stringify([service, environment, method, route, display]);
    const isFirst = !keys.has(key);
    keys.add(key);
    const isSame = service === call.service && environment === call.environment;
    return isFirst && isSame && method === call.method;
  });
  const literals = ({ route }: Called) => route.split(/\{[^{}]*\}/).join('').length;
  const told = isErrorPage
    ? routes.filter((one) => !one.templated && routeTakesPath(one.route, path))
    : [];
  const most = Math.max(...told.map(literals));
  const found =
    told.find((one) => literals(one) === most) ??
    routes.find((one) => one.templated && one.route === templatePath(path));
  return found && { route: found.route, templated: found.templated, shown: found.display };
}

function callOf(
  span: DecodedSpan,
  scope: string,
  config: Config,
  nowMs: number,
  extracted: SpanCounts,
  ahead: ClockAhead,
) {
  if (span.kind !== 2) {
    extracted.notServer += 1;
    return undefined;
  }
  const slow = underConvention(span.attributes, scope);
  const { attributes, isHttp, isRpc } = slow;
  if (!isHttp && !(isRpc && config.rpc)) {
    extracted.notHttp += 1;
    return undefined;
  }
  const startNs = BigInt(span.startTimeUnixNano);
  const endNs = BigInt(span.endTimeUnixNano);
  const aheadS = Number(endNs / 1_000_000_000n) - Math.floor(nowMs / 1000);
  if (aheadS > 1) ahead.aheadS = Math.max(ahead.aheadS, aheadS);
  const reason = rejection(span, startNs, endNs, nowMs, config);
  if (reason) {
    extracted.rejected[reason] += 1;
    return undefined;
  }
  let method = isHttp ? methodOf(attributes, span.name) : 'POST';
  const exception = exceptionType(span);
  let status = isHttp ? statusOf(attributes) : rpcStatus(attributes);
  if (status === 0 && slow.isRpcOverHttp) status = rpcHttpStatus(attributes);
  if (status === 0 && (span.status?.code === 2 || exception !== undefined)) {
    extracted.statusAssumed += 1;
    status = 500;
  }
  const isOk = slow.isRpcOverHttp && span.status?.code === 1;
  if (status === 0 && (isOk || slow.isSilentOnSuccess)) status = 200;
  const isHandshake = status === 101 || isWebSocket(attributes);
  const hasMethod = attributes.firstString(['http.request.method', 'http.method']) !== '';
  if (method === '_OTHER' && isHandshake && !hasMethod) method = 'GET';
  const found: Route = isHttp
    ? routeOf(attributes, span.name, method, status, slow.isGateway)
    : rpcRouteOf(attributes, span.name, status);
  const { route, templated, display, errorPage = false } = found;
  const reported = attributes.firstString(['http.route', 'url.template', 'next.route']);
  if (config.excludeMethods.includes(method)) {
    extracted.excluded.method += 1;
    return undefined;
  }
  const client = slowClient(attributes, new TrustedProxies(config.trustedProxies));
  if (client === undefined) extracted.invalidClients += 1;
  if (endNs < startNs) extracted.clockSkewed += 1;
  const isTooLong = endNs - startNs > BigInt(limits.callDurationNs);
  if (isTooLong) extracted.durationsDropped += 1;
  const weight = weightOf(attributes, span);
  if (weight === undefined) extracted.weightsIgnored += 1;
  const call: SpanCall = {
    path: truncateUtf8(pathOf(attributes), limits.pathBytes),
    isUnnamed: isHttp && status === 404 && reported === '' && route === '(unmatched)',
    errorPage: isHttp && errorPage,
    ...(weight !== undefined && weight !== 1 && { weight }),
    method,
    route: truncateUtf8(route, limits.routeBytes),
    templated,
    ...(display !== undefined && { display }),
    ...(templated && isRefused(status) && { refused: true as const }),
    status,
    client: client ?? '',
    durationNs: latencyOf(
      attributes,
      isTooLong ? -1 : endNs < startNs ? 0 : Number(endNs - startNs),
      status,
      config,
    ),
    endNs,
    requestBytes: sizeOf(attributes, 'request'),
    responseBytes: sizeOf(attributes, 'response'),
    traceId: Buffer.from(span.traceId).toString('hex').padEnd(32, '0'),
    ...originOf(attributes, config, status, exception),
  };
  return call;
}

/** docs/extraction.md 3; undefined for what cannot be true. */
function weightOf(attributes: Attributes, span: DecodedSpan): number | undefined {
  const said = [slowStateWeight(span.traceState, span.traceId)];
  if (attributes.isSet('X-SampleRatio')) {
    said.push(slowCredible(1 / attributes.number('X-SampleRatio')));
  }
  if (attributes.isSet('SampleRate')) {
    const rate = attributes.number('SampleRate');
    said.push(Number.isInteger(rate) ? slowCredible(rate) : 'unbelieved');
  }
  const isProbabilistic = attributes.text('sampler.type') === 'probabilistic';
  if (isProbabilistic && attributes.isSet('sampler.param')) {
    said.push(slowCredible(1 / attributes.number('sampler.param')));
  }
  const believed = said.find((weight) => typeof weight === 'number');
  return believed ?? (said.includes('unbelieved') ? undefined : 1);
}

function isRefused(status: number): boolean {
  return status >= 300 && status < 500 && ![304, 409, 412, 422, 428].includes(status);
}

function latencyOf(attributes: Attributes, durationNs: number, status: number, config: Config) {
  const { upgrades, streams, longerThanNs } = config.excludeLatency;
  const header = 'http.response.header.content';
  const types = [`${header}-type`, `${header}_type`].flatMap((key) => attributes.texts(key));
  const accepted = attributes.texts('http.request.header.accept').join(',').split(',');
  const said = types.length > 0 ? types : accepted.length === 1 ? accepted : [];
  const isStream = said.some((type) => {
    const media = type.trim().toLowerCase();
    const others = types.length > 0 ? ['multipart/x-mixed-replace', 'application/stream+json'] : [];
    return ['text/event-stream', ...others].some((name) => media.startsWith(name));
  });
  const isSocket = status === 101 || isWebSocket(attributes);
  const isOpen = status < 400 && ((upgrades && isSocket) || (streams && isStream));
  return isOpen || durationNs > longerThanNs ? -1 : durationNs;
}

function isWebSocket(attributes: Attributes): boolean {
  const schemes = ['url.scheme', 'http.scheme', 'url.full', 'http.url'].map((key) =>
    attributes.firstString([key]).toLowerCase().split(':', 1).join(),
  );
  const upgrades = attributes.texts('http.request.header.upgrade');
  const isUpgrade = upgrades.some((text) => text.toLowerCase().includes('websocket'));
  return isUpgrade || schemes.some((scheme) => scheme === 'ws' || scheme === 'wss');
}

/** An http.route stands where the path has as many segments, whatever the segments are. */
function routeOf(
  attributes: Attributes,
  name: string,
  method: string,
  status: number,
  isGateway: boolean,
): Route {
  const told = attributes.firstString(['http.route', 'url.template', 'next.route']);
  const httpRoute = truncateUtf8(told, limits.routeBytes);
  const path = pathOf(attributes);
  const { canonical, segments } = routePattern(httpRoute);
  const pathSegments = path.split('/').filter((segment) => segment !== '').length;
  const fits = path === '' || pathSegments === segments;
  const isFunction = faasKeys.some((key) => attributes.has(key));
  if (canonical !== '' && !isFunction && !isGateway && fits && status !== 404 && status !== 405) {
    return withDisplay({ route: canonical, templated: false }, httpRoute);
  }
  return endpointRoute({
    httpRoute,
    spanName: truncateUtf8(name, limits.routeBytes),
    path: truncateUtf8(path, limits.pathBytes),
    method,
    status,
    isFunction,
    isGateway,
  });
}

function rpcRouteOf(attributes: Attributes, name: string, status: number): Route {
  if (status === 501) return { route: '(unmatched)', templated: false };
  const kept = (text: string) => truncateUtf8(text, limits.routeBytes);
  const [service, method] = ['rpc.service', 'rpc.method'].map((key) =>
    kept(attributes.firstString([key])),
  );
  return rpcRoute(service!, method!, kept(name));
}

function rejection(
  span: DecodedSpan,
  startNs: bigint,
  endNs: bigint,
  nowMs: number,
  config: Config,
): RejectReason | undefined {
  if (![0, 16].includes(span.traceId.length)) return 'trace_id';
  if (![0, 8].includes(span.spanId.length)) return 'span_id';
  if (startNs === 0n || endNs === 0n) return 'time_zero';
  const endS = Number(endNs / 1_000_000_000n);
  const nowS = Math.floor(nowMs / 1000);
  if (endS > nowS + limits.futureS) return 'future';
  return endS < nowS - config.retention.daysS ? 'too_old' : undefined;
}

function methodOf(attributes: Attributes, name: string): string {
  const sent = attributes.firstString(['http.request.method', 'http.method']);
  if (sent === '') return methodOfName(name);
  const original = attributes.firstString(['http.request.method_original']);
  const known = [sent, original].map(asciiUpper).find((method) => verbs.includes(method));
  return known ?? '_OTHER';
}

/** `GET`, `HTTP GET`, `GET /a`; joined to a path in other ways and letters: `get /a`, `GET:/a`, `{GET}/a`. */
function methodOfName(name: string): string {
  const words = name.replace(/^HTTP +(?=[a-z[{(</])/i, '').replace(/^(https?:|Recv\.)(?=\/)/i, '');
  const first = words.split(' ', 1)[0]!;
  if (verbs.includes(first)) return first;
  if (verbs.includes(asciiUpper(words))) return asciiUpper(words);
  const slash = words.indexOf('/');
  const verb =
    /^[a-z]+/i.exec(words.slice(0, Math.max(0, slash)).replace(/^[[{(<]/, ''))?.[0] ?? '';
  const joint = words.slice(0, Math.max(0, slash)).replace(/^[[{(<]?[a-z]+/i, '');
  const isJoint = /^( +| *- *| *: *| *->? *| *>? *|\||[\]})>] *)$/.test(joint) && joint !== '';
  return isJoint && verbs.includes(asciiUpper(verb)) ? asciiUpper(verb) : '_OTHER';
}

/** Without the letters that become ASCII ones: `ı` is no `I` of a method. */
function asciiUpper(text: string): string {
  return text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

function statusOf(attributes: Attributes): number {
  const statuses = ['http.response.status_code', 'http.status_code'].map((key) =>
    attributes.number(key),
  );
  return Math.floor(statuses.find((status) => status >= 100 && status < 1000) ?? 0);
}

function pathOf(attributes: Attributes): string {
  const target = attributes.firstString(['url.path', 'http.target']);
  const url = attributes.firstString(['url.full', 'http.url']);
  const origin = /^[^/?#:]*:\/\/[^/?#]*/.exec(url)?.[0] ?? '';
  const bare = (target || url.slice(origin.length)).split(/[?#]/, 1)[0]!;
  return bare === '' && target === '' && origin !== '' ? '/' : bare;
}

function rpcStatus(attributes: Attributes): number {
  const keys = [
    'response.status_code',
    'status_code',
    'grpc.status_code',
    'connect_rpc.error_code',
  ];
  for (const key of keys.map((name) => `rpc.${name}`)) {
    const code = attributes.number(key);
    const place = Number.isNaN(code) ? grpcCodes.indexOf(attributes.text(key).toLowerCase()) : code;
    const status = grpcStatuses[place];
    if (status !== undefined) return status;
  }
  return 0;
}

/** go-kratos puts HTTP statuses where codes of an RPC belong. */
function rpcHttpStatus(attributes: Attributes): number {
  const keys = [
    'response.status_code',
    'status_code',
    'grpc.status_code',
    'connect_rpc.error_code',
  ];
  const codes = keys.map((name) => attributes.number(`rpc.${name}`));
  return Math.floor(codes.find((code) => code >= 100 && code < 600) ?? rpcStatus(attributes));
}

const grpcCodes = `ok cancelled unknown invalid_argument deadline_exceeded not_found already_exists
  permission_denied resource_exhausted failed_precondition aborted out_of_range unimplemented internal
  unavailable data_loss unauthenticated`.split(/\s+/);
const grpcStatuses = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

function sizeOf(attributes: Attributes, what: string): number {
  const keys = [`${what}.body.size`, `${what}_content_length`, `${what}.size`];
  const sizes = keys.map((key) => attributes.number(`http.${key}`));
  return sizes.find((size) => size >= 0 && size <= Number.MAX_SAFE_INTEGER) ?? -1;
}

function originOf(
  attributes: Attributes,
  config: Config,
  status: number,
  exception: string | undefined,
) {
  const userAgent = attributes.firstString([
    'user_agent.original',
    'http.user_agent',
    'user_agent',
  ]);
  const { product, bot } = agentOf(truncateUtf8(userAgent, limits.userAgentBytes));
  const named = config.consumerAttributes
    .map((key) => attributes.text(key) || attributes.texts(key)[0] || '')
    .find((text) => text !== '');
  const error = attributes.text('error.type') || exception || (status >= 500 ? String(status) : '');
  return {
    consumer: named === undefined ? product : truncateUtf8(named, limits.consumerBytes),
    agent: product,
    bot: bot || attributes.isSet('user_agent.synthetic.type'),
    errorType: status < 400 ? '' : truncateUtf8(error, limits.errorTypeBytes),
  };
}

function exceptionType(span: DecodedSpan): string | undefined {
  const event = span.events.findLast(({ name }) => name === 'exception');
  return event && new Attributes(event.attributes).text('exception.type');
}

const faasKeys = ['faas.trigger', 'faas.invocation_id', 'faas.execution'];
