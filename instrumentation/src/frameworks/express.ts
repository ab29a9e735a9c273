import { limits } from '../limits.ts';
import { declaredMethods, isCatchAll } from './declared-methods.ts';
import {
  joined,
  type Layer,
  mountKey,
  type Place,
  pathAt,
  placesOf,
  type Route,
  spelled,
  stackOf,
  templateAt,
} from './express-tree.ts';
import type { DeclaredRoute, Framework, FrameworkHooks, RawRequest } from './framework.ts';
import { ignoringErrors, whenLoaded, wrapMethod } from './loaded-modules.ts';
import { requestListeners } from './serving.ts';

/**
 * Express 4 and 5, and Nest on Express. Express leaves the matched route object on the request, but the templates of
 * the mounts above it nowhere: `baseUrl` is a filled path, and is reset when an error leaves a router. So the route
 * object is looked up in the app's tree of routers. `use` is wrapped to keep a mount's path and app, which older routers
 * do not keep.
 */
export const express: Framework = {
  name: 'express',
  attach(hooks) {
    const trees = new AppTrees(hooks);
    whenLoaded(/(?:^|[\\/])(?:application|router|router[\\/]index)(?:\.js)?$/, (exports) => {
      if (isApplication(exports)) keepMountedApps(exports);
      const router = routerMethods(exports);
      if (router === undefined) return;
      keepMountPaths(router, () => trees.changed());
      noteUnhandledErrors(router, hooks);
    });
    whenLoaded(/(?:^|[\\/])layer(?:\.js)?$/, (exports) => noteErrors(exports, hooks));
    hooks.listening((server) => {
      for (const listener of requestListeners(server)) {
        if (isApp(listener)) trees.add(rootOf(listener));
      }
    });
    hooks.readRoute((request) => trees.templateOf(request));
  },
};

interface App {
  (...args: unknown[]): unknown;
  handle: unknown;
  set: unknown;
  parent?: App;
}

/** Properties that Express sets on a request. */
interface ExpressRequest {
  route?: Route | undefined;
  app?: unknown;
  res?: { statusCode: number };
  baseUrl?: string;
  url?: string;
  originalUrl?: string;
}

/** Pause between two walks for routes that no tree has: an app may create routes for each request. */
const indexAgainMs = 1_000;
/** Delay before a tree is read: routes are added many at a time, some after `app.listen`. */
const settleMs = 200;

/** The ways to each route of the apps that serve. */
class AppTrees {
  readonly #hooks: FrameworkHooks;
  readonly #places = new WeakMap<Route, readonly Place[]>();
  /** Root apps whose server listens. They are never removed: outside tests they live as long as the process. */
  readonly #apps = new Map<App, { indexedMs: number }>();
  #settling: NodeJS.Timeout | undefined;

  constructor(hooks: FrameworkHooks) {
    this.#hooks = hooks;
  }

  add(app: App): void {
    if (this.#apps.has(app) || this.#apps.size === appsMost) return;
    this.#apps.set(app, { indexedMs: Number.NEGATIVE_INFINITY });
    this.changed();
  }

  /** Reads all trees again after `settleMs`. */
  changed(): void {
    if (this.#settling !== undefined || this.#apps.size === 0) return;
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      ignoringErrors(() => {
        for (const app of this.#apps.keys()) this.#index(app);
      });
    }, settleMs);
    this.#settling.unref();
  }

  templateOf(request: RawRequest): string | undefined {
    const { route, res } = request as ExpressRequest;
    if (route === undefined || !Array.isArray(route.stack)) return undefined;
    const template = this.#standing(route, request);
    const isNotFound = res?.statusCode === 404 && route.methods._all === true;
    return isNotFound && template !== undefined && isCatchAll(template) ? undefined : template;
  }

  #standing(route: Route, request: RawRequest): string | undefined {
    const { app, baseUrl = '', url = '/', originalUrl = url } = request as ExpressRequest;
    const places = this.#places.get(route) ?? this.#lookedFor(route, app);
    const [first] = places ?? [];
    if (places === undefined || first === undefined) {
      // A router that a handler calls itself is in no tree: only the mount's filled path is known.
      const path = pathAt(route, pathname(originalUrl.slice(baseUrl.length)));
      return path === undefined ? undefined : spelled(joined(baseUrl, path));
    }
    const { steps, template } = first;
    // The usual case, without matching: one way, and a URL that no middleware made longer than it came.
    const isAsMounted = baseUrl !== '' && baseUrl.length + url.length <= originalUrl.length + 1;
    if (places.length === 1 && (steps.length === 1 || isAsMounted)) return template;
    const paths = { original: pathname(originalUrl), current: pathname(baseUrl + url) };
    const taken = templateAt(places, paths);
    // Below a mount that restores the URL the route as the tree has it cannot be called.
    const isRestored = places.every(({ template: one }) => one !== taken);
    if (isRestored && taken !== undefined) this.#restore(route, places, taken);
    return taken;
  }

