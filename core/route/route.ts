import { limits, specialRoutes } from '../limits.ts';
import { filledRoute, isConventional } from './conventional.ts';
import { displayRoute } from './display.ts';
import { isErrorPage, takesAnyPath } from './error-page.ts';
import { heldRoutes, isPredicate } from './held-routes.ts';
import { type Coverage, coverage, routeTakesPath } from './match.ts';
import { isDebris, isFolderOnly, isNoRoute, withoutMethod } from './no-route.ts';
import { isDollarName, spelledFor } from './other-spellings.ts';
import { parseRoute, spellRoute } from './parse.ts';
import { pathSegments } from './path.ts';
import type { RouteSegment } from './segments.ts';
import { boundRoute, looksRaw, templateSegments } from './template.ts';

/** The attributes of a span that determine its route. '' is absent; the path may hold a query, encoded or not. */
export interface RouteEvidence {
  httpRoute: string;
  spanName: string;
  path: string;
  method: string;
  status: number;
  /** A function behind a gateway (AWS Lambda): its `httpRoute` may be the raw path (docs/extraction.md X6). */
  isFunction?: boolean;
  /** Of a gateway: an `httpRoute` is one of the paths that it was configured to match (X24). */
  isGateway?: boolean;
}

export interface Route {
  /** Canonical, or one of `specialRoutes`. */
  route: string;
  /** A template made from the path, wholly or behind a mount. */
  templated: boolean;
  /**
   * The reported part, when the rest is a template or another span may have it (X14, X18, X25); the key of the
   * bound on remainders.
   */
  mount?: string;
  /** The service's own spelling (core/route/display.ts), when it differs from `route`. */
  display?: string;
  /** The span reports an error page's route (X23): only the path tells the endpoint. */
  errorPage?: true;
}

/** The endpoint's route by docs/extraction.md 2.1, 2.4, 2.5, X6, X14, X15, X17, X18, X20; pure. */
export function endpointRoute(evidence: RouteEvidence): Route {
  if (evidence.isFunction) return endpointRoute(behindGateway(evidence));
  if (evidence.isGateway) return endpointRoute(ofGateway(evidence));
  const { status } = evidence;
  if (status === 405) return unmatched;
  const noPath = evidence.path === '' || evidence.path === '*'; // OPTIONS * asks the whole server
  const path = noPath ? undefined : pathSegments(evidence.path);
  if (path && namesHandler(evidence.httpRoute, path))
    return withDisplay({ route: templateSegments('', path), templated: true }, evidence.httpRoute);
  const told = bestTold(evidence, path);
  if (told) {
    const route = status === 404 ? notFoundRoute(told, path) : foundRoute(told, path);
    if (route) return route;
  }
  const isError = status >= 400 && reportsErrorPage(evidence, path);
  if (status === 404) return isError ? { ...unmatched, errorPage: true } : unmatched;
  if (path === undefined) return { route: specialRoutes.unknown, templated: false };
  const route = templateSegments('', path);
  return { route, templated: true, ...(isError && { errorPage: true as const }) };
}

/**
 * The result for an http.route text alone, for callers that cache it. When the path has `segments` segments, and
 * the status is neither 404 nor 405, the route is `canonical`. With `segments` -1, call `endpointRoute`.
 * `canonical` is '' when the text is not a route (`*`, `/**`, `@name`, '').
 */
export function routePattern(httpRoute: string): { canonical: string; segments: number } {
  const held = heldRoutes(httpRoute);
  const isHeld = isPredicate(httpRoute) && !isNoRoute(httpRoute);
  const routes = toldRoutes(isHeld ? (held[0] ?? '') : httpRoute);
  const first = routes[0];
  if (first === undefined) return { canonical: '', segments: -1 };
  const canonical = spellRoutes(routes);
  const varies = first.some((segment) => segment.optional || segment.kind === 'rest');
  const doubtful =
    isErrorPage(first) ||
    isConventional(first) ||
    first.some(isDebris) ||
    first.some(isDollarName) ||
    isName(httpRoute) ||
    held.length > 0 ||
    isRaw(first);
  const segments = varies || doubtful || routes.length > 1 ? -1 : first.length;
  return { canonical, segments };
}

