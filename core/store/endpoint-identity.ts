import { specialRoutes } from '../limits.ts';
import { coverage } from '../route/match.ts';
import { parseRoute } from '../route/parse.ts';
import { pathSegments } from '../route/path.ts';
import type { RouteSegment } from '../route/segments.ts';

/**
 * Which spellings of a route are one endpoint (docs/decisions/0010-endpoint-identity.md). An engine counts
 * calls by spelling and adds the spellings of an endpoint up when it answers. A decision can therefore change
 * at any time, also for the past, and no count is lost.
 */

/** One spelling of a route that a service used with one method. */
export interface Spelling {
  /** The engine's number; a later spelling has a greater one. */
  row: number;
  /** Canonical (core/route/route.ts), or a special one. */
  route: string;
  /** The service's own text; '' where it is `route`. */
  display: string;
  /** The route was made up from the path. */
  templated: boolean;
}

/**
 * The shape of a canonical route: `/users/{id}` and `/Users/{user_id}` are `/users/{}`. Only spellings of one
 * service, method and shape can be one endpoint. Letter case is left out, since Express and ASP.NET ignore it.
 */
export function endpointShape(route: string): string {
  if (!route.startsWith('/')) return route;
  const shape = route.toLowerCase().replace(/\{[^{}]*\}/g, '{}');
  // The order of an Express array says nothing.
  return shape.includes(',/')
    ? shape
        .split(/,(?=\/)/)
        .sort()
        .join(',')
    : shape;
}

/** Calls of a bucket belong to no endpoint: it has no lifecycle and counts as no endpoint. */
export function isBucket(route: string): boolean {
  return buckets.has(route);
}

const buckets: ReadonlySet<string> = new Set(Object.values(specialRoutes));

/** The key of a pair in a set of pairs, whichever of the two comes first. */
export function pairKey(a: number, b: number): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/**
 * Parts the spellings of one shape into endpoints.
 * @param spellings of one service, method and shape
 * @param sideBySide pairs (`pairKey`) that one version of the service uses side by side
 * @returns by spelling's row: the row of its endpoint's first spelling
 */
export function endpointsOf(
  spellings: readonly Spelling[],
  sideBySide: ReadonlySet<string>,
): Map<number, number> {
  const inOrder = spellings.toSorted((a, b) => a.row - b.row);
  const endpoints: Spelling[][] = [];
  for (const spelling of inOrder) {
    if (spelling.templated) continue;
    const apart = (other: Spelling): boolean => sideBySide.has(pairKey(spelling.row, other.row));
    const own = closest(
      spelling,
      endpoints.filter((endpoint) => !endpoint.some(apart)),
    );
    if (own) own.push(spelling);
    else endpoints.push([spelling]);
  }
  // A made-up route contradicts nothing: it joins an endpoint whose route the service told.
  for (const spelling of inOrder) {
    if (!spelling.templated) continue;
    const own = closest(spelling, endpoints);
    if (own) own.push(spelling);
    else endpoints.push([spelling]);
  }
  const firstRows = new Map<number, number>();
  for (const endpoint of endpoints) {
    const first = Math.min(...endpoint.map(({ row }) => row));
    for (const { row } of endpoint) firstRows.set(row, first);
  }
  return firstRows;
}

/** A spelling of another endpoint of the same shape, whose calls may be those of an endpoint that fell silent. */
export interface Rival<S extends Spelling = Spelling> {
  spelling: S;
  /** Spellings of the endpoint that the rival was found side by side with: how sure that is, times tell (`areSurelyTwo`). */
  besides: S[];
}

/**
 * Spellings that may continue an endpoint though they are counted for another one. Two spellings that were found side
 * by side may be two releases of one handler, where processes cannot be told apart. A new spelling beside two handlers
 * was given to the one that it resembles more, or to the older one where it resembles both alike. A made-up route may
 * stand for any handler of its shape.
 * @param own spellings of the endpoint @param others the spellings of each other endpoint of its shape
 */
export function rivalsOf<S extends Spelling>(
  own: readonly S[],
  others: readonly (readonly S[])[],
  sideBySide: ReadonlySet<string>,
): Rival<S>[] {
  const rivals: Rival<S>[] = [];
  for (const other of others) {
    for (const spelling of other) {
      const besides = own.filter(({ row }) => sideBySide.has(pairKey(row, spelling.row)));
      if (besides.length === 0 && !spelling.templated) {
        const rest = other.filter((one) => one !== spelling);
        if (rest.length > 0 && likenessTo(spelling, own) < likenessTo(spelling, rest)) continue;
      }
      rivals.push({ spelling, besides });
    }
  }
  return rivals;
}

