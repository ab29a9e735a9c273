/** All of node:http's methods at once, as a router lists them for `all`: more than anybody writes down. */
const manyMethods = 20;

/**
 * Methods as an inventory says them: upper case, `*` for any (`_all` of Express, `ALL` of Hono, a list of all there
 * are), and no HEAD beside GET, which every framework adds by itself and nobody calls as an endpoint of its own.
 */
export function declaredMethods(names: readonly string[]): string[] {
  const methods = new Set(names.map((name) => name.toUpperCase()));
  if (methods.has('_ALL') || methods.has('ALL') || methods.has('*') || methods.size > manyMethods)
    return ['*'];
  if (methods.has('GET')) methods.delete('HEAD');
  return [...methods];
}
