import { grown } from '../../../core/column.ts';
import { limits } from '../../../core/limits.ts';
import { endpointRoute, type Route, routePattern, withDisplay } from '../../../core/route/route.ts';
import { bytesPerWord, Interner } from '../../intern/interner.ts';
import { TripleTable } from '../../intern/triple-table.ts';
import { truncatedLength, truncateUtf8 } from '../../intern/truncate.ts';
import type { TracesReader } from '../../otlp/traces-reader.ts';
import { mark, slot } from '../span-attributes.ts';
import { httpMethods } from './http-method.ts';

/**
 * Caches the canonical routes of calls (core/route/route.ts). Results from `http.route` alone are kept as long
 * as the interned strings. Results that needed the path or the name are kept for a while only: the number of
 * paths is unlimited.
 */
export class RouteCache {
  /** Routes by number, from 1 on. */
  readonly #routes: Route[] = [{ route: '', templated: false }];
  readonly #numbers = new Map<string, number>();
  #routesWeight = 0;

  /** The last route covers only the beginning of its path (docs/extraction.md X14). */
  foundMount = false;
  /** The span asked for last reports an error page's route; or is a 404 that reports none (X28). */
  foundErrorPage = false;
  foundNothing = false;
  /** Its route was made up from its path, or none was: the inventory may know better (X29). */
  foundNoName = false;

  readonly #patterns = new Interner();
  // By number of the `http.route`: its canonical route's number, 0 when it is none, and its segments.
  #canonical = new Int32Array(128);
  #segments = new Int32Array(128);
  #known = 0;

  readonly #evidence = new Interner();
  readonly #byEvidence = new TripleTable();

  // The path of the current span: its bytes without the query, and its number of non-empty segments.
  #pathStart = 0;
  #pathEnd = 0;
  #pathSegments = 0;

  /** Texts that are kept, as a share of `limits.internedStrings`. */
  get weight(): number {
    return this.#patterns.weight + this.#routesWeight;
  }

  clear(): void {
    this.#routes.length = 1;
    this.#numbers.clear();
    this.#routesWeight = 0;
    this.#patterns.clear();
    this.#canonical = new Int32Array(128);
    this.#segments = new Int32Array(128);
    this.#known = 0;
    this.#forgetEvidence();
  }

  route(number: number): Route {
    return this.#routes[number]!;
  }

