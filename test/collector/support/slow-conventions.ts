import type { DecodedKeyValue } from './decoder.ts';
import { Attributes } from './slow-attributes.ts';

/** What a span's attributes say under its scope's convention (docs/extraction.md X26), for the oracle of extraction. */
export interface SlowSpan {
  attributes: Attributes;
  isHttp: boolean;
  isRpc: boolean;
  /** An HTTP call that has `rpc.system` beside. */
  isRpcOverHttp: boolean;
  isGateway: boolean;
  /** Without a status and an error the call was answered. */
  isSilentOnSuccess: boolean;
}

export function underConvention(list: readonly DecodedKeyValue[], scope: string): SlowSpan {
  const attributes = new Attributes(list);
  const isSpring = scope.startsWith('org.springframework.') || scope.startsWith('io.micrometer.');
  const isForeign = scope === '';
  const use = (key: string, from: string, others: string[]) => {
    const isFree = ![key, ...others].some((other) => attributes.isSet(other));
    if (attributes.isSet(from) && isFree) attributes.use(key, from);
  };
  if ((isSpring || isForeign) && isObservation(attributes)) {
    use('http.request.method', 'method', ['http.method']);
    use('http.route', 'uri', ['url.template', 'next.route']);
    use('http.response.status_code', 'status', ['http.status_code']);
    if (attributes.text('exception') !== 'none') use('error.type', 'exception', []);
  }
  use('url.path', 'http.path', ['http.target', 'url.full', 'http.url']);
  const isCall = [...methodKeys, ...statusKeys, ...targetKeys].some((key) => attributes.has(key));
  if (isForeign && isCall) {
    use('url.full', 'url', ['url.path', 'http.target', 'http.url']);
    use('http.response.status_code', 'status_code', ['http.status_code']);
  }

  const hasMethod = methodKeys.some((key) => attributes.has(key));
  const hasTarget = targetKeys.some((key) => attributes.has(key));
  const hasHttp = hasMethod || hasTarget || statusKeys.some((key) => attributes.has(key));
  const hasRpc = ['rpc.system', 'rpc.system.name'].some((key) => attributes.has(key));
  const system = (
    attributes.text('rpc.system.name') || attributes.text('rpc.system')
  ).toLowerCase();
  const hasOwnStatuses = ['grpc', 'dubbo', 'apache_dubbo'].some((name) => system.startsWith(name));
  const isRpcOverHttp = hasRpc && hasMethod && hasTarget && !hasOwnStatuses;
  return {
    attributes,
    isHttp: hasHttp && (!hasRpc || isRpcOverHttp),
    isRpc: hasRpc && !isRpcOverHttp,
    isRpcOverHttp,
    isGateway: ['kong-internal', 'github.com/traefik/traefik', 'nginx', 'opentelemetry-lua'].some(
      (name) => scope.startsWith(name),
    ),
    isSilentOnSuccess: isForeign && attributes.isSet('http.path'),
  };
}

/** Micrometer's observation of a request: a verb, a template, and what only such spans have beside. */
function isObservation(attributes: Attributes): boolean {
  const verb = attributes.firstString(['method']).replace(/[a-z]/g, (small) => small.toUpperCase());
  if (!verbs.includes(verb) || attributes.firstString(['uri']) === '') return false;
  return attributes.isSet('exception') || attributes.isSet('http.url');
}

export const verbs = 'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY'.split(' ');
const methodKeys = ['http.request.method', 'http.method'];
const statusKeys = ['http.response.status_code', 'http.status_code'];
const targetKeys = ['http.route', 'url.path', 'url.full', 'http.target', 'http.url'];
