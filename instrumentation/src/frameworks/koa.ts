import { declaredMethods } from './declared-methods.ts';
import type { DeclaredRoute, Framework, RawRequest } from './framework.ts';
import { ignoringErrors, whenLoaded, wrapMethod } from './loaded-modules.ts';
import { afterTurn, requestListeners } from './serving.ts';

/**
 * Koa 2 and 3 with @koa/router or koa-router. Koa sets nothing on Node's request, so `createContext` is wrapped to set
 * the context there. The router sets on the context which layers matched and which one was entered last. koa-mount
 * shortens the path before the router matches: the mount is the part of the original path before it.
 */
export const koa: Framework = {
  name: 'koa',
  attach(hooks) {
    const appOf = new WeakMap<object, Application>();
    const routers = new KnownRouters(hooks.declared);
    whenLoaded(/(?:^|[\\/])(?:koa|application)(?:\.js)?$/, (exports) => {
      const prototype = (exports as { prototype?: object } | null)?.prototype;
      if (
        typeof exports !== 'function' ||
        prototype === undefined ||
        !('createContext' in prototype)
      )
        return;
      wrapMethod(prototype, 'createContext', (createContext) => {
        return function (...args) {
          const context = createContext.apply(this, args);
          const request = args[0] as Carrier;
          request[contextKey] = context as Context;
          return context;
        };
      });
      // Koa's own event for an error that a handler threw, also used by middleware that answers errors itself.
      wrapMethod(prototype, 'emit', (emit) => {
        return function (...args) {
          const [event, error, context] = args as [unknown, unknown, { req?: RawRequest }?];
          if (event === 'error') {
            ignoringErrors(() => {
              if (context?.req !== undefined) hooks.error(context.req, error);
            });
          }
          return emit.apply(this, args);
        };
      });
      wrapMethod(prototype, 'callback', (callback) => {
        return function (...args) {
          const handle = callback.apply(this, args);
          ignoringErrors(() => appOf.set(handle as object, this as Application));
          return handle;
        };
      });
    });
    hooks.listening((server) => {
      // After the turn of `listen`, in which the app may still add routes.
      afterTurn(() => {
        for (const listener of requestListeners(server)) {
          for (const { router } of appOf.get(listener)?.middleware ?? []) {
            if (router !== undefined) routers.see(router, '');
          }
        }
      });
    });
    hooks.readRoute((request) => {
      const context = (request as Carrier)[contextKey];
      if (context?._matchedRoute === undefined) return undefined;
      return routeOf(context, request.method ?? '', routers);
    });
  },
};

const contextKey = Symbol('rollcall.koa');
type Carrier = RawRequest & { [contextKey]?: Context };

interface Layer {
  path: string | RegExp;
  methods: readonly string[];
  regexp?: RegExp;
}

interface Router {
  stack: readonly Layer[];
}

interface Application {
  middleware: readonly { router?: Router }[];
}

/** Properties that Koa and its router set on a context. */
interface Context {
  originalUrl: string;
  router?: Router;
  /** Layers of all routers whose path matched, middleware and other methods included. */
  matched?: readonly Layer[];
  /** Set only when a route with the request's method matched. */
  _matchedRoute?: unknown;
  /** The path of the layer that was entered last. */
  routerPath?: unknown;
  /** koa-mount's innermost mount. */
  mountPath?: string;
}

function routeOf(context: Context, method: string, routers: KnownRouters): string | undefined {
  const { matched = [], router } = context;
  let layer = lastOf(matched, context.routerPath) ?? lastOf(matched, context._matchedRoute);
  // Middleware of the router answered or threw: the route is the first one behind it with this method.
  if (layer === undefined || layer.methods.length === 0) {
    layer = matched.find(({ methods }) => methods.includes(method));
  }
  if (layer === undefined) return undefined;
  const mount = context.mountPath === undefined ? '' : mountOf(context, context.mountPath, layer);
  if (router !== undefined) routers.see(router, mount);
  return mount + spelled(layer);
}

function lastOf(layers: readonly Layer[], path: unknown): Layer | undefined {
  for (let index = layers.length - 1; index >= 0; index -= 1) {
    if (layers[index]?.path === path) return layers[index];
  }
  return undefined;
}

/** The part of the path that koa-mount removed. Mounts are plain text, so it is taken from the original path. */
function mountOf({ originalUrl }: Context, innermost: string, { regexp }: Layer): string {
  const query = originalUrl.indexOf('?');
  const path = query === -1 ? originalUrl : originalUrl.slice(0, query);
  if (regexp === undefined) return '';
  const end = innermost.replace(/\/$/, '');
  for (let at = 0; at !== -1; at = path.indexOf('/', at + 1)) {
    const mount = path.slice(0, at);
    if ((at === 0 || mount.endsWith(end)) && regexp.test(path.slice(at))) return mount;
  }
  return path.endsWith(end) && regexp.test('/') ? path : '';
}

function spelled({ path }: Layer): string {
  return String(path);
}

/** Declares the routes of routers, and remembers the number of layers at that time. */
class KnownRouters {
  readonly #declared: (routes: readonly DeclaredRoute[]) => void;
  readonly #layers = new WeakMap<Router, number>();

  constructor(declared: (routes: readonly DeclaredRoute[]) => void) {
    this.#declared = declared;
  }

  /** Declares a router's routes when it is new or has more layers. A router below koa-mount is seen with its first request. */
  see(router: Router, mount: string): void {
    const { stack } = router;
    if (this.#layers.get(router) === stack.length) return;
    this.#layers.set(router, stack.length);
    const routes = stack.flatMap((layer) =>
      declaredMethods(layer.methods).map((method) => ({ method, route: mount + spelled(layer) })),
    );
    this.#declared(routes);
  }
}
