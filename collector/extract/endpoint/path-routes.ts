import { specialRoutes } from '../../../core/limits.ts';
import type { TracesReader } from '../../otlp/traces-reader.ts';
import type { Resource } from '../resource.ts';
import { AnsweredRoutes } from './answered-routes.ts';
import { httpMethods } from './http-method.ts';
import type { KnownRoutes } from './known-routes.ts';
import type { RouteCache } from './route-cache.ts';

/**
 * Better routes for calls by their paths, where the span names no route: one that answered before, or one that an
 * inventory declares. Routes are numbers of the cache, methods indexes of `httpMethods`.
 */
export class PathRoutes {
  readonly #routes: RouteCache;
  readonly #known: KnownRoutes;
  readonly #answered = new AnsweredRoutes();

  constructor(routes: RouteCache, known: KnownRoutes) {
    this.#routes = routes;
    this.#known = known;
  }

  /** A message begins. */
  begin(): void {
    this.#answered.begin();
  }

  /** The message in hand is read again, or was refused. */
  takeBack(): void {
    this.#answered.takeBack();
  }

  clear(): void {
    this.#answered.clear();
  }

  /** A call of the endpoint was answered. */
  note(endpoint: number, resource: Resource, route: number, method: number): void {
    if (!this.#answered.isNew(endpoint)) return;
    this.#answered.note(endpoint, resource, httpMethods[method]!, this.#routes.route(route));
  }

  /** The route that answered calls of this path before (docs/extraction.md X28), or the same one. */
  answered(walk: TracesReader, resource: Resource, route: number, method: number): number {
    const { route: own, errorPage = false } = this.#routes.route(route);
    if (own !== specialRoutes.unmatched && !errorPage) return route;
    const path = this.#routes.pathOf(walk);
    if (path === '') return route;
    const found = this.#answered.find(resource, httpMethods[method]!, path, errorPage);
    return found === undefined ? route : this.#routes.numberOfRoute(found);
  }

  /**
   * The declared route that takes the path, or a former one when the service did not find it (X29), or the same one.
   * No declared route serves a method that is refused with 405.
   */
  declared(
    walk: TracesReader,
    resource: Resource,
    route: number,
    method: number,
    status: number,
  ): number {
    const { route: own, templated } = this.#routes.route(route);
    if (!templated && own !== specialRoutes.unmatched) return route;
    const path = this.#routes.pathOf(walk);
    if (path === '') return route;
    const name = httpMethods[method]!;
    const isMissing = status === 404 || status === 405 || status === 410;
    const declared =
      status === 405 ? undefined : this.#known.declared(resource, name, path, isMissing);
    const found = declared ?? (isMissing ? this.#known.former(resource, name, path) : undefined);
    return found === undefined ? route : this.#routes.numberOfRoute(found);
  }
}
