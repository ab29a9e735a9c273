import type { RouteSegment } from './segments.ts';

/**
 * Whether a route belongs to a page that shows errors, by its words: `Error/{statusCode:int?}`, `/_error`,
 * `/500`, `= /50x.html`, `/:code`. Frameworks forward a failed request to such a page and report the page's
 * route instead of the endpoint's (docs/extraction.md X23). The path cannot decide it: a rewritten route does
 * not match its path either, and is right.
 */
export function isErrorPage(route: readonly RouteSegment[]): boolean {
  return route.some(isErrorLiteral) || isStatusParameter(route.at(-1), route.length);
}

/** Whether an error page's route takes the path by its parameter alone: `/:code` for `/orders`. */
export function takesAnyPath(route: readonly RouteSegment[], path: readonly string[]): boolean {
  const isOpen = route.every(({ kind }) => kind === 'param' || kind === 'rest');
  return isOpen && !/^[1-5]\d\d$/.test(path.at(-1) ?? '');
}

function isErrorLiteral({ kind, texts }: RouteSegment): boolean {
  if (kind !== 'literal') return false;
  const text = texts[0]!.replace(/\.\w{1,10}$/, '');
  if (/^[45](\d\d|xx|0x)$/.test(text)) return true;
  return errorWord.test(text) || errorWords.test(text.replace(/[^a-z]+/g, ''));
}

/** Parameters that hold a status: `{statusCode}` anywhere, `:code` and `:status` when nothing else is there. */
function isStatusParameter(segment: RouteSegment | undefined, segments: number): boolean {
  if (segment === undefined || segment.kind === 'literal') return false;
  const name = segment.text.replace(/[^A-Za-z]+/g, '').toLowerCase();
  if (/^(http)?(error|status)(code|id)$|^httpstatus$|^fallbackplaceholder$/.test(name)) return true;
  return segments === 1 && /^(code|status|error)$/.test(name);
}

// `texts` of a literal are in small letters, so a name in camel case has no borders.
const errorWord = /(^|[^a-z])(err|oops|whoops|sorry|forbidden|unauthori[sz]ed)([^a-z]|$)/;
const errorWords =
  /error|exception|notfound|statuscode|httpstatus|accessdenied|badrequest|unavailable|maintenance/;
