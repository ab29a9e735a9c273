import { createHash } from 'node:crypto';
import { canonicalRoute } from '../../core/route/route.ts';
import { isBucket } from '../../core/store/endpoint-identity.ts';
import { declarationKey, type Inventory, type InventoryPlace } from '../../core/store/inventory.ts';
import type { EndpointRecord, ServiceRecord } from '../../core/store/store.ts';
import { DeclarationTable, undeclaredPrefix } from './match.ts';

/** The declaration of an endpoint in its service's inventory. */
export interface Declaration {
  /** `undocumented`: no version declared it. `removed`: an earlier version did, the newest does not. */
  state: 'declared' | 'undocumented' | 'removed';
  deprecated: boolean;
  /** As declared; '' for every method. */
  method?: string;
  /** As declared, without the prefix of a server. */
  route?: string;
  owner?: string;
  sunset?: string;
  deprecatedSince?: string;
  /** Milliseconds since the epoch: the upload that first declared it deprecated. */
  deprecatedMs?: number;
  operationId?: string;
  /** Milliseconds since the epoch: a later version than the first added it, took it away. */
  addedMs?: number;
  removedMs?: number;
  /** It fits the declaration only when a literal of the made-up route is a parameter's value, or below a prefix that
   *  the inventory does not tell. */
  guessed?: true;
}

/** A declared endpoint without any call. */
export interface UncalledEndpoint {
  /** Computed from the declaration; it remains valid after the endpoint's first call. */
  id: string;
  service: string;
  environment: string;
  /** `*` where the declaration takes every method. */
  method: string;
  route: string;
  display: string;
  declaration: Declaration;
}

/** Read only: it may be shared from report to report. */
export interface Declarations {
  /** By endpoint id; endpoints of services without an inventory have none. */
  byEndpoint: ReadonlyMap<string, Declaration>;
  uncalled: readonly UncalledEndpoint[];
  /** Ids of declared endpoints that were called since, and the ids they have now. */
  called: ReadonlyMap<string, string>;
}

interface MadeDeclarations {
  byEndpoint: Map<string, Declaration>;
  uncalled: UncalledEndpoint[];
  called: Map<string, string>;
}

type ServiceNames = Pick<ServiceRecord, 'service' | 'environment'>;

/**
 * Brings a project's inventories and its observed endpoints together. An inventory of an environment is for that
 * one; one without is for every other environment in which the service was observed.
 * @param observed every endpoint of the services concerned
 */
export function declarationsOf(
  inventories: readonly Inventory[],
  observed: readonly EndpointRecord[],
  services: readonly Pick<ServiceRecord, 'service' | 'environment'>[],
): Declarations {
  const declarations: MadeDeclarations = { byEndpoint: new Map(), uncalled: [], called: new Map() };
  const byService = Map.groupBy(observed, ({ service }) => service);
  for (const inventory of inventories) {
    // A removed inventory: nothing can be missing in it.
    if (inventory.routes.length === 0) continue;
    const own = byService.get(inventory.service) ?? [];
    for (const environment of environmentsOf(inventory, inventories, services)) {
      const endpoints = own.filter((endpoint) => endpoint.environment === environment);
      declare(inventory, environment, endpoints, declarations);
    }
  }
  return declarations;
}

/**
 * Remembers the declarations of a project's inventories: to match 10,000 endpoints takes a third of the time of their
 * report, and to see that none of them is another than before takes a hundredth.
 */
export class DeclarationCache {
  readonly #made = new WeakMap<readonly Inventory[], Map<string, RememberedDeclarations>>();

  /**
   * As `declarationsOf`.
   * @param all of the project: a store answers the same array until one of them changes
   * @param service only its inventories are looked at; undefined for all @param environment of `observed`
   */
  declarations(
    all: readonly Inventory[],
    { service, environment }: { service?: string; environment?: string },
    observed: readonly EndpointRecord[],
    services: readonly ServiceNames[],
  ): Declarations | undefined {
    const inventories = all.filter(
      (inventory) => (service ?? inventory.service) === inventory.service,
    );
    if (inventories.length === 0) return undefined;
    const known = this.#made.get(all) ?? new Map<string, RememberedDeclarations>();
    const selection = JSON.stringify([service ?? null, environment ?? null]);
    const remembered = known.get(selection);
    if (remembered && isSameObservation(remembered, observed, services)) return remembered.made;
    const made = declarationsOf(inventories, observed, services);
    if (known.size >= selectionsRemembered) known.clear();
    known.set(selection, { observed, services, made });
    this.#made.set(all, known);
    return made;
  }
}