/** When a spelling was used. */
export interface SpellingLife {
  firstMs: number;
  lastMs: number;
  /** Known versions of the service that took its calls. */
  versions: readonly string[];
}

/** No release of a service replaces another for longer, canaries included. */
const changeoverMs = 14 * 86_400_000;
/** Spellings that began within so short a time came with one release, or were there when observation began. */
const togetherMs = 7 * 86_400_000;

/**
 * Whether two spellings that were found side by side are surely two handlers, and not two releases of one while one
 * replaced the other: they began together, were both in use for longer than any deployment takes, or one version of
 * several took calls of both. A version that never changes says nothing.
 */
export function areSurelyTwo(a: SpellingLife, b: SpellingLife): boolean {
  if (Math.abs(a.firstMs - b.firstMs) <= togetherMs) return true;
  const bothMs = Math.min(a.lastMs, b.lastMs) - Math.max(a.firstMs, b.firstMs);
  if (bothMs >= changeoverMs) return true;
  const isShared = a.versions.some((version) => b.versions.includes(version));
  return isShared && new Set([...a.versions, ...b.versions]).size > 1;
}

/**
 * The told route whose calls a made-up one most probably stood for: a guess from `/shops/berlin` is literal, and
 * the service then tells `/shops/{city}`. It takes the guess segment by segment, begins with the same literal, and
 * has no wildcard, since a fallback takes every path.
 * @param told of the guess's service and method
 * @returns of several the one with most literals, then the oldest
 */
export function adopterOf(guess: string, told: readonly Spelling[]): Spelling | undefined {
  const path = pathSegments(guess);
  if (path.length < 2 || path.includes('{path}')) return undefined;
  let best: Spelling | undefined;
  let bestLiterals = 0;
  for (const spelling of told) {
    for (const route of parseRoute(spelling.display || spelling.route)) {
      const literals = route.filter(({ kind }) => kind !== 'param').length;
      if (!isPlain(route) || route.length !== path.length) continue;
      if (coverage(route, path).kind !== 'whole' || literals <= bestLiterals) continue;
      best = spelling;
      bestLiterals = literals;
    }
  }
  return best;
}

function isPlain(route: readonly RouteSegment[]): boolean {
  const isOpen = route.some(({ kind, optional }) => kind === 'rest' || optional);
  return !isOpen && route[0]?.kind === 'literal';
}

/** The endpoint that the spelling most probably continues; of several alike, the oldest. */
function closest(spelling: Spelling, endpoints: readonly Spelling[][]): Spelling[] | undefined {
  let best: Spelling[] | undefined;
  let bestLikeness = -1;
  for (const endpoint of endpoints) {
    const likeness = likenessTo(spelling, endpoint);
    if (likeness > bestLikeness) {
      best = endpoint;
      bestLikeness = likeness;
    }
  }
  return best;
}

function likenessTo(spelling: Spelling, endpoint: readonly Spelling[]): number {
  return Math.max(...endpoint.map((other) => likenessOf(spelling, other)));
}

/** 0 to 3: the names agree (`userId` and `user_id`), the constraints agree (`<int:pk>` and `{id:int}`). */
function likenessOf(a: Spelling, b: Spelling): number {
  const sameNames = namesOf(a) === namesOf(b);
  const constraints = constraintsOf(a);
  const sameConstraints = constraints !== '' && constraints === constraintsOf(b);
  return (sameNames ? 2 : 0) + (sameConstraints ? 1 : 0);
}

function namesOf({ route }: Spelling): string {
  const names = route.match(/\{[^{}]*\}/g) ?? [];
  return names.join('').toLowerCase().replace(/[_-]/g, '');
}

/** Converters and regular expressions that many frameworks share, in their order. */
function constraintsOf({ route, display }: Spelling): string {
  const found: string[] = [];
  for (const match of (display || route).matchAll(constraint)) {
    const word = (match[1] ?? match[2] ?? match[0]).toLowerCase();
    found.push(kinds.get(word) ?? word);
  }
  return found.join(' ');
}

/** `<int:pk>`, `{id:int}`, `:id(\\d+)`, `[0-9]+`, `*splat`, `{rest...}`. */
const constraint = /<(\w+):|[{<]\w+:(\w+)|\\d|\[0-9\]|\*|\.\.\./g;

const kinds = new Map([
  ['\\d', 'int'],
  ['[0-9]', 'int'],
  ['integer', 'int'],
  ['*', 'path'],
  ['...', 'path'],
  ['guid', 'uuid'],
]);
