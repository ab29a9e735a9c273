import { limits } from '../limits.ts';
import type { DeclaredRoute } from './inventory.ts';

/**
 * Routes that services declare themselves, in spans named `rollcall.inventory` (docs/inventory.md). Every instance
 * declares all of its routes. A deployment replaces instances one by one, so a route is declared while any version that
 * is alive declares it.
 */

/** One span of a declaration; a long one comes in several parts. */
export interface RouteDeclaration {
  project: string;
  service: string;
  environment: string;
  /** `service.version`; '' when unknown. */
  version: string;
  /** The process; '' when unknown: then all processes are one. */
  instance: string;
  /** The same for all parts of one declaration: the id of their trace. */
  set: string;
  /** From 1 to `parts`. */
  part: number;
  parts: number;
  /** `METHOD /route` each; `*` or nothing is any method. */
  routes: string[];
  /** Those of them that are deprecated. */
  deprecated: string[];
  /** The end of the span, milliseconds since the epoch. */
  atMs: number;
}

/** The newest whole declaration of one process. */
export interface InstanceRoutes {
  version: string;
  instance: string;
  /** Equal for equal routes. */
  digest: string;
  atMs: number;
}

/**
 * The declarations that hold. A version is alive until a day after its last sign, a declaration or a call, counted back
 * from the newest sign of the service. Of a version those declarations count that are less than a day older than its
 * newest: the others are of processes that have ended.
 * @param lastCalls the last call of each version; read only when declarations alone do not tell
 */
export function liveDeclarations(
  declarations: readonly InstanceRoutes[],
  lastCalls: () => ReadonlyMap<string, number>,
): InstanceRoutes[] {
  const byVersion = Map.groupBy(declarations, ({ version }) => version);
  const newest = (list: readonly InstanceRoutes[]) => Math.max(...list.map(({ atMs }) => atMs));
  const newestMs = newest(declarations);
  const live: InstanceRoutes[] = [];
  let calls: ReadonlyMap<string, number> | undefined;
  for (const [version, list] of byVersion) {
    const versionMs = newest(list);
    if (versionMs < newestMs - limits.liveDeclarationMs) {
      calls ??= lastCalls();
      const lastSignMs = Math.max(newestMs, ...calls.values());
      if ((calls.get(version) ?? 0) < lastSignMs - limits.liveDeclarationMs) continue;
    }
    live.push(...list.filter(({ atMs }) => atMs >= versionMs - limits.liveDeclarationMs));
  }
  return live;
}

/** Lines of a declaration as declared routes; lines that are none are left out. */
export function routesOfLines(
  lines: readonly string[],
  deprecated: readonly string[],
): DeclaredRoute[] {
  const ended = new Set(deprecated.map((line) => line.trim()));
  const routes: DeclaredRoute[] = [];
  for (const line of lines) {
    const [, method, route] =
      /^\s*(?:([A-Za-z][A-Za-z-]{0,31}|\*)\s+)?([/^]\S*)\s*$/.exec(line) ?? [];
    if (route === undefined || Buffer.byteLength(route) > limits.routeBytes) continue;
    const name = method === undefined || method === '*' ? '' : method.toUpperCase();
    const isAny = name === 'ANY' || name === 'ALL';
    routes.push({ method: isAny ? '' : name, route, deprecated: ended.has(line.trim()) });
  }
  return routes;
}

/** All routes of several declarations. A route is deprecated when every declaration that has it says so. */
export function unionOf(lists: readonly (readonly DeclaredRoute[])[]): DeclaredRoute[] {
  const byKey = new Map<string, DeclaredRoute>();
  for (const list of lists) {
    for (const route of list) {
      const key = `${route.method} ${route.route}`;
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, route);
      else if (known.deprecated && !route.deprecated) byKey.set(key, route);
    }
  }
  const routes = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, route]) => route);
  return routes.slice(0, limits.inventoryRoutes);
}
