import { parseRoute } from '../../core/route/parse.ts';
import { PathMatcher } from '../../core/route/path-matcher.ts';
import { canonicalRoute } from '../../core/route/route.ts';
import { endpointShape } from '../../core/store/endpoint-identity.ts';
import type { DeclaredRoute } from '../../core/store/inventory.ts';

/** An endpoint as it was observed. */
export interface ObservedRoute {
  method: string;
  /** Canonical, or one of `specialRoutes`. */
  route: string;
  /** Made up from paths: a segment that looks like a literal may be a parameter's value. */
  templated: boolean;
}

/** What an observed endpoint is a call of. */
export interface Match {
  /** Indexes into the declared routes: more than one where these differ in names of parameters only. */
  declarations: readonly number[];
  /** The server's prefix that the endpoint came with; '' for none. */
  prefix: string;
  /** It fits only when a literal of the made-up route is taken for a parameter's value. */
  guessed: boolean;
}

/**
 * Finds the declaration of an observed endpoint. They are one when their shapes agree and the method does, with
 * or without one of the servers' prefixes. A declaration without a method takes every method, and one of GET
 * takes HEAD where HEAD is not declared. A declaration that ends in optional segments takes the routes without them,
 * where these are not declared themselves.
 */
export class DeclarationTable {
  readonly #declared: readonly DeclaredRoute[];
  readonly #prefixes: readonly string[];
  /** Of every declaration below every prefix, in this order; made at the first route that nothing else takes. */
  #paths: PathMatcher | undefined;
  /** By canonical route, and by shape; then by method. */
  readonly #byRoute = new Map<string, Map<string, Found>>();
  readonly #byShape = new Map<string, Map<string, Found>>();
  readonly #root = new SegmentNode();

