import type { EndpointName } from '../../../core/call.ts';
import { limits } from '../../../core/limits.ts';
import type { Route } from '../../../core/route/route.ts';

type ServiceName = Pick<EndpointName, 'project' | 'service' | 'environment'>;

/**
 * Bounds the routes that are made from paths (docs/extraction.md X14, X25): behind one mount of a service, and
 * below one prefix of it. Past a bound the route ends in `{path}`.
 */
export class MountRouteCap {
  readonly #mounts = new Map<string, Set<string>>();
  /** By service and prefix. */
  readonly #siblings = new Map<string, Siblings>();
  #size = 0;

  /** False after a `bound` whose answer may change with the next call of the route: not to be remembered. */
  isSettled = true;

  bound(service: ServiceName, route: Route): Route {
    this.isSettled = true;
    if (!route.templated) return route;
    return route.mount === undefined
      ? this.#boundSiblings(service, route)
      : this.#boundMount(service, route, route.mount);
  }

  clear(): void {
    this.#mounts.clear();
    this.#siblings.clear();
    this.#size = 0;
    this.isSettled = true;
  }

  #boundMount(service: ServiceName, route: Route, mount: string): Route {
    const key = keyOf(service, mount);
    let routes = this.#mounts.get(key);
    if (routes === undefined) {
      routes = new Set();
      this.#mounts.set(key, routes);
    }
    if (routes.size >= limits.mountRemainders && !routes.has(route.route)) {
      return { ...route, route: `${mount}/{path}` };
    }
    routes.add(route.route);
    return route;
  }

  /**
   * Pages of a web application that answers any path, or objects of a store: many siblings, each called once or
   * twice. An API's siblings are called again: from the third call on a sibling is an endpoint of its own.
   */
  #boundSiblings(service: ServiceName, route: Route): Route {
    const cut = route.route.lastIndexOf('/');
    const last = route.route.slice(cut + 1);
    if (cut < 0 || last === '' || last.includes('{')) return route;
    const prefix = route.route.slice(0, cut);
    const key = keyOf(service, prefix);
    let siblings = this.#siblings.get(key);
    if (siblings === undefined) {
      siblings = { settled: new Set(), rare: new Map() };
      this.#siblings.set(key, siblings);
    }
    const { settled, rare } = siblings;
    if (settled.has(last)) return route;
    const calls = (rare.get(last) ?? 0) + 1;
    if (calls >= settledCalls) {
      rare.delete(last);
      settled.add(last);
      return route;
    }
    this.isSettled = false;
    if (calls === 1) this.#makeRoom();
    rare.set(last, calls);
    return isAmongFirst(rare, last) ? route : { ...route, route: `${prefix}/{path}` };
  }

  /** Past the bound all is forgotten: siblings begin anew as rare ones. */
  #makeRoom(): void {
    this.#size += 1;
    if (this.#size <= siblingsMax) return;
    for (const { settled, rare } of this.#siblings.values()) {
      settled.clear();
      rare.clear();
    }
    this.#siblings.clear();
    this.#size = 1;
  }
}

/** Last segments of the routes below one prefix. */
interface Siblings {
  /** Called three times and more. */
  settled: Set<string>;
  /** Calls of the others, in the order of their first calls. */
  rare: Map<string, number>;
}

/** Calls after which a sibling is an endpoint of its own. */
const settledCalls = 3;
/** Siblings that are counted at a time, of all services: about 10 MB. */
const siblingsMax = 100_000;

/** A Map keeps the order in which its keys were set first. */
function isAmongFirst(siblings: ReadonlyMap<string, number>, name: string): boolean {
  let place = 0;
  for (const other of siblings.keys()) {
    if (other === name) return true;
    place += 1;
    if (place === limits.rareSiblings) return false;
  }
  return false;
}

function keyOf({ project, service, environment }: ServiceName, prefix: string): string {
  return `${project}\0${service}\0${environment}\0${prefix}`;
}
