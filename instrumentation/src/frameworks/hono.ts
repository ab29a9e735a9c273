import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { types } from 'node:util';
import { declaredMethods } from './declared-methods.ts';
import type { DeclaredRoute, Framework, RawRequest } from './framework.ts';
import { ignoringErrors, whenLoaded, wrapMethod } from './loaded-modules.ts';
import { afterTurn } from './serving.ts';

/**
 * Hono on @hono/node-server. Only the context refers to Node's request (`env.incoming`), and only handlers get the
 * context. So handlers are wrapped when they are added to a router, to set the context on Node's request. At the end
 * the context has the index of the handler that was entered last.
 *
 * Hono is an ES module, and the loader hooks that see those take a thread (+15 MB) or a Node later than 20. A project
 * that names hono in its package.json has it loaded here, a moment before the app does: `require` of an ES module gives
 * the same instance as `import` (Node 20.19, 22.12 and later). Where it does not, `import` loads it, for which
 * `--import` waits.
 */
export const hono: Framework = {
  name: 'hono',
  attach(hooks) {
    const routers = new Map<object, HonoRoute[]>();
    const mounted = new WeakSet<object>();
    const declare = () => {
      if (routers.size > 0) hooks.declared(declaredOf(routers, mounted));
    };
    const watch = (exports: unknown) => {
      for (const value of Object.values((exports ?? {}) as object))
        watchClass(value, routers, mounted);
    };
    whenLoaded(
      /(?:smart|reg-exp|trie|linear|pattern)-router(?:[\\/](?:index|router)(?:\.js)?)?$|hono-base(?:\.js)?$/,
      watch,
    );
    const found = ignoringErrors(() =>
      findHono(process.argv[1] ?? join(process.cwd(), 'index.js')),
    );
    for (const file of found === undefined ? [] : modules) {
      const path = join(dirname(found!), file);
      const exports = ignoringErrors(() => createRequire(found!)(path) as unknown);
      watch(exports);
      // Node before 20.19, and loaders such as tsx's: `require` has no ES module, or a copy made CommonJS.
      if (types.isModuleNamespaceObject(exports)) continue;
      const { href } = pathToFileURL(path);
      hooks.loading(import(href).then((module) => ignoringErrors(() => watch(module))));
    }
    hooks.listening(() => afterTurn(declare));
    hooks.readRoute((request) => {
      const context = (request as Carrier)[contextKey];
      return context === undefined ? undefined : routeOf(context);
    });
    hooks.readError((request) => (request as Carrier)[errorKey]);
  },
};

const modules = [
  'hono-base.js',
  'router/smart-router/index.js',
  'router/reg-exp-router/index.js',
  'router/trie-router/index.js',
];
/** Routers of one process whose routes are declared. They are kept, also when an app is thrown away, as in tests. */
const routersMost = 1_000;

const contextKey = Symbol('rollcall.hono');
const errorKey = Symbol('rollcall.hono.error');
type Carrier = RawRequest & { [contextKey]?: Context; [errorKey]?: unknown };
type Handler = (context: Context, next: unknown) => unknown;

interface HonoRoute {
  method: string;
  path: string;
  handler: Handler;
}

interface Context {
  env?: { incoming?: Carrier };
  req: {
    raw?: object;
    routeIndex: number;
    matchedRoutes?: readonly HonoRoute[];
  };
}

interface Mountable {
  router?: object;
}

function watchClass(
  value: unknown,
  routers: Map<object, HonoRoute[]>,
  mounted: WeakSet<object>,
): void {
  const prototype = (value as { prototype?: object } | null)?.prototype;
  if (typeof value !== 'function' || prototype === undefined) return;
  if ('match' in prototype && 'add' in prototype) watchRouter(prototype, routers);
  if ('route' in prototype && 'basePath' in prototype) {
    wrapMethod<Mountable>(prototype, 'route', (route) => {
      return function (...args) {
        const result = route.apply(this, args);
        // `route` copies the routes of the mounted app into this one's router.
        const { router } = (args[1] ?? {}) as Mountable;
        if (router !== undefined && router !== this.router) mounted.add(router);
        return result;
      };
    });
  }
}

function watchRouter(prototype: object, routers: Map<object, HonoRoute[]>): void {
  wrapMethod<object>(prototype, 'add', (add) => {
    return function (...args) {
      const entry = args[2] as [Handler, HonoRoute] | undefined;
      if (!Array.isArray(entry) || typeof entry[0] !== 'function' || noting.has(entry[0])) {
        return add.apply(this, args);
      }
      const routes = routers.get(this) ?? [];
      if (routers.size < routersMost) routers.set(this, routes);
      routes.push(entry[1]);
      return add.apply(this, [args[0], args[1], [notingContext(entry[0]), ...entry.slice(1)]]);
    };
  });
}

/** Wrapped handlers: a SmartRouter adds them to a second router, where they are not wrapped again. */
const noting = new WeakSet<object>();

function notingContext(handler: Handler): Handler {
  const noted: Handler = (context, next) => {
    const incoming = context.env?.incoming ?? incomingOf(context.req.raw);
    if (incoming === undefined) return handler(context, next);
    incoming[contextKey] = context;
    try {
      const result = handler(context, next);
      if (result instanceof Promise) {
        result.catch((error: unknown) => {
          incoming[errorKey] ??= error;
        });
      }
      return result;
    } catch (error) {
      incoming[errorKey] ??= error;
      throw error;
    }
  };
  noting.add(noted);
  return noted;
}

/** Node's request in one of @hono/node-server's, for an app whose `fetch` is called without `env`. */
function incomingOf(raw: object | undefined): Carrier | undefined {
  if (raw === undefined) return undefined;
  for (const key of Object.getOwnPropertySymbols(raw)) {
    if (key.description === 'incomingKey') return (raw as Record<symbol, Carrier | undefined>)[key];
  }
  return undefined;
}

/** The route of the handler that was entered last; after middleware, the next route behind it. */
function routeOf({ req }: Context): string | undefined {
  const routes = req.matchedRoutes ?? [];
  for (let index = req.routeIndex; index < routes.length; index += 1) {
    const route = routes[index];
    if (route !== undefined && !isMiddleware(route)) return route.path;
  }
  return undefined;
}

/**
 * `use` and `all` both register method ALL. Middleware has a second parameter, which Hono's own tools also
 * check.
 */
function isMiddleware({ method, handler }: HonoRoute): boolean {
  return method === 'ALL' && handler.length > 1;
}

function declaredOf(routers: Map<object, HonoRoute[]>, mounted: WeakSet<object>): DeclaredRoute[] {
  return [...routers]
    .filter(([router]) => !mounted.has(router))
    .flatMap(([, routes]) => routes)
    .filter((route) => !isMiddleware(route))
    .flatMap(({ method, path }) =>
      declaredMethods([method]).map((name) => ({ method: name, route: path })),
    );
}

/** @returns the main file of the app's hono as an ES module; undefined when no package.json above the app names hono */
function findHono(entry: string): string | undefined {
  let folder = dirname(resolve(entry));
  for (;;) {
    const file = join(folder, 'package.json');
    const text = ignoringErrors(() => readFileSync(file, 'utf8'));
    if (text !== undefined && /"hono"\s*:/.test(text)) {
      // `resolve` finds the CommonJS copy, hono/dist/cjs/index.js.
      const found = createRequire(file).resolve('hono');
      return found.replace(/([\\/])cjs([\\/])index\.js$/, '$1index.js');
    }
    const above = dirname(folder);
    if (above === folder) return undefined;
    folder = above;
  }
}
