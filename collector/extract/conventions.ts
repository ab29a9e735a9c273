import { Interner } from '../intern/interner.ts';
import { type AttributeSlots, valueKind } from '../otlp/attributes.ts';
import type { TracesReader } from '../otlp/traces-reader.ts';
import { isKnownMethod } from './endpoint/http-method.ts';
import { mark, slot } from './span-attributes.ts';

/**
 * Which attributes are believed from which instrumentation scope (docs/extraction.md X26), beside the names of
 * the semantic conventions, which are believed from every scope.
 */
export interface Convention {
  /** Prefixes of the scope's name; '' is a span without a scope, which Collectors make from other formats. */
  scopes: readonly string[];
  /** `method`, `uri`, `status` and `exception` of Micrometer's observations. */
  hasPlainNames?: true;
  /** `url` and `status_code` are those of the request (SkyWalking). */
  hasPlainUrl?: true;
  /** A call with `http.path` and without a status or an error was answered: Brave reports other statuses only. */
  isSilentOnSuccess?: true;
  /** `http.route` is a path that a gateway was configured to match. */
  isGateway?: true;
}

const conventions: readonly Convention[] = [
  // Spring Boot 3 and later; with Brave the span comes through a Collector and has no scope.
  { scopes: ['org.springframework.', 'io.micrometer.'], hasPlainNames: true },
  // SkyWalking, Zipkin, Brave, Sleuth and OpenCensus through a Collector.
  { scopes: [''], hasPlainNames: true, hasPlainUrl: true, isSilentOnSuccess: true },
  { scopes: ['kong-internal'], isGateway: true },
  { scopes: ['github.com/traefik/traefik'], isGateway: true },
  { scopes: ['nginx'], isGateway: true },
  // APISIX.
  { scopes: ['opentelemetry-lua'], isGateway: true },
];

const standard: Convention = { scopes: [] };

/** @param scope the name of an instrumentation scope, '' for none */
export function conventionOf(scope: string): Convention {
  const isOf = (begin: string) => (begin === '' ? scope === '' : scope.startsWith(begin));
  return conventions.find(({ scopes }) => scopes.some(isOf)) ?? standard;
}

/** Conventions by the bytes of the scope's name: a message names few scopes, and many times. */
export class ConventionCache {
  readonly #names = new Interner();
  #conventions: Convention[] = [];

  of({ cursor, scopeNameStart, scopeNameLength }: TracesReader): Convention {
    if (scopeNameLength > nameBytesMax) return standard;
    const name = this.#names.intern(cursor.bytes, cursor.view, scopeNameStart, scopeNameLength);
    const known = this.#conventions[name];
    if (known !== undefined) return known;
    const convention = conventionOf(this.#names.text(name));
    if (name > namesMax) {
      this.#names.clear();
      this.#conventions = [];
    } else this.#conventions[name] = convention;
    return convention;
  }
}

/** Longer names and more of them are no instrumentation's. */
const nameBytesMax = 256;
const namesMax = 4096;

/**
 * Gives the standard slots of a span that has none the values of the names its scope's convention believes, and
 * decides whether a span with `rpc.system` is an HTTP call. Only for spans with `mark.other` or `mark.rpc`.
 * @param bytes of the message
 */
export function applyConvention(
  attributes: AttributeSlots,
  bytes: Buffer,
  { hasPlainNames, hasPlainUrl }: Convention,
): void {
  const has = (place: number) => attributes.kind(place) !== valueKind.none;
  const take = (place: number, from: number, others: readonly number[]) => {
    if (has(from) && !has(place) && !others.some(has)) attributes.assign(place, from);
  };
  if (hasPlainNames && isPlainCall(attributes, bytes)) {
    take(slot.method, slot.plainMethod, [slot.oldMethod]);
    take(slot.route, slot.plainUri, [slot.urlTemplate, slot.nextRoute]);
    take(slot.status, slot.plainStatus, [slot.oldStatus]);
    if (attributes.text(slot.plainException) !== 'none') {
      take(slot.errorType, slot.plainException, []);
    }
  }
  take(slot.path, slot.httpPath, [slot.oldTarget, slot.url, slot.oldUrl]);
  // These alone make no call: anything may bear such names.
  if (hasPlainUrl && (attributes.marks & mark.http) !== 0) {
    take(slot.url, slot.plainUrl, [slot.path, slot.oldTarget, slot.oldUrl]);
    take(slot.status, slot.plainStatusCode, [slot.oldStatus]);
  }
  if ((attributes.marks & mark.rpc) !== 0 && isHttpBesideRpc(attributes)) {
    attributes.marks ^= mark.rpc | mark.rpcOverHttp;
  }
}

/** A verb and a template or URL: `method` and `status` alone are names that anything may bear. */
function isPlainCall(attributes: AttributeSlots, bytes: Buffer): boolean {
  const { plainMethod, plainUri, oldUrl, plainException } = slot;
  if (attributes.kind(plainMethod) !== valueKind.string) return false;
  if (!isKnownMethod(bytes, attributes.start(plainMethod), attributes.end(plainMethod))) {
    return false;
  }
  return (
    attributes.kind(plainUri) === valueKind.string &&
    (attributes.kind(plainException) !== valueKind.none ||
      attributes.kind(oldUrl) !== valueKind.none)
  );
}

/** Method and path in full, and a system that has HTTP's own statuses: gRPC always answers with 200. */
function isHttpBesideRpc(attributes: AttributeSlots): boolean {
  const full = mark.method | mark.target;
  if ((attributes.marks & full) !== full) return false;
  const system = attributes.text(slot.rpcSystemName) || attributes.text(slot.rpcSystem);
  return !/^(grpc|apache_dubbo|dubbo)/i.test(system);
}