/**
 * Canonical spelling of a declared or observed route: leading '/', no doubled or trailing slash,
 * parameters and regular expressions as `{name}`. Alternatives (`/a,/b`) stay joined by a comma.
 */
export function canonicalRoute(raw: string): string {
  if (raw === specialRoutes.unmatched || raw === specialRoutes.unknown) return raw;
  let text = raw;
  if (raw.length > limits.routeBytes) {
    const end = raw.lastIndexOf('/', limits.routeBytes);
    text = `${raw.slice(0, Math.max(0, end))}/*`;
  }
  const routes = parseRoute(text);
  return routes.length === 0 ? '/' : spellRoutes(routes);
}

/** Two routes are one endpoint when their shapes agree: `/users/{id}` and `/users/{user_id}`. */
export function routeShape(canonical: string): string {
  return canonical.startsWith('/') ? canonical.replace(/\{[^{}]*\}/g, '{}') : canonical;
}

/** @returns the route, with the service's own spelling when it differs */
export function withDisplay(found: Route, raw: string): Route {
  // Of several alternatives the spelling of one is its canonical one.
  if (raw.includes(',/') && !found.route.includes(',/')) return found;
  const display = displayRoute(raw);
  return display === '' || display === found.route ? found : { ...found, display };
}

const unmatched: Route = { route: specialRoutes.unmatched, templated: false };

/** A route that the span reports, and its coverage of the path; `unknown` without a path. */
interface ReportedRoute {
  segments: RouteSegment[];
  canonical: string;
  fit: Coverage | { kind: 'unknown' };
  /** As the span has it. */
  raw: string;
  /** From the span's name: less reliable, since a name can be any text. */
  fromName: boolean;
}

/**
 * The first of: an http.route that matches the whole path, a name that does, http.route, the name. A fallback
 * (`/api/v1/*`) matches any path, so the name is considered too.
 */
function bestTold(evidence: RouteEvidence, path: string[] | undefined): ReportedRoute | undefined {
  const { httpRoute, status } = evidence;
  let route = toldBy({ raw: httpRoute, routes: toldRoutes(httpRoute) }, path, false);
  route = heldBy(httpRoute, path, route) ?? route;
  if (isReplaced(route, path, status)) route = undefined;
  if (route?.fit.kind === 'whole' && isRaw(route.segments)) return undefined;
  const isSettled = route?.fit.kind === 'whole' || route?.fit.kind === 'unknown';
  if (route && isSettled && !isFallback(route.segments)) return route;
  let name = toldBy(namedRoutes(evidence.spanName, path), path, true);
  if (path) name = heldBy(evidence.spanName, path, name, true) ?? name;
  if (isReplaced(name, path, status)) name = undefined;
  if (!route || isErrorRoute(route.segments)) return name;
  return name?.fit.kind === 'whole' && !isFallback(name.segments) ? name : route;
}

/** The alternative that matches the path best; all alternatives when none matches. */
function toldBy(
  { raw, routes }: RawRoutes,
  path: string[] | undefined,
  fromName: boolean,
): ReportedRoute | undefined {
  let best: ReportedRoute | undefined;
  for (const told of routes) {
    const { segments, fit } = path ? fitted(told, path) : unknownFit(told);
    if (segments === undefined) continue;
    if (best === undefined || rank(fit) > rank(best.fit))
      best = { segments, canonical: spellRoutes([segments]), fit, raw, fromName };
  }
  if (best && (best.fit.kind === 'unknown' || best.fit.kind === 'none'))
    best.canonical = spellRoutes(routes);
  return best;
}

/**
 * The route within the text that fits the path better than the whole text does; without a path the first one.
 * A name may be any text, a raw path too: its route must take the whole path and have a parameter.
 */
