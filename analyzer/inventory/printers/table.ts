import type { DeclaredRoute } from '../../../core/store/inventory.ts';
import { methodsOf, routesOf } from '../declared-route.ts';

/** Route printers that write lines for people: each takes the whole text's lines. */

/** `rails routes`: `prefix VERB /path(.:format) controller#action`; also `rails routes --expanded`. */
export function railsRoutes(lines: readonly string[]): DeclaredRoute[] {
  const routes: DeclaredRoute[] = [];
  let verb = '';
  for (const line of lines) {
    const expanded = /^\s*(Verb|URI)\s*\|\s*(.*?)\s*$/.exec(line);
    if (expanded) {
      if (expanded[1] === 'Verb') verb = expanded[2]!;
      else routes.push(...routesOf(methodsOf(verb), railsPath(expanded[2]!)));
      continue;
    }
    const row = /^\s*(?:[a-z_]\w*\s+)?(?:([A-Z]+(?:\|[A-Z]+)*)\s+)?(\/\S*|\*\S*)\s+\S/.exec(line);
    if (row) routes.push(...routesOf(methodsOf(row[1]), railsPath(row[2]!)));
  }
  return routes;
}

/** The format is no part of the route that instrumentation reports and callers seldom use. */
const railsPath = (path: string): string => path.replace(/\(\.:format\)$/, '');

/** `flask routes`: columns Endpoint, Methods, Rule, in an order that its options change. */
export function flaskRoutes(lines: readonly string[]): DeclaredRoute[] {
  const top = lines.findIndex((line) => /^Endpoint\s+.*Methods\s+.*Rule\b/.test(line));
  const dashes = lines[top + 1] ?? '';
  const columns = [...dashes.matchAll(/-+/g)].map(({ index }) => index);
  const [methodsAt, ruleAt] = [1, 2].map((n) => columns[n] ?? 0) as [number, number];
  const routes: DeclaredRoute[] = [];
  for (const line of lines.slice(top + 2)) {
    const rule = line.slice(ruleAt).trim();
    if (!rule.startsWith('/')) continue;
    routes.push(...routesOf(methodsOf(line.slice(methodsAt, ruleAt)), rule));
  }
  return routes;
}

/** Django's `show_urls` (django-extensions): URL, view, name and decorators by tabs; it knows no methods. */
export function djangoUrls(lines: readonly string[]): DeclaredRoute[] {
  return lines.flatMap((line) => {
    const [url = ''] = line.split('\t');
    return url.startsWith('/') && line.includes('\t') ? routesOf([''], url.trim()) : [];
  });
}

/** Nest's log at start: `Mapped {/users/:id, GET} route`. */
export function nestRoutes(lines: readonly string[]): DeclaredRoute[] {
  return lines.flatMap((line) => {
    const found = /Mapped \{(\S*), ([A-Z]+)\}/.exec(line);
    return found ? routesOf(methodsOf(found[2]), found[1]!) : [];
  });
}

/** Fastify's `printRoutes()`: a tree whose branches' texts join to a route. */
export function fastifyRoutes(lines: readonly string[]): DeclaredRoute[] {
  const routes: DeclaredRoute[] = [];
  const branch: { depth: number; text: string }[] = [];
  for (const line of lines) {
    const found = /^([\s│]*)[└├]──\s(.*?)\s?(?:\(([A-Z, -]+)\))?\s*$/.exec(line);
    if (!found) continue;
    const depth = found[1]!.length;
    while (branch.length > 0 && branch.at(-1)!.depth >= depth) branch.pop();
    branch.push({ depth, text: found[2] === '(empty root node)' ? '' : found[2]! });
    if (found[3] === undefined) continue;
    const route = branch.map(({ text }) => text).join('');
    routes.push(...routesOf(methodsOf(found[3]), route.replace(/\/{2,}/g, '/')));
  }
  return routes;
}

/** One `METHOD /route` a line, in either order of common printers (`GET     /users`); `#` begins a comment. */
export function lineRoutes(lines: readonly string[]): { routes: DeclaredRoute[]; wrong: number[] } {
  const routes: DeclaredRoute[] = [];
  const wrong: number[] = [];
  lines.forEach((line, index) => {
    const told = line.replace(/(^|\s)#.*$/, '').trim();
    if (told === '') return;
    const found = /^(?:([A-Za-z*-]+(?:[|,]\s?[A-Za-z-]+)*)\s+)?(\/\S*|\^\S*)(\s+deprecated)?$/.exec(
      told,
    );
    if (!found) wrong.push(index + 1);
    else {
      const deprecated = found[3] !== undefined;
      routes.push(...routesOf(methodsOf(found[1]), found[2]!, { deprecated }));
    }
  });
  return { routes, wrong };
}
