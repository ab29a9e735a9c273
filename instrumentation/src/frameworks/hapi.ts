import { declaredMethods } from './declared-methods.ts';
import type { DeclaredRoute, Framework, RawRequest } from './framework.ts';
import { ignoringErrors, whenLoaded, wrapMethod } from './loaded-modules.ts';

/**
 * Hapi. It sets nothing on Node's request, so `Request.generate` is wrapped to set Hapi's request there, whose route has
 * the plugin's prefix. `Core._initializeListener` is wrapped to find the core of a listening server.
 */
export const hapi: Framework = {
  name: 'hapi',
  attach(hooks) {
    const coreOf = new WeakMap<object, Core>();
    const serving = new WeakSet<Core>();
    whenLoaded(/(?:^|[\\/])(?:core|request)(?:\.js)?$/, (exports) => {
      if (typeof exports !== 'function') return;
      const prototype = exports.prototype as object | undefined;
      if ('generate' in exports && prototype !== undefined && '_lifecycle' in prototype) {
        wrapMethod(exports, 'generate', (generate) => {
          return function (...args) {
            const request = generate.apply(this, args);
            (args[1] as Carrier)[requestKey] = request as HapiRequest;
            return request;
          };
        });
      }
      if (prototype === undefined || !('_dispatch' in prototype) || !('_listen' in prototype))
        return;
      wrapMethod<Core>(prototype, '_initializeListener', (initialize) => {
        return function (...args) {
          ignoringErrors(() => {
            if (coreOf.has(this.listener)) return;
            coreOf.set(this.listener, this);
            this.events.on('route', (route) => {
              if (serving.has(this)) hooks.declared(declaredOf([route]));
            });
          });
          return initialize.apply(this, args);
        };
      });
    });
    hooks.listening((server) => {
      const core = coreOf.get(server);
      if (core === undefined) return;
      serving.add(core);
      hooks.declared(declaredOf(core.root?.table() ?? []));
    });
    hooks.readRoute((request) => {
      const { route } = (request as Carrier)[requestKey] ?? {};
      // Hapi's internal routes, for 404 and for preflight requests.
      if (route === undefined || isOwn(route)) return undefined;
      return route.path;
    });
    hooks.readError((request) => (request as Carrier)[requestKey]?.response?._error ?? undefined);
  },
};

const requestKey = Symbol('rollcall.hapi');
type Carrier = RawRequest & { [requestKey]?: HapiRequest };

interface HapiRequest {
  route?: Route;
  /** The error from which the response was made. */
  response?: { _error?: unknown } | null;
}

interface Route {
  method: string;
  path: string;
  settings?: { isInternal?: boolean };
}

interface Core {
  listener: object;
  root: { table(): Route[] } | null;
  events: { on(event: 'route', listener: (route: Route) => void): void };
}

function isOwn({ method, settings }: Route): boolean {
  return method[0] === '_' || settings?.isInternal === true;
}

function declaredOf(routes: readonly Route[]): DeclaredRoute[] {
  return routes
    .filter((route) => !isOwn(route))
    .flatMap(({ method, path }) =>
      declaredMethods([method]).map((name) => ({ method: name, route: path })),
    );
}