function heldBy(
  text: string,
  path: string[] | undefined,
  whole: ReportedRoute | undefined,
  fromName = false,
): ReportedRoute | undefined {
  if (text === '' || isCut(text) || isNoRoute(text)) return undefined;
  if (whole?.fit.kind === 'whole' && !isPredicate(text)) return undefined;
  let best: ReportedRoute | undefined;
  let least = isPredicate(text) ? -1 : rank(whole?.fit ?? noFit);
  for (const raw of heldRoutes(text)) {
    const told = toldBy({ raw, routes: toldRoutes(raw) }, path, fromName);
    if (told === undefined || rank(told.fit) <= least) continue;
    if (fromName && (told.fit.kind !== 'whole' || !hasParam(told.segments))) continue;
    best = told;
    least = rank(told.fit);
  }
  return best;
}

const noFit: Coverage = { kind: 'none' };

/** How the route fits the path, without segments that no path has; none when such a one is all it is worth. */
function fitted(
  told: RouteSegment[],
  path: string[],
): { segments?: RouteSegment[]; fit: Coverage } {
  const fit = coverage(told, path);
  if (isRootCatchAll(told)) return { fit };
  if (fit.kind === 'whole') return { segments: told, fit };
  const once = withoutRepeat(told);
  if (once && coverage(once, path).kind === 'whole') {
    return { segments: once, fit: { kind: 'whole' } };
  }
  const spelled = spelledFor(told, path);
  if (spelled)
    return spelled.length === 0 ? { fit } : { segments: spelled, fit: { kind: 'whole' } };
  const last = told.length - 1;
  const inPath = told.filter((one, at) => !isDebris(one) && !isFolderOnly(one, at === last));
  if (inPath.length === told.length) return { segments: told, fit };
  const fitInPath = coverage(inPath, path);
  if (fitInPath.kind === 'whole') return { segments: inPath, fit: fitInPath };
  if (!told.some(isDebris)) return { segments: told, fit };
  if (fitInPath.kind === 'none' || inPath.length === 0) return { fit };
  return { segments: inPath, fit: fitInPath };
}

/** `/-/x/-/x/user` without the second `/-/x`: a middleware put the URL back that a mount had shortened. */
function withoutRepeat(route: readonly RouteSegment[]): RouteSegment[] | undefined {
  for (let length = Math.floor(route.length / 2); length > 0; length -= 1) {
    const isRepeat = route
      .slice(0, length)
      .every(({ kind, text }, at) => kind === 'literal' && route[length + at]!.text === text);
    if (isRepeat) return route.slice(length);
  }
  return undefined;
}

function unknownFit(segments: RouteSegment[]): {
  segments: RouteSegment[];
  fit: { kind: 'unknown' };
} {
  return { segments, fit: { kind: 'unknown' } };
}

function rank(fit: ReportedRoute['fit']): number {
  return ['unknown', 'none', 'prefix', 'suffix', 'whole'].indexOf(fit.kind);
}

function foundRoute(told: ReportedRoute, path: string[] | undefined): Route | undefined {
  const { canonical, fit, segments, raw } = told;
  const filled = filledBy(told, path);
  if (filled) return filled;
  if (fit.kind === 'prefix' && segments.at(-1)?.kind === 'param') return endsInParameter(told);
  if (fit.kind === 'prefix' && path) {
    const mount = canonical === '/' ? '' : canonical;
    const route = templateSegments(mount, path.slice(fit.segments));
    return mount === '' ? { route, templated: true } : { route, templated: true, mount };
  }
  if (fit.kind === 'suffix' && path) {
    const lost = templateSegments('', path)
      .split('/', fit.before + 1)
      .join('/');
    const found = { route: boundRoute(lost + canonical), templated: false };
    if (!lost.includes('{')) return raw.startsWith('/') ? withDisplay(found, lost + raw) : found;
  }
  if (told.fromName && (fit.kind === 'none' || fit.kind === 'unknown')) {
    if (canonical.includes('%20')) return undefined; // a sentence, not a route
    // A name without a parameter may be a raw path; one that does not fit the path is no evidence.
    if (!hasParam(segments)) return path ? undefined : templateOf(canonical);
  }
  return withDisplay({ route: canonical, templated: false }, raw);
}

