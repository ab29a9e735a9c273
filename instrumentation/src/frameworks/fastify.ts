import { subscribe } from 'node:diagnostics_channel';
import { declaredMethods } from './declared-methods.ts';
import type { DeclaredRoute, Framework, RawRequest } from './framework.ts';
import { harmless } from './loaded-modules.ts';

/**
 * Fastify 4 and 5, and Nest on it. It publishes every instance as it is made, before the app's own plugins: hooks
 * added there come first and hold in every plugin. The route is known when `onRequest` runs; what answers later
 * (a handler, a failed validation, a hook that refuses) does not change it.
 */
export const fastify: Framework = {
  name: 'fastify',
  attach(hooks) {
    const routesOf = new WeakMap<object, DeclaredRoute[]>();
    subscribe('fastify.initialization', (message) => {
      harmless(() => {
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
      // All routes are there: Fastify takes none once it listens. It declares a HEAD of its own for each GET.
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

/** A plugin's own `/` is declared once, and its HEAD a second time with a slash. */
function bare(route: string): string {
  return route.length > 1 && route.endsWith('/') ? route.slice(0, -1) : route;
}

interface Request {
  raw: RawRequest;
  /** Its `url` is missing when no route matched. */
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
