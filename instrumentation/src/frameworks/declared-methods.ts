/** So many at once are a router's list for `all` (Fastify 8 and more, Koa 34): nobody writes them all down. */
const manyMethods = 8;

/**
 * Methods as an inventory says them: upper case, `*` for any (`_all` of Express, `ALL` of Hono, a list of all there
 * are), and no HEAD beside GET, which every framework adds by itself and nobody calls as an endpoint of its own.
 */
export function declaredMethods(names: readonly string[]): string[] {
  const methods = new Set(names.map((name) => name.toUpperCase()));
  if (methods.has('_ALL') || methods.has('ALL') || methods.has('*') || methods.size >= manyMethods)
    return ['*'];
  if (methods.has('GET')) methods.delete('HEAD');
  return [...methods];
}

/**
 * Whether a route of any method takes whatever is left: mostly what answers 404 (Nest makes one below its global
 * prefix), sometimes a proxy. It is no endpoint to declare, and no route of a 404.
 */
export function isCatchAll(route: string): boolean {
  return /(?:^|\/)(?:\*\w*|\{\/?\*\w*\}|\{\w+\*\}|\(\.\*\))$/.test(route);
}
