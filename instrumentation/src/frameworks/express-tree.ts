/** A path of a route or a mount. */
export type Path = string | RegExp;

/** Properties of Express 4's and 5's objects that are read here. */
export interface Route {
  path: Path | readonly unknown[];
  methods: Record<string, boolean | undefined>;
  stack: unknown[];
}

export interface Layer {
  route?: Route | undefined;
  handle?: unknown;
  /** The mount's path, which router keeps from 2.3 on. */
  rawPath?: unknown;
  slash?: boolean;
  regexp?: { fast_slash?: boolean };
  path?: string | undefined;
  match(path: string): unknown;
  constructor: unknown;
}

/** Property that the wrapped `use` sets on new layers: the mount's path, and the app if an app was mounted. */
export const mountKey = Symbol('rollcall.mount');
export interface Mount {
  path: unknown;
  app?: unknown;
}

/** One way to a route: its template, and the layers on the way, whose paths a request must match. */
export interface Place {
  readonly template: string;
  readonly steps: readonly Step[];
}

interface Step {
  readonly layer: Layer;
  readonly path: Path;
  readonly isEnd: boolean;
  /** A layer of Express for this path alone, created on first use, because it compiles an expression. */
  probe?: Layer;
}

interface Prefix {
  path: Path;
  steps: readonly Step[];
}

/** Levels of nested routers that are read. A router may be mounted in itself. */
const depthMost = 16;
/** Ways to one router that are kept: lists of paths multiply. */
const waysMost = 64;

/** All routes of an app or router with the ways to each. @param placesMost number of ways at which the walk ends */
export function placesOf(root: unknown, placesMost: number): Map<Route, Place[]> {
  const places = new Map<Route, Place[]>();
  let left = placesMost;
  const visit = (stack: readonly Layer[], above: readonly Prefix[], depth: number): void => {
    for (const layer of stack) {
      if (left <= 0) return;
      const { route } = layer;
      if (route !== undefined) {
        const found = places.get(route) ?? [];
        const ways = extended(above, layer, pathsOf(route.path), true);
        for (const { path, steps } of ways) found.push({ template: spelled(path), steps });
        left -= ways.length;
        places.set(route, found);
        continue;
      }
      const inner = stackOf(innerOf(layer));
      const paths = mountPaths(layer);
      if (inner === undefined || paths === undefined || depth >= depthMost) continue;
      visit(inner, extended(above, layer, paths, false), depth + 1);
    }
  };
  visit(stackOf(root) ?? [], [{ path: '', steps: [] }], 0);
  return places;
}

/** The layers of an app or a router. */
export function stackOf(router: unknown): Layer[] | undefined {
  if (typeof router !== 'function') return undefined;
  const { stack, _router, lazyrouter } = router as unknown as {
    stack?: unknown;
    _router?: { stack?: Layer[] };
    lazyrouter?: unknown;
  };
  if (Array.isArray(stack)) return stack as Layer[];
  // Express 4 has its router in `_router`; its `router` property throws.
  if (lazyrouter !== undefined) return _router?.stack;
  return (router as unknown as { router?: { stack?: Layer[] } }).router?.stack;
}

/** Paths of a request. */
export interface RequestPaths {
  /** As the client sent it. */
  readonly original: string;
  /** As Express has it when the call ends: the mounts' part and the rest, rewritten by middleware perhaps. */
  readonly current: string;
}

/**
 * The template of the way that a request took to a route, judged by Express's own matchers.
 * - Middleware below a mount may restore the whole URL; what matches then repeats the mount, and the route stands
 *   without it.
 * - Middleware may rewrite the URL; the route fits the path it was rewritten to.
 * @returns that of the first place if none fits
 */
export function templateAt(places: readonly Place[], paths: RequestPaths): string | undefined {
  const { original, current } = paths;
  const whole = places.find(({ steps }) => isWay(steps, original));
  if (whole !== undefined) return whole.template;
  for (const { steps } of places) {
    for (let count = 1; count < steps.length; count += 1) {
      const mounts = steps.slice(0, count);
      const rest = steps.slice(count);
      if (isWay(mounts, original) && isWay(rest, original)) return templateOf(rest);
    }
  }
  return (places.find(({ steps }) => isWay(steps, current)) ?? places[0])?.template;
}

