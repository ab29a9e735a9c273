import { setImmediate as nextTurn } from 'node:timers/promises';
import { PathMatcher } from '../../../core/route/path-matcher.ts';
import { canonicalRoute, type Route, withDisplay } from '../../../core/route/route.ts';
import {
  type ChangedInventory,
  effectiveInventories,
  type Inventory,
} from '../../../core/store/inventory.ts';
import type { Resource } from '../resource.ts';

/**
 * The routes of services' inventories, for calls whose spans name no route (docs/extraction.md X29). The owner brings
 * changes of the store; a service's routes are compiled when a call first asks for them.
 */
export class KnownRoutes {
  /** By project and service, then by source and environment. */
  readonly #inventories = new Map<string, Map<string, ChangedInventory>>();
  readonly #compiled = new Map<string, ServiceRoutes | undefined>();
  /** Counts changes: results that rest on the inventories are then forgotten. */
  generation = 0;

  /** Whether any service has an inventory. */
  get isEmpty(): boolean {
    return this.#inventories.size === 0;
  }

  /** As `learn`, and compiles the routes before in short pieces: the event loop takes requests meanwhile. */
  async learnInPieces(changes: readonly ChangedInventory[]): Promise<void> {
    for (const { inventory } of changes) {
      for (const kind of ['routes', 'former'] as const) {
        const pieces = compiling(inventory, kind);
        while (!pieces.next().done) await nextTurn();
      }
    }
    this.learn(changes);
  }

  learn(changes: readonly ChangedInventory[]): void {
    if (changes.length === 0) return;
    for (const change of changes) {
      const { service, environment } = change.inventory;
      const key = `${change.project}\0${service}`;
      const places = this.#inventories.get(key) ?? new Map<string, ChangedInventory>();
      places.set(JSON.stringify([change.source, environment]), change);
      this.#inventories.set(key, places);
    }
    this.#compiled.clear();
    this.generation += 1;
  }

  /**
   * The declared route that takes the call, the most literal one.
   * @param isMissing the answer was that there is no such thing: then a parameter with a pattern (`/digits/:n(\\d+)`)
   *   may not have taken the path, and the call is nobody's
   */
  declared(
    resource: Resource,
    method: string,
    path: string,
    isMissing: boolean,
  ): Route | undefined {
    const routes = this.#of(resource);
    const found = routes?.declared && matched(routes.declared, method, path);
    return isMissing && found?.hasPattern ? undefined : found?.route;
  }

  /** The former route that takes the call. */
  former(resource: Resource, method: string, path: string): Route | undefined {
    const routes = this.#of(resource);
    for (const former of routes?.former ?? []) {
      const found = matched(former, method, path);
      if (found !== undefined) return found.route;
    }
    return undefined;
  }

  #of({ project, service, environment }: Resource): ServiceRoutes | undefined {
    const places = this.#inventories.get(`${project}\0${service}`);
    if (places === undefined) return undefined;
    const key = `${project}\0${service}\0${environment}`;
    if (this.#compiled.has(key)) return this.#compiled.get(key);
    const made = compile([...places.values()], environment);
    this.#compiled.set(key, made);
    return made;
  }
}

interface CompiledRoutes {
  matcher: PathMatcher;
  /** By place in the matcher. */
  routes: KnownRoute[];
}

interface KnownRoute {
  /** In the spelling that reports show. */
  route: Route;
  /** A parameter takes some texts only. */
  hasPattern: boolean;
}

/** `:id(\d+)`, `:id{[0-9]+}`, `{id:int}`, `<int:id>`, `[id=integer]`, and regular expressions. */
const pattern = /:\w+[({]|\{\w+:|<\w+:\w+|\[\w+=|\^|\\[dw]/;

interface ServiceRoutes {
  declared: CompiledRoutes | undefined;
  former: CompiledRoutes[];
}

/** As reports choose it: the inventory of the environment comes before that of all environments. */
function compile(
  places: readonly ChangedInventory[],
  environment: string,
): ServiceRoutes | undefined {
  const of = (source: ChangedInventory['source']) =>
    places.filter((place) => place.source === source).map(({ inventory }) => inventory);
  const effective = effectiveInventories(of('upload'), of('otlp'));
  const own = effective.filter((inventory) => inventory.environment === environment);
  const every = effective.filter((inventory) => inventory.environment === null);
  const inventory = [...own, ...every].find(({ routes }) => routes.length > 0);
  const all = [...own, ...every];
  if (all.length === 0) return undefined;
  return {
    declared: inventory && compiled(inventory, 'routes'),
    former: all.map((one) => compiled(one, 'former')),
  };
}

type RouteKind = 'routes' | 'former';

const compiledRoutes = {
  routes: new WeakMap<Inventory, CompiledRoutes>(),
  former: new WeakMap<Inventory, CompiledRoutes>(),
} satisfies Record<RouteKind, WeakMap<Inventory, CompiledRoutes>>;

/** Routes that are compiled at once: some 2 ms. */
const pieceRoutes = 100;

function compiled(inventory: Inventory, kind: RouteKind): CompiledRoutes {
  const known = compiledRoutes[kind].get(inventory);
  if (known !== undefined) return known;
  const pieces = compiling(inventory, kind);
  while (!pieces.next().done);
  return compiledRoutes[kind].get(inventory)!;
}

/** Compiles the routes of an inventory, a piece at each step. */
function* compiling(inventory: Inventory, kind: RouteKind): Generator<void, void> {
  if (compiledRoutes[kind].has(inventory)) return;
  const matcher = new PathMatcher();
  const routes: KnownRoute[] = [];
  for (const prefix of ['', ...inventory.prefixes]) {
    for (const { method, route: declared } of inventory[kind]) {
      const route = `${prefix}${declared}`;
      matcher.add(method, route);
      routes.push({
        route: withDisplay({ route: canonicalRoute(route), templated: false }, route),
        hasPattern: pattern.test(route),
      });
      if (routes.length % pieceRoutes === 0) yield;
    }
  }
  compiledRoutes[kind].set(inventory, { matcher, routes });
}

function matched(
  { matcher, routes }: CompiledRoutes,
  method: string,
  path: string,
): KnownRoute | undefined {
  const place = matcher.match(method, path);
  return place === -1 ? undefined : routes[place];
}