/** Of one project; past it all are forgotten. */
const selectionsRemembered = 8;

interface RememberedDeclarations {
  observed: readonly EndpointRecord[];
  services: readonly ServiceNames[];
  made: Declarations;
}

/** Whatever else changed of the endpoints: calls make new records of the same ones. */
function isSameObservation(
  before: Omit<RememberedDeclarations, 'made'>,
  observed: readonly EndpointRecord[],
  services: readonly ServiceNames[],
): boolean {
  if (before.observed.length !== observed.length) return false;
  if (before.services.length !== services.length) return false;
  const isSameService = services.every(({ service, environment }, at) => {
    const other = before.services[at]!;
    return service === other.service && environment === other.environment;
  });
  return isSameService && observed.every((endpoint, at) => isSame(endpoint, before.observed[at]!));
}

function isSame(a: EndpointRecord, b: EndpointRecord): boolean {
  return a === b || (a.id === b.id && a.route === b.route && a.templated === b.templated);
}

/** An observed endpoint that a declaration takes. */
export interface MatchedEndpoint {
  endpoint: EndpointRecord;
  guessed: boolean;
}

/** What an inventory matches, before or after it is stored. */
export interface InventoryMatches {
  /** For each declared route. */
  routes: MatchedEndpoint[][];
  undocumented: EndpointRecord[];
}

/** @param inventories of the project, which say where this one applies; it need not be among them */
export function matchesOf(
  inventory: Inventory,
  inventories: readonly Inventory[],
  observed: readonly EndpointRecord[],
  services: readonly Pick<ServiceRecord, 'service' | 'environment'>[],
): InventoryMatches {
  const others = inventories.filter((other) => !isSamePlace(other, inventory));
  const environments = environmentsOf(inventory, [...others, inventory], services);
  const matches: InventoryMatches = { routes: inventory.routes.map(() => []), undocumented: [] };
  for (const environment of environments) {
    const own = observed.filter(
      (endpoint) =>
        endpoint.service === inventory.service &&
        endpoint.environment === environment &&
        !isBucket(endpoint.route),
    );
    const { declared, undeclared } = tablesFor(inventory, own);
    for (const endpoint of own) {
      const match = declared.match(endpoint);
      if (!match) matches.undocumented.push(endpoint);
      for (const at of match?.declarations ?? []) {
        const guessed = match!.guessed || match!.prefix === undeclared;
        matches.routes[at]!.push({ endpoint, guessed });
      }
    }
  }
  return matches;
}

const isSamePlace = (a: InventoryPlace, b: InventoryPlace): boolean =>
  a.service === b.service && a.environment === b.environment;

/** Of a service that was never heard, one unnamed environment. */
function environmentsOf(
  { service, environment }: Inventory,
  inventories: readonly Inventory[],
  services: readonly Pick<ServiceRecord, 'service' | 'environment'>[],
): string[] {
  if (environment !== null) return [environment];
  const named = new Set(
    inventories
      .filter((other) => other.service === service && other.routes.length > 0)
      .map((other) => other.environment),
  );
  const heard = services.filter((record) => record.service === service);
  const others = heard.map((record) => record.environment).filter((name) => !named.has(name));
  return heard.length === 0 && named.size === 1 ? [''] : others;
}

function declare(
  inventory: Inventory,
  environment: string,
  endpoints: readonly EndpointRecord[],
  { byEndpoint, uncalled, called }: MadeDeclarations,
): void {
  const { declared, former, undeclared } = tablesFor(inventory, endpoints);
  const { routes, service } = inventory;
  const endpointOf = new Array<string | undefined>(routes.length);
  const uses = new Map<string, number>();
  for (const endpoint of endpoints) {
    if (isBucket(endpoint.route)) continue;
    const match = declared.match(endpoint);
    if (match) {
      for (const at of match.declarations) endpointOf[at] = endpoint.id;
      uses.set(match.prefix, (uses.get(match.prefix) ?? 0) + 1);
      const declaration = declarationOf(routes[match.declarations[0]!]!);
      const isGuess = match.guessed || match.prefix === undeclared;
      byEndpoint.set(endpoint.id, { ...declaration, ...(isGuess && { guessed: true }) });
      continue;
    }
    const removed = former.match({ ...endpoint, templated: false });
    const gone = removed && inventory.former[removed.declarations[0]!]!;
    if (gone !== undefined) {
      const { route, removedMs } = gone;
      byEndpoint.set(endpoint.id, { state: 'removed', deprecated: false, route, removedMs });
    } else {
      byEndpoint.set(endpoint.id, { state: 'undocumented', deprecated: false });
    }
  }
  const prefix = mostUsed(uses) ?? inventory.prefixes[0] ?? '';
  const ids = declared.ids(service, environment);
  const shown = declared.canonical(prefix);
  routes.forEach((declaredRoute, index) => {
    const id = ids[index]!;
    const endpoint = endpointOf[index];
    if (endpoint !== undefined) {
      called.set(id, endpoint);
      return;
    }
    uncalled.push({
      id,
      service,
      environment,
      method: declaredRoute.method || '*',
      route: shown[index]!,
      display: `${prefix}${declaredRoute.route}`,
      declaration: declarationOf(declaredRoute),
    });
  });
}

