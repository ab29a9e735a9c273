import { parseRoute } from './parse.ts';
import { pathSegments } from './path.ts';
import type { RouteSegment } from './segments.ts';

/** The part of a path that a route matches: all, its first `segments`, its last after `before`, or none. */
export type Coverage =
  | { kind: 'whole' }
  | { kind: 'prefix'; segments: number }
  | { kind: 'suffix'; before: number }
  | { kind: 'none' };

/** Segments that a lost prefix may have (docs/extraction.md X15). Real mounts are not deeper. */
const lostSegmentsMax = 8;

/**
 * Compares a route with a path's segments (core/route/path.ts), ignoring letter case, as Express and ASP.NET do.
 * When the route matches both a prefix and a suffix of the path, a literal first segment decides for the prefix. Time: segments of the route × segments of the path, at most nine times; both are bounded by
 * `limits.routeSegments`.
 */
export function coverage(route: readonly RouteSegment[], path: readonly string[]): Coverage {
  const lower = path.map((segment) => segment.toLowerCase());
  const covered = longestPrefix(route, lower, 0);
  if (covered === path.length) return { kind: 'whole' };
  const isPrefix = covered >= 0;
  if (isPrefix && (route.length === 0 || route[0]!.kind === 'literal'))
    return { kind: 'prefix', segments: covered };
  const before = lostSegments(route, lower);
  if (before > 0) return { kind: 'suffix', before };
  return isPrefix ? { kind: 'prefix', segments: covered } : { kind: 'none' };
}

/** The number of segments before a suffix that the route matches; 0 without such a suffix. */
function lostSegments(route: readonly RouteSegment[], path: readonly string[]): number {
  const varies = route.some((segment) => segment.optional || segment.kind === 'rest');
  const first = varies ? 1 : path.length - route.length;
  const last = Math.min(lostSegmentsMax, varies ? path.length - 1 : first);
  for (let before = first; before <= last; before += 1) {
    if (before > 0 && longestPrefix(route, path, before) === path.length) return before;
  }
  return 0;
}

/** Whether a route in any framework's spelling matches the whole path. */
export function routeTakesPath(route: string, path: string): boolean {
  const segments = pathSegments(path);
  return parseRoute(route).some((read) => coverage(read, segments).kind === 'whole');
}

/** The largest end such that the route matches exactly the segments from `start` to it; -1 for none. */
function longestPrefix(
  route: readonly RouteSegment[],
  path: readonly string[],
  start: number,
): number {
  const states = route.length + 1;
  let active = new Uint8Array(states);
  let next = new Uint8Array(states);
  active[0] = 1;
  let longest = -1;
  for (let at = start; ; at += 1) {
    let alive = false;
    for (let state = 0; state < route.length; state += 1) {
      const segment = route[state]!;
      if (active[state] === 1 && (segment.optional || segment.kind === 'rest'))
        active[state + 1] = 1;
    }
    if (active[route.length] === 1) longest = at;
    if (at === path.length) return longest;
    next.fill(0);
    for (let state = 0; state < route.length; state += 1) {
      if (active[state] === 0 || !takes(route[state]!, path[at]!)) continue;
      alive = true;
      next[route[state]!.kind === 'rest' ? state : state + 1] = 1;
    }
    if (!alive) return longest;
    [active, next] = [next, active];
  }
}

function takes(segment: RouteSegment, value: string): boolean {
  if (segment.kind === 'literal') return segment.texts[0] === value;
  if (segment.kind !== 'mixed') return true;
  const { texts } = segment;
  const last = texts.at(-1)!;
  if (!value.startsWith(texts[0]!) || !value.endsWith(last)) return false;
  let at = texts[0]!.length;
  for (let index = 1; index < texts.length - 1; index += 1) {
    const found = value.indexOf(texts[index]!, at);
    if (found === -1) return false;
    at = found + texts[index]!.length;
  }
  return at <= value.length - last.length;
}