/**
 * A reported route that ends in a parameter matches the rest of the path (X25): the texts of aiohttp's
 * `/files/{path}`, Javalin's `/files/<path>` and Wagtail's pages do not show that the parameter matches
 * slashes. Another span of the call may have the full route, as behind a mount.
 */
function endsInParameter({ canonical, raw }: ReportedRoute): Route {
  return { ...withDisplay({ route: canonical, templated: false }, raw), mount: canonical };
}

/** A 404 counts for an endpoint only when its route takes the whole path and is no fallback (X18). */
function notFoundRoute(told: ReportedRoute, path: string[] | undefined): Route | undefined {
  const { segments, fit } = told;
  const own = () => withDisplay({ route: told.canonical, templated: false }, told.raw);
  if (told.fromName && !hasParam(segments)) return unmatched;
  if (isFallback(segments)) return unmatched;
  if (fit.kind === 'whole') return filledBy(told, path) ?? own();
  if (fit.kind === 'unknown') return isErrorRoute(segments) ? unmatched : own();
  if (fit.kind === 'suffix' && segments[0]?.kind === 'literal') return foundRoute(told, path);
  if (fit.kind !== 'prefix' || told.canonical === '/') return unmatched;
  if (segments.at(-1)?.kind === 'param') return endsInParameter(told);
  // An INTERNAL span may name the route below the mount whose handler found nothing.
  return { ...unmatched, mount: told.canonical };
}

/** A conventional route by the path's own controller and action: as many endpoints as the application has. */
function filledBy({ segments, fit }: ReportedRoute, path: string[] | undefined): Route | undefined {
  if (path === undefined || fit.kind !== 'whole' || !isConventional(segments)) return undefined;
  const route = filledRoute(segments, path);
  return route === undefined ? undefined : { route: boundRoute(route), templated: true };
}

/** The routes of an http.route text; none when it is too long or matches every path. */
function toldRoutes(httpRoute: string): readonly RouteSegment[][] {
  if (httpRoute === '' || isCut(httpRoute)) return [];
  let routes = remembered.get(httpRoute);
  if (routes === undefined) {
    if (remembered.size === limits.rememberedRoutes) remembered.clear();
    routes = isNoRoute(httpRoute) ? [] : parseRoute(httpRoute).filter(isUsable);
    remembered.set(httpRoute, routes);
  }
  return routes;
}

/** A text at the bound may have been truncated (up to 4 bytes before it): half a route is not used. */
function isCut(text: string): boolean {
  return text.length * 3 > limits.routeBytes && Buffer.byteLength(text) > limits.routeBytes - 4;
}

/** Parsed routes: parsing one takes 2 µs, and a service has few. */
const remembered = new Map<string, readonly RouteSegment[][]>();

interface RawRoutes {
  raw: string;
  routes: readonly RouteSegment[][];
}

/** A route out of a span's name (2.4, X17): `GET /users/{id}`, `/users/{id}`, `GET api/users/<int:pk>/`. */
function namedRoutes(spanName: string, path: string[] | undefined): RawRoutes {
  const none = { raw: '', routes: [] };
  if (isCut(spanName)) return none;
  let text = withoutMethod(spanName);
  const host = /^[\w-]+(\.[\w-]+)+(:\d+)?(?=\/)/.exec(text); // Go's patterns may begin with one
  if (host && path?.[0] !== host[0]) text = text.slice(host[0].length);
  if (path && text.startsWith('/') && samePath(text, path)) return none;
  if (/\?[^/]*[=&]/.test(text)) return none;
  const routes = toldRoutes(text);
  if (text.startsWith('/')) return { raw: text, routes };
  const isRoute = text.includes('/') && !/\s/.test(text);
  return isRoute ? { raw: text, routes: routes.filter(hasParam) } : none;
}

function samePath(text: string, path: string[]): boolean {
  const segments = pathSegments(text);
  return segments.length === path.length && segments.every((segment, at) => segment === path[at]);
}

/** False for `*`, `/*` and `/**`: no handler, or one for every path. */
function isUsable(route: RouteSegment[]): boolean {
  if (route.length > limits.routeSegments) return false;
  return !(isRootCatchAll(route) && route[0]!.anonymous);
}

