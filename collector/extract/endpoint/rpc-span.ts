import { limits, specialRoutes } from '../../../core/limits.ts';
import { canonicalRoute, type Route } from '../../../core/route/route.ts';
import { Interner } from '../../intern/interner.ts';
import { TripleTable } from '../../intern/triple-table.ts';
import { truncatedLength } from '../../intern/truncate.ts';
import { type AttributeSlots, valueKind } from '../../otlp/attributes.ts';
import type { TracesReader } from '../../otlp/traces-reader.ts';
import { slot } from '../span-attributes.ts';
import type { RouteCache } from './route-cache.ts';

/**
 * RPC server spans as calls (ROLLCALL_RPC=on; docs/extraction.md 2.1): the method is POST, the route
 * `/package.Service/Method`, the status the HTTP equivalent of the RPC status.
 */
export class RpcRoutes {
  readonly #routes: RouteCache;
  readonly #words = new Interner();
  readonly #known = new TripleTable();

  /** @param routes assigns the numbers; cleared together with this cache */
  constructor(routes: RouteCache) {
    this.#routes = routes;
  }

  clear(): void {
    this.#words.clear();
    this.#known.clear();
  }

  /** The number of the route of the walk's span. @param status of `rpcStatusOf` */
  numberOf(walk: TracesReader, status: number): number {
    // A method that does not exist: a caller made its name up (compare docs/extraction.md X18).
    if (status === unimplemented) return this.#routes.numberOfRoute(unmatched);
    const words = this.#words;
    if (words.size > wordsMax || words.bytes > wordBytesMax) this.clear();
    const { bytes, view } = walk.cursor;
    const service = this.#intern(walk, slot.rpcService);
    const method = this.#intern(walk, slot.rpcMethod);
    const nameLength = truncatedLength(bytes, walk.nameStart, walk.nameLength, limits.routeBytes);
    const name = words.intern(bytes, view, walk.nameStart, nameLength);
    let number = this.#known.get(service, method, name);
    if (number === 0) {
      const route = rpcRoute(words.text(service), words.text(method), words.text(name));
      number = this.#routes.numberOfRoute(route);
      this.#known.set(service, method, name, number);
    }
    return number;
  }

  #intern(walk: TracesReader, place: number): number {
    const { attributes, cursor } = walk;
    const isText = attributes.kind(place) === valueKind.string;
    const start = isText ? attributes.start(place) : 0;
    const length = isText ? attributes.end(place) - start : 0;
    const kept = truncatedLength(cursor.bytes, start, length, limits.routeBytes);
    return this.#words.intern(cursor.bytes, cursor.view, start, kept);
  }
}

/**
 * `/shop.Cart/AddItem` of the old attributes (rpc.service and rpc.method), the new one (rpc.method is
 * `shop.Cart/AddItem`), or the span's name, which is the same text.
 */
export function rpcRoute(service: string, method: string, spanName: string): Route {
  if (method === '_OTHER') return unmatched;
  let full = method;
  if (method === '') full = /^[^\s/]+\/[^\s/]+$/.test(spanName) ? spanName : service;
  else if (service !== '' && !method.includes('/')) full = `${service}/${method}`;
  full = full.replace(/^\/+/, '');
  if (full === '') return { route: specialRoutes.unknown, templated: false };
  return { route: canonicalRoute(`/${full}`), templated: false };
}

/**
 * The HTTP status that google/rpc/code.proto names for a gRPC code, so that errors count and callers'
 * mistakes stay apart from the service's: exactly the codes for which the semantic conventions mark a
 * SERVER span as failed are 5xx. Codes come as numbers, digits or names. 0 when there is none we know.
 */
export function rpcStatusOf(attributes: AttributeSlots): number {
  for (let i = 0; i < statusSlots.length; i += 1) {
    const place = statusSlots[i]!;
    if (attributes.kind(place) === valueKind.none) continue;
    const code = attributes.number(place);
    const status = Number.isNaN(code)
      ? statusByName.get(attributes.text(place).toLowerCase())
      : codes[code]?.[1];
    if (status !== undefined) return status;
  }
  return 0;
}

/** The same of an HTTP call with `rpc.system` (go-kratos): its code may be an HTTP status itself. */
export function httpStatusOfRpc(attributes: AttributeSlots): number {
  for (let i = 0; i < statusSlots.length; i += 1) {
    const code = attributes.number(statusSlots[i]!);
    if (code >= 100 && code < 600) return Math.floor(code);
  }
  return rpcStatusOf(attributes);
}

const statusSlots = [slot.rpcStatus, slot.otherRpcStatus, slot.oldRpcStatus, slot.connectStatus];

/** gRPC's codes in their order. */
const codes: readonly (readonly [string, number])[] = [
  ['ok', 200],
  ['cancelled', 499],
  ['unknown', 500],
  ['invalid_argument', 400],
  ['deadline_exceeded', 504],
  ['not_found', 404],
  ['already_exists', 409],
  ['permission_denied', 403],
  ['resource_exhausted', 429],
  ['failed_precondition', 400],
  ['aborted', 409],
  ['out_of_range', 400],
  ['unimplemented', 501],
  ['internal', 500],
  ['unavailable', 503],
  ['data_loss', 500],
  ['unauthenticated', 401],
];

// Connect spells one of them with one l.
const statusByName = new Map<string, number>([...codes, ['canceled', 499]]);

const unimplemented = 501;
const unmatched: Route = { route: specialRoutes.unmatched, templated: false };

/** Callers can make up names. Enough for every method of many services; a full cache is emptied. */
const wordsMax = 2 ** 15;
const wordBytesMax = 4 * 1024 * 1024;
