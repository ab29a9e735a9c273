import type { EndpointName } from '../../../core/call.ts';
import { limits } from '../../../core/limits.ts';
import type { Route } from '../../../core/route/route.ts';

type ServiceName = Pick<EndpointName, 'project' | 'service' | 'environment'>;

/**
 * Bounds the templated routes behind one mount of one service (docs/extraction.md X14): further ones become
 * `{path}`.
 */
export class MountRouteCap {
  readonly #routes = new Map<string, Set<string>>();

  bound({ project, service, environment }: ServiceName, route: Route): Route {
    const { mount } = route;
    if (mount === undefined || !route.templated) return route;
    const key = `${project}\0${service}\0${environment}\0${mount}`;
    let routes = this.#routes.get(key);
    if (routes === undefined) {
      routes = new Set();
      this.#routes.set(key, routes);
    }
    if (routes.size >= limits.mountRemainders && !routes.has(route.route)) {
      return { ...route, route: `${mount}/{path}` };
    }
    routes.add(route.route);
    return route;
  }

  clear(): void {
    this.#routes.clear();
  }
}
