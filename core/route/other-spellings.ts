import { isConventional } from './conventional.ts';
import { coverage } from './match.ts';
import type { RouteSegment } from './segments.ts';

/**
 * Spellings that are read differently once the path is known (docs/extraction.md X24). A route that takes the whole path
 * as it stands never comes here.
 * @returns the segments that take the whole path; none when the text is no route of its own, undefined when no
 *   spelling is known
 */
export function spelledFor(
  route: readonly RouteSegment[],
  path: readonly string[],
): RouteSegment[] | undefined {
  if (lostItsSlashes(route, path)) return [];
  for (const other of otherSpellings(route)) {
    if (coverage(other, path).kind === 'whole') return other;
  }
  return undefined;
}

function* otherSpellings(route: readonly RouteSegment[]): Generator<RouteSegment[]> {
  const [first] = route;
  // Go's patterns may begin with a host: `example.com/users/{id}`.
  if (first?.kind === 'literal' && /^[\w-]+(\.[\w-]+)+(:\d+)?$/.test(first.text)) {
    yield route.slice(1);
  }
  // chi joins the patterns of mounts: `/api/*/users/{id}` takes /api/users/7.
  if (route.some(isAnonymous)) yield route.filter((segment) => !isAnonymous(segment));
  if (route.some(isDollarName)) yield route.map(withoutDollar);
  // `/books{/id}` is an optional literal in Express 5, and a parameter in Micronaut (RFC 6570).
  if (route.some(isOptionalText)) yield route.map(asParameter);
  // ASP.NET's `{controller}/{action}/{id}` does not show that the id is optional.
  if (isConventional(route) && route.length > 1) yield route.slice(0, -1);
}

/** A bare `*` before the end of a route. */
const isAnonymous = ({ kind, anonymous, text }: RouteSegment): boolean =>
  kind === 'param' && anonymous && text === '{param}';

const isOptionalText = ({ kind, optional, text }: RouteSegment): boolean =>
  kind === 'literal' && optional && /^\w+$/.test(text);

function asParameter(segment: RouteSegment): RouteSegment {
  if (!isOptionalText(segment)) return segment;
  return { ...segment, kind: 'param', text: `{${segment.text}}`, texts: [] };
}

/** `$userId` and a last `$` of TanStack and Remix; as literals they are names of OData and FHIR: `$metadata`. */
export function isDollarName({ kind, text }: RouteSegment): boolean {
  return kind === 'literal' && /^(\$\w+|%24)$/.test(text);
}

function withoutDollar(segment: RouteSegment): RouteSegment {
  if (!isDollarName(segment)) return segment;
  const name = segment.text === '%24' ? '' : segment.text.slice(1);
  return {
    text: name === '' ? '{path}' : `{${name}}`,
    kind: name === '' ? 'rest' : 'param',
    optional: false,
    anonymous: name === '',
    texts: [],
  };
}

/** Akka's instrumentation wrote `/fooapiv2bar*` for /foo/api/v2/bar/7. */
function lostItsSlashes(route: readonly RouteSegment[], path: readonly string[]): boolean {
  const [only, ...others] = route;
  if (only === undefined || others.some((segment) => segment.text !== '')) return false;
  if (path.length < 2) return false;
  const text = only.text.replace(/\{\w*\}$/, '').toLowerCase();
  if (text.length < 4 || text.includes('{') || path[0]!.toLowerCase() === text) return false;
  return path.join('').toLowerCase().startsWith(text);
}
