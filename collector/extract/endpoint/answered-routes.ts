import { limits } from '../../../core/limits.ts';
import { coverage } from '../../../core/route/match.ts';
import { parseRoute } from '../../../core/route/parse.ts';
import { pathSegments } from '../../../core/route/path.ts';
import type { Route } from '../../../core/route/route.ts';
import type { RouteSegment } from '../../../core/route/segments.ts';
import { templatePath } from '../../../core/route/template.ts';
import type { Resource } from '../resource.ts';

/**
 * Routes that answered a call since the start, by service: they know better than the path alone which endpoint a
 * call is of that reports no route, or an error page's (docs/extraction.md X28). A message that is read a
 * second time, or refused, is taken back first.
 */
export class AnsweredRoutes {
  readonly #services = new Map<string, ServiceRoutes>();
  #size = 0;
  /** By the dictionary's number of the endpoint: 1 when its route is known here. */
  #known = new Uint8Array(1024);
  /** What the message in hand added. */
  #added: { endpoint: number; routes: ServiceRoutes; method: string; route: Route }[] = [];

  /** Whether `note` would learn anything of the endpoint. */
  isNew(endpoint: number): boolean {
    return this.#known[endpoint] !== 1;
  }

  /** A message begins. */
  begin(): void {
    this.#added.length = 0;
  }

  /** A call of the endpoint was answered. */
  note(endpoint: number, resource: Resource, method: string, route: Route): void {
    this.#markKnown(endpoint);
    if (!route.route.startsWith('/')) return;
    const routes = this.#add(resource, method, route);
    this.#added.push({ endpoint, routes, method, route });
  }

  /** The message in hand is read again, or was refused. */
  takeBack(): void {
    for (const { endpoint, routes, method, route } of this.#added) {
      this.#known[endpoint] = 0;
      if (route.templated) routes.templated.delete(`${method} ${route.route}`);
      else {
        const others = routes.told.get(method)?.filter((one) => one.route !== route);
        routes.told.set(method, others ?? []);
      }
    }
    this.#size = Math.max(0, this.#size - this.#added.length);
    this.#added.length = 0;
  }

  /**
   * The answered route that a path without a route is of, or undefined.
   * @param isErrorPage an error page stands in its place, so the service reports routes; else only routes that
   *   were made up from paths are asked: a service that reports routes had none for this path
   */
  find(resource: Resource, method: string, path: string, isErrorPage: boolean): Route | undefined {
    const routes = this.#services.get(serviceKey(resource));
    if (routes === undefined) return undefined;
    const templated = routes.templated.get(`${method} ${templatePath(path)}`);
    return isErrorPage ? (told(routes, method, path) ?? templated) : templated;
  }

  clear(): void {
    this.#services.clear();
    this.#size = 0;
    this.#known.fill(0);
    this.#added.length = 0;
  }

  #add(resource: Resource, method: string, route: Route): ServiceRoutes {
    if (this.#size >= limits.answeredRoutes) {
      this.#services.clear();
      this.#known.fill(0);
      this.#size = 0;
    }
    const key = serviceKey(resource);
    let routes = this.#services.get(key);
    if (routes === undefined) {
      routes = { templated: new Map(), told: new Map() };
      this.#services.set(key, routes);
    }
    this.#size += 1;
    if (route.templated) {
      routes.templated.set(`${method} ${route.route}`, { route: route.route, templated: true });
      return routes;
    }
    const [segments = []] = parseRoute(route.route);
    const ofMethod = routes.told.get(method);
    if (ofMethod === undefined) routes.told.set(method, [{ route, segments }]);
    else ofMethod.push({ route, segments });
    return routes;
  }

  #markKnown(endpoint: number): void {
    if (endpoint >= this.#known.length) {
      const next = new Uint8Array(Math.max(endpoint + 1, this.#known.length * 2));
      next.set(this.#known);
      this.#known = next;
    }
    this.#known[endpoint] = 1;
  }
}

interface ServiceRoutes {
  /** By method and route. */
  templated: Map<string, Route>;
  /** By method. */
  told: Map<string, { route: Route; segments: RouteSegment[] }[]>;
}

/** Of the reported routes that take the path, the one with most literal text. */
function told({ told: byMethod }: ServiceRoutes, method: string, path: string): Route | undefined {
  const segments = pathSegments(path);
  let best: Route | undefined;
  for (const one of byMethod.get(method) ?? []) {
    if (coverage(one.segments, segments).kind !== 'whole') continue;
    if (best === undefined || literals(one.route) > literals(best)) best = one.route;
  }
  return best;
}

function literals({ route }: Route): number {
  return route.replace(/\{[^{}]*\}/g, '').length;
}

function serviceKey({ project, service, environment }: Resource): string {
  return `${project}\0${service}\0${environment}`;
}
