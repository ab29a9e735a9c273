import { limits } from '../limits.ts';
import { canonicalRoute } from '../route/route.ts';
import { endpointShape } from './endpoint-identity.ts';

/**
 * What Rollcall asks of a store about declared routes. An inventory belongs to a service of a project, in one
 * environment or in all of them. Any process may write here, beside a collector that writes calls. Every
 * method throws AppError `unavailable` when the store cannot be read or written now.
 */
export interface InventoryStore {
  /** Makes `next` the service's inventory. The same routes again change nothing: the version stays. */
  replace(project: string, place: InventoryPlace, next: NewInventory): Promise<Inventory>;
  /** Routes stay known as former ones. @throws AppError `not_found` where there is no inventory */
  remove(project: string, place: InventoryPlace, by: Authorship): Promise<void>;
  /**
   * The newest version, the last `limits.inventoryVersions` ones in `history`: of the uploaded inventory or, where there
   * is none, of the routes that the service declares over OTLP (core/store/live-routes.ts).
   */
  inventory(project: string, place: InventoryPlace): Promise<Inventory | undefined>;
  history(project: string, place: InventoryPlace): Promise<InventoryVersion[]>;
  /**
   * The newest versions, of all projects, that were added after a revision; '' for all. Cheap when nothing changed.
   */
  changedSince(revision: string): Promise<{ revision: string; changed: ChangedInventory[] }>;
  close(): Promise<void>;
}

/** A new version of an inventory; one without routes was deleted. */
export interface ChangedInventory {
  project: string;
  source: 'upload' | 'otlp';
  inventory: Inventory;
}

export interface InventoryPlace {
  service: string;
  /** null: every environment of the service that has no inventory of its own. */
  environment: string | null;
}

/** One operation that an inventory declares. */
export interface DeclaredRoute {
  /** Upper case; '' when the declaration names no method and takes every one. */
  method: string;
  /** As declared, without the server's prefix. */
  route: string;
  deprecated: boolean;
  /** The name the document gives the operation. */
  operationId?: string;
  /** Who answers for it: `x-owner`, else the first tag. */
  owner?: string;
  /** ISO date or time after which it may be gone (`x-sunset`, RFC 8594). */
  sunset?: string;
  /** ISO date or time since which it is deprecated (`x-deprecated-since`). */
  deprecatedSince?: string;
}

export interface Authorship {
  /** The key's id or the person's word; '' when unknown. */
  author: string;
  /** Milliseconds since the epoch. */
  createdMs: number;
}

export interface NewInventory extends Authorship {
  /** How the upload was understood (analyzer/inventory). */
  format: string;
  routes: DeclaredRoute[];
  /** Paths of the declared servers, `/v1`: a call may come with or without one. */
  prefixes: string[];
}

export interface InventoryVersion extends InventoryPlace, Authorship {
  /** Counts the service's versions from 1. */
  version: number;
  format: string;
  declaredRoutes: number;
  /** Against the version before. */
  addedRoutes: number;
  removedRoutes: number;
}

export interface Inventory extends InventoryVersion {
  routes: KnownDeclaration[];
  prefixes: string[];
  /** Declared by an earlier version and by none since, latest first (core/limits.ts). */
  former: FormerRoute[];
}

/** A declaration in the store. */
export interface KnownDeclaration extends DeclaredRoute {
  /** Milliseconds since the epoch, when a later version than the first added it. */
  addedMs?: number;
  /** When a version first declared it deprecated; absent when it is not, and in what release 0.1.0 stored. */
  deprecatedMs?: number;
}

export interface FormerRoute {
  method: string;
  route: string;
  removedMs: number;
}

/**
 * The inventories that apply. An uploaded one comes before what the service declares over OTLP: a person chose it.
 * @param uploaded the newest version of each place @param overOtlp the newest version of each environment
 */
export function effectiveInventories(
  uploaded: readonly Inventory[],
  overOtlp: readonly Inventory[],
): Inventory[] {
  const chosen = uploaded.filter(({ routes }) => routes.length > 0);
  const isChosen = (declared: Inventory) =>
    chosen.some(
      ({ service, environment }) =>
        service === declared.service &&
        (environment === null || environment === declared.environment),
    );
  return [...uploaded, ...overOtlp.filter((declared) => !isChosen(declared))];
}

/** Declarations are the same when method and shape agree: a parameter's name is no part of either. */
export function declarationKey({ method, route }: { method: string; route: string }): string {
  return `${method} ${endpointShape(canonicalRoute(route))}`;
}

/** What `next` adds to and takes from `before`, and the routes that are declared and former from then on. @param formerMost former routes that are kept, the latest */
export function inventoryChange(
  before: Pick<Inventory, 'routes' | 'former'> | undefined,
  next: readonly DeclaredRoute[],
  nowMs: number,
  formerMost: number = limits.formerRoutes,
): {
  addedRoutes: number;
  removedRoutes: number;
  routes: KnownDeclaration[];
  former: FormerRoute[];
} {
  const earlier = new Map(before?.routes.map((route) => [declarationKey(route), route]));
  const declared = new Set(next.map(declarationKey));
  const routes = next.map((route): KnownDeclaration => {
    const known = earlier.get(declarationKey(route));
    const addedMs = known ? known.addedMs : before && nowMs;
    const deprecatedMs = known?.deprecated ? known.deprecatedMs : nowMs;
    return {
      ...route,
      ...(addedMs !== undefined && { addedMs }),
      ...(route.deprecated && deprecatedMs !== undefined && { deprecatedMs }),
    };
  });
  const removed = new Map<string, FormerRoute>();
  for (const [key, { method, route }] of earlier) {
    if (!declared.has(key)) removed.set(key, { method, route, removedMs: nowMs });
  }
  const kept = (before?.former ?? []).filter((route) => !declared.has(declarationKey(route)));
  return {
    addedRoutes: [...declared].filter((key) => !earlier.has(key)).length,
    removedRoutes: removed.size,
    routes,
    former: [...removed.values(), ...kept].slice(0, formerMost),
  };
}
