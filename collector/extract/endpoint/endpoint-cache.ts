import type { CallDictionary, EndpointName } from '../../../core/call.ts';
import type { Config } from '../../../core/config/config.ts';
import { TripleTable } from '../../intern/triple-table.ts';
import type { Resource } from '../resource.ts';
import { isPreHandlerStatus } from './early-status.ts';
import { Exclusion } from './exclusion.ts';
import { httpMethods } from './http-method.ts';
import { MountRouteCap } from './mount-cap.ts';
import type { RouteCache } from './route-cache.ts';
import type { SpellingUses } from './spelling-uses.ts';

/** In place of an endpoint's number: the call is excluded by its method or its route. */
export const excludedByMethod = -1;
export const excludedByRoute = -2;

/** Caches the dictionary's numbers of endpoints by resource, route and method. */
export class EndpointCache {
  readonly #dictionary: CallDictionary;
  readonly #routes: RouteCache;
  readonly #exclusion: Exclusion;
  readonly #spellings: SpellingUses;
  readonly #mounts = new MountRouteCap();
  // (resource, route, method) to the endpoint's number, or `excludedBy…`.
  readonly #numbers = new TripleTable();

  constructor(
    dictionary: CallDictionary,
    routes: RouteCache,
    spellings: SpellingUses,
    config: Pick<Config, 'excludeMethods' | 'excludeRoutes'>,
  ) {
    this.#dictionary = dictionary;
    this.#routes = routes;
    this.#spellings = spellings;
    this.#exclusion = new Exclusion(config);
  }

  /** The number of cached endpoints. */
  get size(): number {
    return this.#numbers.size;
  }

  clear(): void {
    this.#mounts.clear();
    this.#numbers.clear();
  }

  /**
   * @param method index in `httpMethods`
   * @param route its number in the `RouteCache`
   * @param status early refusals of templated routes make endpoints of their own
   * @returns the dictionary's number, `excludedByMethod` or `excludedByRoute`
   */
  endpointOf(resource: Resource, method: number, route: number, status: number): number {
    const told = this.#routes.route(route);
    const refused = status >= 300 && told.templated && isPreHandlerStatus(status);
    const how = refused ? httpMethods.length + method : method;
    const known = this.#numbers.get(resource.number, route, how);
    if (known !== 0) return known;
    const name = httpMethods[method]!;
    const found = this.#mounts.bound(resource, told);
    const reason = this.#exclusion.reason(name, found.route);
    let endpoint = reason === 'method' ? excludedByMethod : excludedByRoute;
    if (reason === null) {
      const endpointName: EndpointName = {
        project: resource.project,
        service: resource.service,
        environment: resource.environment,
        method: name,
        route: found.route,
        templated: found.templated,
        ...(found.display !== undefined && { display: found.display }),
        ...(refused && { refused }),
      };
      endpoint = this.#dictionary.endpoint(endpointName);
      this.#spellings.learn(endpoint, endpointName);
    }
    if (this.#mounts.isSettled) this.#numbers.set(resource.number, route, how, endpoint);
    return endpoint;
  }
}
