import { subscribe } from 'node:diagnostics_channel';
import { declaredMethods } from './declared-methods.ts';
import type { DeclaredRoute, Framework, RawRequest } from './framework.ts';
import { ignoringErrors } from './loaded-modules.ts';

/**
 * Fastify 4 and 5, and Nest on Fastify. Fastify publishes each new instance on a channel, before the app's plugins:
 * hooks added then run first, in every plugin. The route is known when `onRequest` runs; a handler, a failed validation
 * or a refusing hook later does not change it.
 */
export const fastify: Framework = {
  name: 'fastify',
  attach(hooks) {
    const routesOf = new WeakMap<object, DeclaredRoute[]>();
    subscribe('fastify.initialization', (message) => {
      ignoringErrors(() => {
        const { fastify: instance } = message as { fastify: Instance };
        const routes: DeclaredRoute[] = [];
        routesOf.set(instance.server, routes);
        instance.addHook('onRoute', (route) => {
          for (const method of declaredMethods([route.method].flat()))
            routes.push({ method, route: route.url });
        });
        instance.addHook('onRequest', (request, _reply, done) => {
          const url = request.routeOptions?.url;
          if (url !== undefined) hooks.route(request.raw, url);
          done();
        });
        instance.addHook('onError', (request, _reply, error, done) => {
          hooks.error(request.raw, error);
          done();
        });
      });
    });
    hooks.listening((server) => {
      // Fastify takes no routes after `listen`. It adds a HEAD route to each GET, which is left out.
      const routes = routesOf.get(server) ?? [];
      const gets = new Set(
        routes.filter(({ method }) => method === 'GET').map(({ route }) => bare(route)),
      );
      hooks.declared(
        routes.filter(({ method, route }) => method !== 'HEAD' || !gets.has(bare(route))),
      );
    });
  },
};

/** Without the trailing slash: Fastify adds HEAD for a plugin's `/` with and without it. */
function bare(route: string): string {
  return route.length > 1 && route.endsWith('/') ? route.slice(0, -1) : route;
}

interface Request {
  raw: RawRequest;
  /** Without `url` when no route matched. */
  routeOptions?: { url?: string };
}

interface Instance {
  server: object;
  addHook(name: 'onRoute', hook: (route: { method: string | string[]; url: string }) => void): void;
  addHook(
    name: 'onRequest',
    hook: (request: Request, reply: unknown, done: () => void) => void,
  ): void;
  addHook(
    name: 'onError',
    hook: (request: Request, reply: unknown, error: Error, done: () => void) => void,
  ): void;
}