function declarationOf(declared: Inventory['routes'][number]): Declaration {
  const { method, route, deprecated, owner, sunset, operationId, addedMs } = declared;
  const { deprecatedSince, deprecatedMs } = declared;
  return {
    state: 'declared',
    deprecated,
    method,
    route,
    ...(owner !== undefined && { owner }),
    ...(sunset !== undefined && { sunset }),
    ...(deprecatedSince !== undefined && { deprecatedSince }),
    ...(deprecatedMs !== undefined && { deprecatedMs }),
    ...(operationId !== undefined && { operationId }),
    ...(addedMs !== undefined && { addedMs }),
  };
}

/** The prefix that most endpoints came with: routes that were never called are shown with it. */
function mostUsed(uses: ReadonlyMap<string, number>): string | undefined {
  return [...uses].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** The declarations of an inventory, with what every report needs of them again. */
class InventoryTable extends DeclarationTable {
  readonly #routes: Inventory['routes'];
  readonly #ids = new Map<string, string[]>();
  readonly #canonical = new Map<string, string[]>();

  constructor({ routes, prefixes }: Inventory) {
    super(routes, prefixes);
    this.#routes = routes;
  }

  /** The canonical routes below a prefix. */
  canonical(prefix: string): string[] {
    const known = this.#canonical.get(prefix);
    if (known) return known;
    const routes = this.#routes.map(({ route }) => canonicalRoute(`${prefix}${route}`));
    this.#canonical.set(prefix, routes);
    return routes;
  }

  ids(service: string, environment: string): string[] {
    const known = this.#ids.get(environment);
    if (known) return known;
    const ids = this.#routes.map((route) => {
      const key = `${service}\0${environment}\0${declarationKey(route)}\0${canonicalRoute(route.route)}`;
      return `${declaredIdPrefix}${createHash('sha256').update(key).digest('hex').slice(0, 24)}`;
    });
    this.#ids.set(environment, ids);
    return ids;
  }
}

/** Begins the id of an endpoint that is declared and was never called; no engine makes such ids. */
export const declaredIdPrefix = 'declared-';

interface Tables {
  declared: InventoryTable;
  former: DeclarationTable;
  /** A prefix that the inventory does not tell, and that most called routes show. */
  undeclared?: string;
}

const tables = new WeakMap<Inventory, Map<string, Tables>>();

/** Made once a version: a store answers the same object until the inventory changes. */
function tablesOf(inventory: Inventory, undeclared?: string): Tables {
  const made = tables.get(inventory) ?? new Map<string, Tables>();
  tables.set(inventory, made);
  const known = made.get(undeclared ?? '');
  if (known) return known;
  const prefixes = [...inventory.prefixes, ...(undeclared === undefined ? [] : [undeclared])];
  const former = inventory.former.map((route) => ({ ...route, deprecated: false }));
  const next = {
    declared: new InventoryTable({ ...inventory, prefixes }),
    former: new DeclarationTable(former, prefixes),
    ...(undeclared !== undefined && { undeclared }),
  };
  made.set(undeclared ?? '', next);
  return next;
}

/** @param endpoints of the inventory's service in one environment */
function tablesFor(inventory: Inventory, endpoints: readonly EndpointRecord[]): Tables {
  const told = tablesOf(inventory);
  const undeclared = undeclaredPrefix(told.declared, endpoints);
  return undeclared === undefined ? told : tablesOf(inventory, undeclared);
}
