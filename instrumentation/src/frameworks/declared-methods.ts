/** A route with 8 methods or more was made by the router's `all` (Fastify registers 8 or more, Koa 34). */
const manyMethods = 8;

/**
 * Methods in the inventory's spelling: upper case, `*` for any method (Express's `_all`, Hono's `ALL`, a list of 8 or
 * more). HEAD is left out beside GET, because frameworks add it by themselves.
 */
export function declaredMethods(names: readonly string[]): string[] {
  const methods = new Set(names.map((name) => name.toUpperCase()));
  if (methods.has('_ALL') || methods.has('ALL') || methods.has('*') || methods.size >= manyMethods)
    return ['*'];
  if (methods.has('GET')) methods.delete('HEAD');
  return [...methods];
}

/**
 * True for a route that ends in a wildcard at a segment's start. With any method it is usually the application's 404
 * page (Nest adds one below its global prefix), sometimes a proxy: it is not declared, and a 404 does not get it.
 */
export function isCatchAll(route: string): boolean {
  return /(?:^|\/)(?:\*\w*|\{\/?\*\w*\}|\{\w+\*\}|\(\.\*\))$/.test(route);
}
