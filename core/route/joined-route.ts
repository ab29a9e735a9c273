import { specialRoutes } from '../limits.ts';
import { routeTakesPath } from './match.ts';
import { endpointRoute, type Route } from './route.ts';

/** What another span of the same call says of its route. '' is absent. */
export interface InnerEvidence {
  httpRoute: string;
  spanName: string;
  /** A SERVER span says what the call's own could have said; an INTERNAL one may be anybody's (X14). */
  isServer: boolean;
}

/**
 * The route of a call of which several spans tell (OTLP.md X2, X14, X16); pure. The outer span's own route
 * stands where it has one. Where it is made up, an inner SERVER span's takes its place, and behind a mount
 * the route that joined to the mount takes the whole path: of several the one with most literal text.
 * @param own what the outer span alone says
 * @param inner from the outermost to the innermost
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

/** The route of this text, when it takes the whole path. */
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

/** Nothing, or what takes any path: no evidence of what is behind a mount. */
function isWildcard(httpRoute: string): boolean {
  if (/^\/*$/.test(httpRoute)) return true;
  return routeTakesPath(httpRoute, '/a') && routeTakesPath(httpRoute, '/a/b/c');
}
