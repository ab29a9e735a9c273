import { placeKey } from '../../core/store/decisions.ts';
import type { Inventory } from '../../core/store/inventory.ts';

/** Keys of the declared operations, in all environments, with each prefix of their servers and without. */
export function declaredRoutes(inventories: readonly Inventory[]): Set<string> {
  const keys = new Set<string>();
  for (const { service, routes, prefixes } of inventories) {
    for (const prefix of ['', ...prefixes]) {
      for (const { method, route } of routes) {
        const place = { service, environment: null, method: method || '*' };
        keys.add(placeKey({ ...place, route: `${prefix}${route}` }));
      }
    }
  }
  return keys;
}
