import type { DeclaredRoute } from '../../core/store/inventory.ts';

/** The content of a document or route list, before anything is stored. */
export interface ReadInventory {
  /** How the text was understood. */
  format: InventoryFormat;
  routes: DeclaredRoute[];
  /** Paths of the declared servers, `/v1`, without the empty one; a call may come with or without it. */
  prefixes: string[];
  /** Things left out, each as one sentence for the person who uploads. At most `limits.inventoryNotes`. */
  notes: string[];
}

export const inventoryFormats = [
  'openapi',
  'swagger',
  'routes',
  'rails',
  'laravel',
  'symfony',
  'flask',
  'django',
  'spring',
  'express',
  'nest',
  'fastify',
] as const;
export type InventoryFormat = (typeof inventoryFormats)[number];

/** Method names of HTTP that a declaration may use. */
const methodPattern = /^[A-Z][A-Z-]{0,31}$/;

/**
 * The methods in `GET|HEAD`, `GET, POST` or an array. `ANY`, `ALL`, `*` and nothing mean every method: one
 * empty text. HEAD beside GET is dropped: servers answer HEAD wherever they answer GET.
 */
export function methodsOf(told: string | readonly unknown[] | undefined): string[] {
  const names = typeof told === 'string' ? told.split(/[|,\s]+/) : (told ?? []).map(String);
  const methods = new Set<string>();
  for (const name of names) {
    const method = name.trim().toUpperCase();
    if (method === 'ANY' || method === 'ALL' || method === '*') return [''];
    if (methodPattern.test(method)) methods.add(method);
  }
  if (methods.has('GET')) methods.delete('HEAD');
  return methods.size === 0 ? [''] : [...methods];
}

/** A declared route for each method. */
export function routesOf(
  methods: readonly string[],
  route: string,
  rest: Partial<DeclaredRoute> = {},
): DeclaredRoute[] {
  const path = route.startsWith('/') || route.startsWith('^') ? route : `/${route}`;
  return methods.map((method) => ({ deprecated: false, ...rest, method, route: path }));
}