  /**
   * The number of the route of the walk's span.
   * @param method place in `httpMethods`
   * @param isGateway `http.route` is what a gateway was configured to match
   */
  numberOf(walk: TracesReader, method: number, status: number, isGateway = false): number {
    const { attributes, cursor } = walk;
    const place = attributes.firstString(routeSlots);
    const start = place < 0 ? 0 : attributes.start(place);
    let length = place < 0 ? 0 : attributes.end(place) - start;
    length = truncatedLength(cursor.bytes, start, length, limits.routeBytes);
    this.#findPath(walk);
    this.foundMount = false;
    this.foundErrorPage = false;
    this.foundNothing = false;
    this.foundNoName = false;
    const isFunction = (attributes.marks & mark.faas) !== 0;
    if (length > 0 && status !== 404 && status !== 405 && !isFunction && !isGateway) {
      const pattern = this.#patterns.intern(cursor.bytes, cursor.view, start, length);
      if (pattern > this.#known) this.#learn(pattern);
      const number = this.#canonical[pattern]!;
      if (
        number > 0 &&
        (this.#pathStart === this.#pathEnd || this.#pathSegments === this.#segments[pattern])
      ) {
        return number;
      }
    }
    const sender = (isFunction ? 1 : 0) + (isGateway ? 2 : 0);
    return this.#byAllEvidence(walk, start, length, method, status, sender);
  }

  /** The path of the walk's span without its query, truncated; '' without one. */
  pathOf(walk: TracesReader): string {
    const { bytes } = walk.cursor;
    this.#findPath(walk);
    const length = this.#pathEnd - this.#pathStart;
    const end = this.#pathStart + truncatedLength(bytes, this.#pathStart, length, limits.pathBytes);
    return bytes.toString('utf8', this.#pathStart, end);
  }

  /** The number of a route that was found elsewhere. */
  numberOfRoute(found: Route): number {
    return this.#number(found);
  }

  /** Calls core/route/route.ts once for each distinct evidence. */
  #byAllEvidence(
    walk: TracesReader,
    routeStart: number,
    routeLength: number,
    method: number,
    status: number,
    sender: number,
  ): number {
    const { bytes, view } = walk.cursor;
    const evidence = this.#evidence;
    if (evidence.size > evidenceWordsMax || evidence.bytes > evidenceBytesMax) {
      this.#forgetEvidence();
    }
    // A 404 without a route belongs to no endpoint (X18), so all such paths share one cache entry.
    const unnamed = routeLength === 0 && !hasSlash(bytes, walk.nameStart, walk.nameLength);
    const pathLength =
      status === 404 && unnamed
        ? 0
        : truncatedLength(
            bytes,
            this.#pathStart,
            this.#pathEnd - this.#pathStart,
            limits.pathBytes,
          );
    const nameLength = truncatedLength(bytes, walk.nameStart, walk.nameLength, limits.routeBytes);
    const route = evidence.intern(bytes, view, routeStart, routeLength);
    const path = evidence.intern(bytes, view, this.#pathStart, pathLength);
    const name = evidence.intern(bytes, view, walk.nameStart, nameLength);
    const outcome = status * 64 + method * 4 + sender;
    // Two numbers below 2^15 make one: the table takes three.
    let number = this.#byEvidence.get(route * 2 ** 15 + name, path, outcome);
    if (number === 0) {
      const found = endpointRoute({
        httpRoute: evidence.text(route),
        spanName: evidence.text(name),
        path: evidence.text(path),
        method: httpMethods[method]!,
        status,
        isFunction: (sender & 1) !== 0,
        isGateway: (sender & 2) !== 0,
      });
      number = this.#number(found);
      this.#byEvidence.set(route * 2 ** 15 + name, path, outcome, number);
    }
    const { mount: foundMount, errorPage, templated, route: foundRoute } = this.#routes[number]!;
    this.foundNoName = templated || (routeLength === 0 && !foundRoute.startsWith('/'));
    this.foundMount = foundMount !== undefined;
    this.foundErrorPage = errorPage === true;
    this.foundNothing = status === 404 && routeLength === 0;
    return number;
  }

  #forgetEvidence(): void {
    this.#evidence.clear();
    this.#byEvidence.clear();
  }

  /** `http.route` texts get ascending numbers, so the next one is always the one to add. */
  #learn(pattern: number): void {
    if (pattern >= this.#canonical.length) {
      this.#canonical = grown(this.#canonical, 2 * this.#canonical.length);
      this.#segments = grown(this.#segments, 2 * this.#segments.length);
    }
    const text = this.#patterns.text(pattern);
    const { canonical, segments } = routePattern(text);
    this.#known = pattern;
    this.#segments[pattern] = segments;
    // When the number of segments varies, only core/route/route.ts can decide whether the path matches.
    this.#canonical[pattern] =
      canonical === ''
        ? 0
        : this.#number(withDisplay({ route: canonical, templated: false }, text));
  }

  #number(found: Route): number {
    const route = truncateUtf8(found.route, limits.routeBytes);
    const { mount = '', display = '', errorPage = false } = found;
    const key = `${route}\0${found.templated ? 1 : 0}\0${mount}\0${display}\0${errorPage}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#routes.push({ ...found, route }) - 1;
      this.#numbers.set(key, number);
      this.#routesWeight += 1 + Math.floor((route.length + display.length) / bytesPerWord);
    }
    return number;
  }

  /** Finds the path of the walk's span: `url.path`, `http.target`, or the path of a URL. */
  #findPath(walk: TracesReader): void {
    const { attributes, cursor } = walk;
    const place = attributes.firstString(pathSlots);
    if (place < 0) {
      this.#pathStart = 0;
      this.#pathEnd = 0;
      return;
    }
    let start = attributes.start(place);
    let valueEnd = attributes.end(place);
    if (place === slot.url || place === slot.oldUrl) {
      const origin = start;
      start = pathOfUrl(cursor.bytes, origin, valueEnd);
      if (start > origin && (start === valueEnd || endsPath(cursor.bytes[start]!))) {
        // `http://host` is a request for `/`: a slash of `//` is used for it.
        start = cursor.bytes.indexOf(slash, origin);
        valueEnd = start + 1;
      }
    }
    let segments = 0;
    let before = slash;
    let end = start;
    for (; end < valueEnd; end += 1) {
      const byte = cursor.bytes[end]!;
      if (endsPath(byte)) break;
      if (before === slash && byte !== slash) segments += 1;
      before = byte;
    }
    this.#pathStart = start;
    this.#pathEnd = end;
    this.#pathSegments = segments;
  }
}

/** Cached evidence: enough for the routes of many services. A full cache is emptied. */
const evidenceWordsMax = 2 ** 15 - 4;
const evidenceBytesMax = 4 * 1024 * 1024;

// A URL's or page's template replaces a missing route: both are opt-in attributes.
const routeSlots = [slot.route, slot.urlTemplate, slot.nextRoute];
const pathSlots = [slot.path, slot.oldTarget, slot.url, slot.oldUrl];

const slash = 0x2f;
const colon = 0x3a;

function hasSlash(bytes: Buffer, start: number, length: number): boolean {
  for (let at = start; at < start + length; at += 1) if (bytes[at] === slash) return true;
  return false;
}

/** `?` and `#`: Laravel and Flask put the query behind the path. */
function endsPath(byte: number): boolean {
  return byte === 0x3f || byte === 0x23;
}

/** Where the path of `scheme://authority/path` starts; its end when there is none. */
function pathOfUrl(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== colon && bytes[at] !== slash && !endsPath(bytes[at]!)) at += 1;
  const hasAuthority =
    at + 2 < end && bytes[at] === colon && bytes[at + 1] === slash && bytes[at + 2] === slash;
  // Without a scheme the whole is a path.
  if (!hasAuthority) return start;
  at += 3;
  while (at < end && bytes[at] !== slash && !endsPath(bytes[at]!)) at += 1;
  return at;
}
