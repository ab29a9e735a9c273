import type { DeclaredRoute } from '../../../core/store/inventory.ts';
import { type InventoryFormat, methodsOf, routesOf } from '../declared-route.ts';
import { isObject, list, text } from '../openapi.ts';

/** Route printers that write JSON, and our own list; recognised by their members. */

/** @returns undefined for JSON that none of them writes */
export function jsonRoutes(
  document: unknown,
): { format: InventoryFormat; routes: DeclaredRoute[] } | undefined {
  if (Array.isArray(document)) return arrayRoutes(document);
  if (!isObject(document)) return undefined;
  if (Array.isArray(document.routes))
    return { format: 'routes', routes: ownRoutes(document.routes) };
  if (isObject(document.contexts))
    return { format: 'spring', routes: springRoutes(document.contexts) };
  const entries = Object.values(document);
  const isSymfony = entries.every((entry) => isObject(entry) && typeof entry.path === 'string');
  if (entries.length > 0 && isSymfony) return { format: 'symfony', routes: symfonyRoutes(entries) };
  return undefined;
}

function arrayRoutes(
  rows: readonly unknown[],
): { format: InventoryFormat; routes: DeclaredRoute[] } | undefined {
  const first = rows[0];
  if (!isObject(first)) return undefined;
  if ('uri' in first && 'action' in first)
    return { format: 'laravel', routes: laravelRoutes(rows) };
  if ('url' in first && 'module' in first) return { format: 'django', routes: urlRows(rows) };
  if ('path' in first && 'methods' in first)
    return { format: 'express', routes: expressRoutes(rows) };
  if ('method' in first && ('route' in first || 'path' in first)) {
    return { format: 'routes', routes: ownRoutes(rows) };
  }
  return undefined;
}

/** `{"method", "route", "deprecated", "deprecated_since", "owner", "sunset"}`, or texts `METHOD /route`. */
function ownRoutes(rows: readonly unknown[]): DeclaredRoute[] {
  return rows.flatMap((row) => {
    if (typeof row === 'string') {
      const found = /^(?:([A-Za-z|*-]+)\s+)?(\S+)$/.exec(row.trim());
      return found ? routesOf(methodsOf(found[1]), found[2]!) : [];
    }
    if (!isObject(row)) return [];
    const route = text(row.route) ?? text(row.path);
    if (route === undefined) return [];
    const owner = text(row.owner);
    const sunset = text(row.sunset);
    const deprecatedSince = text(row.deprecated_since);
    return routesOf(methodsOf(text(row.method) ?? list(row.methods)), route, {
      deprecated: row.deprecated === true,
      ...(owner !== undefined && { owner }),
      ...(sunset !== undefined && { sunset }),
      ...(deprecatedSince !== undefined && { deprecatedSince }),
    });
  });
}

/** `php artisan route:list --json`. */
function laravelRoutes(rows: readonly unknown[]): DeclaredRoute[] {
  return rows.flatMap((row) =>
    isObject(row) ? routesOf(methodsOf(text(row.method)), text(row.uri) ?? '/') : [],
  );
}

/** `show_urls --format json` of django-extensions. */
function urlRows(rows: readonly unknown[]): DeclaredRoute[] {
  return rows.flatMap((row) => (isObject(row) ? routesOf([''], text(row.url) ?? '/') : []));
}

/** express-list-endpoints. */
function expressRoutes(rows: readonly unknown[]): DeclaredRoute[] {
  return rows.flatMap((row) =>
    isObject(row) ? routesOf(methodsOf(list(row.methods)), text(row.path) ?? '/') : [],
  );
}

/** `bin/console debug:router --format=json`: names to routes. */
function symfonyRoutes(entries: readonly unknown[]): DeclaredRoute[] {
  return entries.flatMap((entry) => {
    const { path, method } = entry as Record<string, unknown>;
    return routesOf(methodsOf(Array.isArray(method) ? method : text(method)), String(path));
  });
}

/** `/actuator/mappings` of Spring Boot, servlet and reactive. */
function springRoutes(contexts: Record<string, unknown>): DeclaredRoute[] {
  const routes: DeclaredRoute[] = [];
  for (const context of Object.values(contexts)) {
    if (!isObject(context) || !isObject(context.mappings)) continue;
    for (const kind of ['dispatcherServlets', 'dispatcherHandlers']) {
      const handlers = context.mappings[kind];
      if (!isObject(handlers)) continue;
      for (const mapping of Object.values(handlers).flatMap(list))
        routes.push(...springMapping(mapping));
    }
  }
  return routes;
}

/** A mapping without conditions serves files or is Spring's own. */
function springMapping(mapping: unknown): DeclaredRoute[] {
  const details = isObject(mapping) ? mapping.details : undefined;
  const conditions = isObject(details) ? details.requestMappingConditions : undefined;
  if (!isObject(conditions)) return [];
  const methods = methodsOf(list(conditions.methods));
  return list(conditions.patterns).flatMap((pattern) =>
    typeof pattern === 'string' ? routesOf(methods, pattern) : [],
  );
}