  #restore(route: Route, places: readonly Place[], taken: string): void {
    const methods = declaredMethods(methodsOf(route));
    const routesOf = (template: string) => methods.map((method) => ({ method, route: template }));
    this.#hooks.withdrawn(places.flatMap(({ template }) => routesOf(template)));
    this.#hooks.declared(routesOf(taken));
  }

  #lookedFor(route: Route, app: unknown): readonly Place[] | undefined {
    if (!isApp(app)) return undefined;
    const root = rootOf(app);
    this.add(root);
    const tree = this.#apps.get(root);
    if (tree === undefined || performance.now() - tree.indexedMs < indexAgainMs) return undefined;
    this.#index(root);
    if (!this.#places.has(route)) this.#places.set(route, []);
    return this.#places.get(route);
  }

  #index(app: App): void {
    this.#apps.set(app, { indexedMs: performance.now() });
    const declared: DeclaredRoute[] = [];
    for (const [route, places] of placesOf(app, limits.declaredRoutes)) {
      this.#places.set(route, places);
      const methods = declaredMethods(methodsOf(route));
      for (const { template } of places) {
        for (const method of methods) declared.push({ method, route: template });
      }
    }
    this.#hooks.declared(declared);
  }
}

function methodsOf(route: Route): string[] {
  return Object.keys(route.methods).filter((name) => route.methods[name]);
}

/** Apps of one process whose routes are declared; routes of further apps are read from their requests alone. */
const appsMost = 100;

function rootOf(app: App): App {
  let root = app;
  for (let depth = 0; root.parent !== undefined && depth < 16; depth += 1) root = root.parent;
  return root;
}

function isApp(value: unknown): value is App {
  return (
    typeof value === 'function' &&
    typeof (value as unknown as App).handle === 'function' &&
    typeof (value as unknown as App).set === 'function'
  );
}

function pathname(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function isApplication(exports: unknown): exports is object {
  const methods = exports as Record<string, unknown> | null;
  return (
    typeof methods === 'object' &&
    typeof methods?.defaultConfiguration === 'function' &&
    typeof methods.use === 'function'
  );
}

/** The object with a router module's methods: Express 4's function itself, the prototype of `router` 2. */
function routerMethods(exports: unknown): object | undefined {
  if (typeof exports !== 'function') return undefined;
  if ('process_params' in exports && 'use' in exports) return exports;
  const { prototype, Route } = exports as { prototype?: object; Route?: unknown };
  const isRouter = typeof Route === 'function' && prototype !== undefined && 'handle' in prototype;
  return isRouter && 'use' in prototype ? prototype : undefined;
}

function keepMountPaths(router: object, changed: () => void): void {
  wrapMethod<{ stack?: Layer[] }>(router, 'use', (use) => {
    return function (...args) {
      const before = this.stack?.length ?? 0;
      const result = use.apply(this, args);
      ignoringErrors(() => {
        for (const layer of this.stack?.slice(before) ?? []) {
          Object.assign(layer, { [mountKey]: { path: hasPath(args[0]) ? args[0] : '/' } });
        }
        changed();
      });
      return result;
    };
  });
  wrapMethod(router, 'route', (route) => {
    return function (...args) {
      const result = route.apply(this, args);
      ignoringErrors(changed);
      return result;
    };
  });
}

/** Express wraps a mounted app in a function that does not refer to it: the wrapped `use` keeps the app. */
function keepMountedApps(application: object): void {
  wrapMethod<App>(application, 'use', (use) => {
    return function (...args) {
      const before = stackOf(this)?.length ?? 0;
      const result = use.apply(this, args);
      ignoringErrors(() => {
        const fns = (hasPath(args[0]) ? args.slice(1) : args).flat(Number.POSITIVE_INFINITY);
        const layers = stackOf(this)?.slice(-fns.length) ?? [];
        if ((stackOf(this)?.length ?? 0) - before < fns.length) return;
        for (const [index, layer] of layers.entries()) {
          const mount = (layer as { [mountKey]?: { app?: unknown } })[mountKey];
          if (mount !== undefined && isApp(fns[index])) mount.app = fns[index];
        }
      });
      return result;
    };
  });
}

/** After an error Express calls layers by another method, so without an error none of this code runs. */
function noteErrors(exports: unknown, hooks: FrameworkHooks): void {
  const prototype = (exports as { prototype?: object } | null)?.prototype;
  if (typeof exports !== 'function' || prototype === undefined) return;
  // Express 4, and `router` 2 of Express 5.
  for (const name of ['handle_error', 'handleError']) {
    wrapMethod(prototype, name, (handle) => {
      return function (...args) {
        ignoringErrors(() => hooks.error(args[1] as RawRequest, args[0]));
        return handle.apply(this, args);
      };
    });
  }
}

/** An error that no layer handles leaves the app's router by its callback. */
function noteUnhandledErrors(router: object, hooks: FrameworkHooks): void {
  wrapMethod(router, 'handle', (handle) => {
    return function (...args) {
      const [request, , done] = args as [ExpressRequest, unknown, ((error?: unknown) => void)?];
      if (request.baseUrl !== undefined || typeof done !== 'function')
        return handle.apply(this, args);
      const left = (error?: unknown): void => {
        if (error !== undefined && error !== null) hooks.error(request as RawRequest, error);
        done(error);
      };
      return handle.call(this, args[0], args[1], left);
    };
  });
}

/** True when the first argument of `use` is a path and no function or list of functions, by Express's own rule. */
function hasPath(first: unknown): boolean {
  let value = first;
  while (Array.isArray(value) && value.length > 0) value = value[0];
  return typeof value !== 'function';
}
