import { specialRoutes } from '../limits.ts';
import { routeTakesPath } from './match.ts';
import { endpointRoute, type Route } from './route.ts';

/** Route and path of another span of the same call. '' is absent. */
export interface InnerEvidence {
  httpRoute: string;
  spanName: string;
  /** The other span is a SERVER span: as reliable as the call's own. An INTERNAL span must match the path (X14). */
  isServer: boolean;
}

/**
 * The route of a call that has several spans (docs/extraction.md X2, X14, X16); pure. A route that the outer span
 * reports is used. A templated one is replaced by an inner SERVER span's route. Behind a mount, the route that
 * matches the whole path when joined to the mount is used; of several, the one with the most literal text.
 * @param own the outer span's route
 * @param inner other spans, from the outermost to the innermost
 */
export function joinedRoute(
  own: Route,
  evidence: { path: string; method: string; status: number },
  inner: readonly InnerEvidence[],
): Route {
  const isTold = isFound(own);
  if (isTold && own.mount === undefined) return own;
  let best: Route | undefined;
  for (const { httpRoute, spanName, isServer } of inner) {
    if (own.mount !== undefined && !isWildcard(httpRoute)) {
      const joined = `${own.mount}/${httpRoute.replace(/^\/+/, '')}`;
      best = better(best, wholeRoute(joined, evidence) ?? wholeRoute(httpRoute, evidence));
    }
    if (!isServer || isTold) continue;
    const found = endpointRoute({ ...evidence, httpRoute, spanName });
    if (isFound(found)) best = better(best, found);
  }
  return best ?? own;
}

/** The route of this text, when it matches the whole path. */
function wholeRoute(
  httpRoute: string,
  evidence: { path: string; method: string; status: number },
): Route | undefined {
  if (!routeTakesPath(httpRoute, evidence.path)) return undefined;
  const found = endpointRoute({ ...evidence, httpRoute, spanName: '' });
  return isFound(found) ? found : undefined;
}

function isFound({ route, templated }: Route): boolean {
  return !templated && route !== specialRoutes.unknown && route !== specialRoutes.unmatched;
}

function better(a: Route | undefined, b: Route | undefined): Route | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return literals(b) > literals(a) ? b : a;
}

function literals({ route }: Route): number {
  return route.replace(/\{[^{}]*\}/g, '').length;
}

/** An empty route, or one that matches every path: it does not show what is behind a mount. */
function isWildcard(httpRoute: string): boolean {
  if (/^\/*$/.test(httpRoute)) return true;
  return routeTakesPath(httpRoute, '/a') && routeTakesPath(httpRoute, '/a/b/c');
}