  constructor(declared: readonly DeclaredRoute[], prefixes: readonly string[]) {
    this.#declared = declared;
    this.#prefixes = ['', ...prefixes];
    for (const prefix of this.#prefixes) {
      declared.forEach(({ method, route }, index) => {
        const canonical = canonicalRoute(`${prefix}${route}`);
        const shape = endpointShape(canonical);
        if (!this.#byShape.has(shape)) this.#root.add(shape);
        add(this.#byRoute, canonical, method, index, prefix);
        add(this.#byShape, shape, method, index, prefix);
      });
    }
    for (const prefix of this.#prefixes) {
      declared.forEach(({ method, route }, index) => {
        for (const shorter of withoutOptional(`${prefix}${route}`)) {
          const shape = endpointShape(shorter);
          if (this.#byShape.get(shape)?.has(method)) continue;
          add(this.#byShape, shape, method, index, prefix);
        }
      });
    }
  }

  match(observed: ObservedRoute): Match | undefined {
    const { method, route, templated } = observed;
    const exact = ofMethod(this.#byRoute.get(route), method);
    const found = exact ?? ofMethod(this.#byShape.get(endpointShape(route)), method);
    if (found) return { ...found, guessed: false };
    const guess = templated ? (this.#guess(observed) ?? this.#byPath(observed)) : undefined;
    return guess && { ...guess, guessed: true };
  }

  /** The declaration that takes the made-up route as a path: one with a wildcard takes several of its segments. */
  #byPath({ method, route }: ObservedRoute): Found | undefined {
    this.#paths ??= new PathMatcher(
      this.#prefixes.flatMap((prefix) =>
        this.#declared.map((one) => ({ method: one.method, route: `${prefix}${one.route}` })),
      ),
    );
    const place = this.#paths.match(method, route);
    if (place === -1) return undefined;
    const prefix = this.#prefixes[Math.floor(place / this.#declared.length)]!;
    return { declarations: [place % this.#declared.length], prefix };
  }

  /** The declaration whose literals agree with most of the route's segments, from the left. */
  #guess({ method, route }: ObservedRoute): Found | undefined {
    if (!route.startsWith('/')) return undefined;
    const segments = endpointShape(route).split('/').slice(1);
    const accept = (shape: string) => ofMethod(this.#byShape.get(shape), method);
    return this.#root.find(segments, 0, accept);
  }
}

/** Canonical routes of a declaration without its last optional segments: `/posts` of `/posts/:id?`. */
function withoutOptional(route: string): string[] {
  if (!/[?(){}[\]]/.test(route)) return [];
  const shorter: string[] = [];
  for (const segments of parseRoute(route)) {
    let length = segments.length;
    while (length > 1 && segments[length - 1]!.optional && segments[length - 1]!.kind === 'param') {
      length -= 1;
      shorter.push(
        `/${segments
          .slice(0, length)
          .map(({ text }) => text)
          .join('/')}`,
      );
    }
  }
  return shorter;
}

interface Found {
  declarations: number[];
  prefix: string;
}

function add(
  table: Map<string, Map<string, Found>>,
  key: string,
  method: string,
  index: number,
  prefix: string,
): void {
  const byMethod = table.get(key) ?? new Map<string, Found>();
  table.set(key, byMethod);
  const found = byMethod.get(method);
  if (!found) byMethod.set(method, { declarations: [index], prefix });
  else if (found.prefix === prefix) found.declarations.push(index);
}

function ofMethod(byMethod: Map<string, Found> | undefined, method: string): Found | undefined {
  if (!byMethod) return undefined;
  const own = byMethod.get(method) ?? (method === 'HEAD' ? byMethod.get('GET') : undefined);
  return own ?? byMethod.get('');
}

/** A tree of declared shapes by segments, in which a literal is tried before a parameter. */
class SegmentNode {
  readonly #literals = new Map<string, SegmentNode>();
  #parameter: SegmentNode | undefined;
  /** The shape that ends here. */
  #shape: string | undefined;

  add(shape: string): void {
    let node: SegmentNode = this;
    for (const segment of shape.split('/').slice(1)) node = node.#child(segment);
    node.#shape = shape;
  }

  /** Visits each node of the tree once at the most. */
  find<T>(
    segments: readonly string[],
    at: number,
    accept: (shape: string) => T | undefined,
  ): T | undefined {
    if (at === segments.length) return this.#shape === undefined ? undefined : accept(this.#shape);
    const literal = this.#literals.get(segments[at]!)?.find(segments, at + 1, accept);
    return literal ?? this.#parameter?.find(segments, at + 1, accept);
  }

  #child(segment: string): SegmentNode {
    if (segment === '{}') {
      this.#parameter ??= new SegmentNode();
      return this.#parameter;
    }
    const child = this.#literals.get(segment) ?? new SegmentNode();
    this.#literals.set(segment, child);
    return child;
  }
}

/** Prefixes are looked for below so many segments: a gateway and an application may each mount the next one. */
const prefixSegments = 4;
/** Declarations that a prefix must reveal: one may fit by chance. */
const revealedLeast = 2;

/**
 * The path below which a service answers though its inventory does not say so: a gateway or a mount adds it to every
 * route. It is believed when more declared routes are called below it than without it.
 * @param table of the inventory, with the prefixes that it tells
 */
export function undeclaredPrefix(
  table: DeclarationTable,
  observed: readonly ObservedRoute[],
): string | undefined {
  const known = new Set<number>();
  const revealed = new Map<string, Set<number>>();
  for (const { method, route, templated } of observed) {
    if (!route.startsWith('/')) continue;
    const match = table.match({ method, route, templated: false });
    if (match) {
      for (const at of match.declarations) known.add(at);
      continue;
    }
    const segments = route.split('/');
    for (let n = 2; n < segments.length && n <= prefixSegments + 1; n++) {
      if (segments[n - 1]!.includes('{')) break;
      const below = table.match({ method, route: `/${segments.slice(n).join('/')}`, templated });
      if (below === undefined || below.guessed || below.prefix !== '') continue;
      const prefix = segments.slice(0, n).join('/');
      const own = revealed.get(prefix) ?? new Set<number>();
      revealed.set(prefix, own);
      for (const at of below.declarations) own.add(at);
    }
  }
  let best: string | undefined;
  let most = Math.max(revealedLeast - 1, known.size);
  for (const [prefix, { size }] of revealed) {
    if (size <= most) continue;
    best = prefix;
    most = size;
  }
  return best;
}