/** Without a tree: the path of the route that the request matches, else its first path. */
export function pathAt({ path, stack }: Route, rest: string): Path | undefined {
  const paths = pathsOf(path);
  const [layer] = stack as Layer[];
  if (paths.length < 2 || layer === undefined) return paths[0];
  return paths.find((one) => isWay([{ layer, path: one, isEnd: true }], rest)) ?? paths[0];
}

function templateOf(steps: readonly Step[]): string {
  return spelled(steps.reduce<Path>((above, { path }) => joined(above, path), ''));
}

function isWay(steps: readonly Step[], path: string): boolean {
  let rest = path;
  for (const step of steps) {
    step.probe ??= probeOf(step);
    const { probe } = step;
    const match = probe.match(rest) as { path?: string } | boolean;
    if (match === false) return false;
    const taken = (typeof match === 'object' ? match.path : probe.path) ?? '';
    rest = rest.slice(taken.length);
    if (rest[0] !== '/') rest = `/${rest}`;
  }
  return true;
}

function probeOf({ layer, path, isEnd }: Step): Layer {
  const Probe = layer.constructor as new (path: Path, options: object, handle: () => void) => Layer;
  return new Probe(path, { end: isEnd, strict: false, sensitive: false }, () => {});
}

function innerOf(layer: Layer): unknown {
  const mount = (layer as { [mountKey]?: Mount })[mountKey];
  return mount?.app ?? layer.handle;
}

function mountPaths(layer: Layer): Path[] | undefined {
  const mount = (layer as { [mountKey]?: Mount })[mountKey];
  const path = mount?.path ?? layer.rawPath;
  if (path !== undefined) return pathsOf(path);
  if (layer.slash === true || layer.regexp?.fast_slash === true) return ['/'];
  return undefined;
}

function pathsOf(path: unknown): Path[] {
  const paths: unknown[] = Array.isArray(path) ? path.flat(Number.POSITIVE_INFINITY) : [path];
  return paths.filter((one): one is Path => typeof one === 'string' || one instanceof RegExp);
}

function extended(above: readonly Prefix[], layer: Layer, paths: Path[], isEnd: boolean): Prefix[] {
  const ways: Prefix[] = [];
  for (const prefix of above) {
    for (const path of paths) {
      if (ways.length === waysMost) return ways;
      const steps = [...prefix.steps, { layer, path, isEnd }];
      ways.push({ path: joined(prefix.path, path), steps });
    }
  }
  return ways;
}

/** Joins a mount's path and a path below it: two texts with one slash between, or one regular expression. */
export function joined(above: Path, path: Path): Path {
  if (above === '' || above === '/') return path;
  if (typeof above === 'string' && typeof path === 'string') {
    if (path === '' || path === '/') return above;
    return `${above.replace(/\/+$/, '')}${path[0] === '/' ? '' : '/'}${path}`;
  }
  const head = sourceOf(above)
    .replace(/\$$/, '')
    .replace(/(?:\\\/)+\??$/, '');
  const tail = sourceOf(path);
  const isAnchored = tail[0] === '^';
  const flags = path instanceof RegExp ? path.flags : (above as RegExp).flags;
  const source = `${head}${isAnchored ? tail.slice(1) : tail}`;
  return new RegExp(source[0] === '^' ? source : `^${source}`, flags);
}

/** A path as the source of a regular expression: `/orgs/:org` becomes `^\/orgs\/(?<org>[^\/]+)`. */
function sourceOf(path: Path): string {
  if (path instanceof RegExp) return path.source;
  const parts = path.split(/:([A-Za-z_$][\w$]*)/);
  const source = parts
    .map((part, index) =>
      index % 2 === 0 ? part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : `(?<${part}>[^\\/]+)`,
    )
    .join('');
  return `^${source}`;
}

/** The template of a path, with a leading slash also for `*` and an empty path. */
export function spelled(path: Path): string {
  if (path instanceof RegExp) return String(path);
  return path[0] === '/' ? path : `/${path}`;
}
