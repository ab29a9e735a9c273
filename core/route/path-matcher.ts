import { limits } from '../limits.ts';
import { parseRoute } from './parse.ts';
import { pathSegments } from './path.ts';
import type { RouteSegment } from './segments.ts';

/**
 * Finds which of many routes takes a path, as routers do: a literal comes before a parameter, a parameter before a
 * wildcard, from the left. Routes are compiled to a tree of segments; letter case is ignored, as Express and ASP.NET
 * do. A path costs one look-up a segment (docs/inventory.md has the figure).
 */
export class PathMatcher {
  readonly #root = new SegmentNode();
  #routes = 0;

  /** @param routes as of `add` */
  constructor(routes: Iterable<{ method: string; route: string }> = []) {
    for (const { method, route } of routes) this.add(method, route);
  }

  /** Adds one more route: 10 to 20 µs. @param method upper case, '' for every one @param route in any framework's spelling */
  add(method: string, route: string): void {
    const index = this.#routes;
    for (const segments of parseRoute(route)) this.#add(segments, 0, this.#root, method, index);
    this.#routes += 1;
  }

  /**
   * HEAD is a GET where HEAD is not declared.
   * @returns the place of the route among `routes`; -1 when none takes the path with this method
   */
  match(method: string, path: string): number {
    const segments = segmentsOf(path);
    const search = { segments, method, steps: 0 };
    return find(this.#root, 0, search);
  }

  /** An optional segment is in one branch of the tree and left out in another. */
  #add(
    segments: readonly RouteSegment[],
    at: number,
    node: SegmentNode,
    method: string,
    index: number,
  ): void {
    const segment = segments[at];
    if (segment === undefined) {
      if (!node.ends.has(method)) node.ends.set(method, index);
      return;
    }
    if (segment.optional && at < optionalMost) this.#add(segments, at + 1, node, method, index);
    if (segment.kind === 'rest') {
      // Text behind a wildcard is not compared: routers that have such routes take the first wildcard.
      if (!node.rests.has(method)) node.rests.set(method, index);
      return;
    }
    this.#add(segments, at + 1, node.child(segment), method, index);
  }
}

/** Each optional segment doubles the branches of a route; real ones have one or two. */
const optionalMost = 6;
/** Nodes that one look-up visits: routes that differ behind equal parameters make it go back. */
const stepsMost = 2_000;

interface Search {
  segments: readonly string[];
  method: string;
  steps: number;
}

class SegmentNode {
  readonly literals = new Map<string, SegmentNode>();
  mixed: { segment: RouteSegment; node: SegmentNode }[] | undefined;
  parameter: SegmentNode | undefined;
  /** Places of routes that end here, and of those whose wildcard begins here, by method. */
  readonly ends = new Map<string, number>();
  readonly rests = new Map<string, number>();

  child(segment: RouteSegment): SegmentNode {
    if (segment.kind === 'param') {
      this.parameter ??= new SegmentNode();
      return this.parameter;
    }
    if (segment.kind === 'mixed') {
      this.mixed ??= [];
      const known = this.mixed.find(({ segment: { texts } }) => sameTexts(texts, segment.texts));
      if (known) return known.node;
      const node = new SegmentNode();
      this.mixed.push({ segment, node });
      return node;
    }
    const text = segment.texts[0]!;
    const known = this.literals.get(text);
    if (known) return known;
    const node = new SegmentNode();
    this.literals.set(text, node);
    return node;
  }
}

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.join('\0') === b.join('\0');

function find(node: SegmentNode, at: number, search: Search): number {
  search.steps += 1;
  if (search.steps > stepsMost) return -1;
  const segment = search.segments[at];
  if (segment === undefined) {
    const end = ofMethod(node.ends, search.method);
    return end === -1 ? ofMethod(node.rests, search.method) : end;
  }
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = find(literal, at + 1, search);
    if (found !== -1) return found;
  }
  if (node.mixed !== undefined) {
    for (const {
      segment: { texts },
      node: next,
    } of node.mixed) {
      if (!holds(texts, segment)) continue;
      const found = find(next, at + 1, search);
      if (found !== -1) return found;
    }
  }
  if (node.parameter !== undefined) {
    const found = find(node.parameter, at + 1, search);
    if (found !== -1) return found;
  }
  return ofMethod(node.rests, search.method);
}

function ofMethod(places: ReadonlyMap<string, number>, method: string): number {
  if (places.size === 0) return -1;
  const own = places.get(method) ?? (method === 'HEAD' ? places.get('GET') : undefined);
  return own ?? places.get('') ?? -1;
}

/** Whether a segment has the texts of a mixed segment in their order. */
function holds(texts: readonly string[], segment: string): boolean {
  const last = texts.at(-1)!;
  if (!segment.startsWith(texts[0]!) || !segment.endsWith(last)) return false;
  let at = texts[0]!.length;
  for (let index = 1; index < texts.length - 1; index += 1) {
    const found = segment.indexOf(texts[index]!, at);
    if (found === -1) return false;
    at = found + texts[index]!.length;
  }
  return at <= segment.length - last.length;
}

/** Lower-case segments. Most paths need no decoding: they are cut at their slashes alone. */
function segmentsOf(path: string): string[] {
  if (!/^\/[\w.~/-]*$/.test(path) || path.length > limits.pathBytes) {
    return pathSegments(path).map((segment) => segment.toLowerCase());
  }
  const lower = path.toLowerCase();
  const segments: string[] = [];
  let start = 1;
  for (let end = lower.indexOf('/', 1); start < lower.length; end = lower.indexOf('/', start)) {
    const segmentEnd = end === -1 ? lower.length : end;
    if (segmentEnd > start) segments.push(lower.slice(start, segmentEnd));
    start = segmentEnd + 1;
  }
  return segments;
}
