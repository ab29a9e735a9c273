import { canonicalRoute, routeShape } from '../../core/route/route.ts';
import type { DeclaredRoute } from '../../core/store/inventory.ts';

/** An endpoint as it was observed. */
export interface ObservedRoute {
  method: string;
  /** Canonical, or one of `specialRoutes`. */
  route: string;
  /** Made up from paths: a segment that looks like a literal may be a parameter's value. */
  templated: boolean;
}

export interface InventoryMatch {
  /** For each observed endpoint the declarations it is a call of: indexes into the declared routes. More than
   *  one where declarations differ in nothing but the names of parameters; none when it is undocumented. */
  declarations: number[][];
  /** Observed endpoints that fit a declaration only when a literal of theirs is a parameter's value. */
  guessed: Set<number>;
  /** For each declaration: some observed endpoint is a call of it. */
  called: boolean[];
  /** The server's prefix that most matched endpoints came with; the first one declared where none matched. */
  prefix: string;
}

/**
 * Brings observed endpoints and declarations together. They are one when their shapes agree and the method
 * does, with or without one of the servers' prefixes. A declaration without a method takes every method, and
 * one of GET takes HEAD where HEAD is not declared.
 */
export function matchInventory(
  declared: readonly DeclaredRoute[],
  prefixes: readonly string[],
  observed: readonly ObservedRoute[],
): InventoryMatch {
  const table = new DeclarationTable(declared, ['', ...prefixes]);
  const match: InventoryMatch = {
    declarations: [],
    guessed: new Set(),
    called: declared.map(() => false),
    prefix: prefixes[0] ?? '',
  };
  const uses = new Map<string, number>();
  observed.forEach((endpoint, index) => {
    let found = table.find(endpoint);
    if (!found && endpoint.templated) {
      found = table.guess(endpoint);
      if (found) match.guessed.add(index);
    }
    match.declarations.push(found?.declarations ?? []);
    if (!found) return;
    uses.set(found.prefix, (uses.get(found.prefix) ?? 0) + 1);
    for (const at of found.declarations) match.called[at] = true;
  });
  for (const [prefix, count] of uses) {
    if (count > (uses.get(match.prefix) ?? 0)) match.prefix = prefix;
  }
  return match;
}

interface Found {
  declarations: number[];
  prefix: string;
}

class DeclarationTable {
  /** By canonical route, and by shape; then by method. */
  readonly #byRoute = new Map<string, Map<string, Found>>();
  readonly #byShape = new Map<string, Map<string, Found>>();
  readonly #root = new SegmentNode();

  constructor(declared: readonly DeclaredRoute[], prefixes: readonly string[]) {
    declared.forEach(({ method, route }, index) => {
      for (const prefix of prefixes) {
        const canonical = canonicalRoute(`${prefix}${route}`);
        const shape = routeShape(canonical);
        add(this.#byRoute, canonical, method, index, prefix);
        if (!this.#byShape.has(shape)) this.#root.add(shape);
        add(this.#byShape, shape, method, index, prefix);
      }
    });
  }

  find({ method, route }: ObservedRoute): Found | undefined {
    const exact = ofMethod(this.#byRoute.get(route), method);
    return exact ?? ofMethod(this.#byShape.get(routeShape(route)), method);
  }

  /** The declaration whose literals agree with most of the route's segments, from the left. */
  guess({ method, route }: ObservedRoute): Found | undefined {
    if (!route.startsWith('/')) return undefined;
    const segments = routeShape(route).split('/').slice(1);
    const accept = (shape: string) => ofMethod(this.#byShape.get(shape), method);
    return this.#root.find(segments, 0, accept);
  }
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
  else if (!found.declarations.includes(index)) found.declarations.push(index);
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

  /** Visits at most two children a segment, and a declared tree has few with both. */
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