/**
 * `/{*splat}` and Hapi's `/{p*}` too are one handler for the whole application (X25): the route comes from the
 * path.
 */
function isRootCatchAll(route: RouteSegment[]): boolean {
  return route.length === 1 && route[0]!.kind === 'rest';
}

/** A wildcard alone, or a nameless one behind a prefix: `/{*splat}`, `/api/v1/*`. */
function isFallback(route: RouteSegment[]): boolean {
  const last = route.at(-1);
  return last?.kind === 'rest' && (route.length === 1 || (last.anonymous && last.text !== ''));
}

/** Spring and ASP.NET forward failed requests to `/error`. */
function isErrorRoute(route: RouteSegment[]): boolean {
  return route.length === 1 && route[0]!.text.toLowerCase() === 'error';
}

function reportsErrorPage(
  { httpRoute, status }: RouteEvidence,
  path: string[] | undefined,
): boolean {
  const told = toldBy({ raw: httpRoute, routes: toldRoutes(httpRoute) }, path, false);
  return isReplaced(told, path, status);
}

/** Whether the route is one of an error page, in place of the endpoint's that failed (X23). */
function isReplaced(
  told: ReportedRoute | undefined,
  path: string[] | undefined,
  status: number,
): boolean {
  if (told === undefined || path === undefined || status < 400) return false;
  if (!isErrorPage(told.segments)) return false;
  return told.fit.kind !== 'whole' || takesAnyPath(told.segments, path);
}

/** Whether the text is a handler's name (`app_user_show`: Symfony, Slim, Yii); a template is used instead. */
function namesHandler(httpRoute: string, path: string[]): boolean {
  if (isNoRoute(httpRoute)) return false;
  // A handler of errors answers for any path: ASP.NET's `Error`, CodeIgniter's `Errors.show404`.
  if (!isName(httpRoute) || /error|exception|not_?found|404|fallback/i.test(httpRoute))
    return false;
  return path.at(-1)?.toLowerCase() !== httpRoute.toLowerCase() && path[0] !== httpRoute;
}

/**
 * Evidence of a function behind a gateway (X6), without an http.route that is no template: API Gateway's HTTP API
 * reports the raw path, and a greedy `{proxy+}` matches every path of the code behind it.
 */
function behindGateway(evidence: RouteEvidence): RouteEvidence {
  const { path, httpRoute } = evidence;
  const isGreedy = path !== '' && /^(\/|.*\/)\{proxy\+\}$/.test(httpRoute);
  const isTemplate = !isGreedy && toldRoutes(httpRoute).some(hasParam);
  if (isTemplate) return { ...evidence, isFunction: false };
  return { ...evidence, isFunction: false, httpRoute: '', path: path || httpRoute };
}

/**
 * Evidence of a gateway (X24): Kong reports the first of a route's paths whichever matched, nginx and others
 * the prefix of a service. Only a route that matches the whole path is used.
 */
function ofGateway(evidence: RouteEvidence): RouteEvidence {
  const { path, httpRoute } = evidence;
  const isWhole = path !== '' && routeTakesPath(httpRoute, path);
  return { ...evidence, isGateway: false, httpRoute: isWhole ? httpRoute : '' };
}

function isName(httpRoute: string): boolean {
  return /^[A-Za-z_][\w.:@#\\-]*$/.test(httpRoute);
}

function hasParam(route: RouteSegment[]): boolean {
  return route.some((segment) => segment.kind !== 'literal');
}

function isRaw(route: RouteSegment[]): boolean {
  return !hasParam(route) && looksRaw(route.map((segment) => segment.text));
}

function templateOf(canonical: string): Route {
  const route = templateSegments('', pathSegments(canonical));
  return { route, templated: route !== canonical };
}

function spellRoutes(routes: readonly RouteSegment[][]): string {
  const spellings = new Set(routes.map((route) => boundRoute(spellRoute(route))));
  const text = [...spellings].join(',');
  return Buffer.byteLength(text) <= limits.routeBytes ? text : boundRoute(spellRoute(routes[0]!));
}
