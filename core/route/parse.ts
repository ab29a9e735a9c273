import { withoutMethod } from './no-route.ts';
import { scan } from './scan.ts';
import { endSegment, newDraft, type RouteSegment } from './segments.ts';

/**
 * Reads any framework's spelling of a route (docs/extraction.md 2.5) into segments. An Express array (`/a,/b`) gives
 * one route for each alternative; a text that is no route (nginx `@name`, `~ regex`) gives none.
 * Time is at most quadratic in the length, which callers bound by `limits.routeBytes`.
 */
export function parseRoute(raw: string): RouteSegment[][] {
  const text = bareRoute(raw);
  if (text === undefined) return [];
  const routes: RouteSegment[][] = [];
  for (const alternative of alternatives(text)) routes.push(readAlternative(alternative));
  return routes;
}

/** The canonical text of one alternative. */
export function spellRoute(segments: readonly RouteSegment[]): string {
  let text = '';
  for (const segment of segments) if (segment.text !== '') text += `/${segment.text}`;
  return text === '' ? '/' : text;
}

/** The template without Go's method and host, nginx's modifiers, and a query. */
function bareRoute(raw: string): string | undefined {
  let text = withoutPlaceholders(raw.trim());
  const bare = withoutMethod(text);
  const host = bare === text ? null : /^[^/\s]*(?=\/)/.exec(bare);
  if (host) text = bare.slice(host[0].length);
  const nginx = /^(=|\^~) +/.exec(text);
  if (nginx) text = text.slice(nginx[0].length);
  if (text.startsWith('@') || /^~\*? /.test(text)) return undefined;
  text = text.replace(/^~(?=[/^(])/, '^'); // Kong's regular expressions begin with a tilde
  const origin = /^https?:\/\/[^/]*/i.exec(text);
  if (origin) text = text.slice(origin[0].length);
  const query = /\?[\w-]+=|(?<!\()\?<\w/.exec(text); // Rocket's `/search?<q>` too
  return query ? text.slice(0, query.index) : text;
}

/** Spring's `${server.error.path:${error.path:/error}}`, unresolved, by its innermost default: `/error`. */
function withoutPlaceholders(raw: string): string {
  let text = raw.includes('[object ') ? raw.replace(/\[object \w+\]/g, 'undefined') : raw;
  for (let depth = 0; depth < 4 && text.includes('${'); depth += 1)
    text = text.replace(/\$\{[\w.-]+:([^${}]*)\}/g, '$1');
  return text;
}

/** Splits the paths that Express joined by commas, not at a comma within a segment (`/{lat},{lon}`). */
function alternatives(text: string): string[] {
  if (!text.includes(',/')) return [text];
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if ('({[<'.includes(char)) depth += 1;
    else if (')}]>'.includes(char)) depth -= 1;
    else if (char === ',' && depth === 0 && text[at + 1] === '/') {
      found.push(text.slice(start, at));
      start = at + 1;
    }
  }
  found.push(text.slice(start));
  return found;
}

function readAlternative(text: string): RouteSegment[] {
  const source = regexSource(text);
  const draft = newDraft(source !== text || isRegex(source));
  scan(draft, source);
  endSegment(draft);
  return singleStars(draft.segments);
}

/** Django (also joined to plain prefixes: `api/^users/$`), Tornado, Sinatra. */
export function isRegex(text: string): boolean {
  // TanStack's splat, `/files/$`, is none: Django's expressions begin without a slash.
  if (/^\/.*[^)\]]\/\$$/.test(text) && !text.includes('^')) return false;
  if (/^(\^|\\A)|\/\^|\(\?P?<\w|\$$/.test(text)) return true;
  return /\(\?(:|-|[a-z]+[:)])/.test(text) && !/\/:\w|\{/.test(text);
}

/** The source of a RegExp in text form (`/…/i`), as Express and Koa report it; else the text itself. */
export function regexSource(text: string): string {
  const end = text.lastIndexOf('/');
  if (end < 1 || text[0] !== '/' || !/^[a-z]*$/.test(text.slice(end + 1))) return text;
  const source = text.slice(1, end);
  return /^\^|\\\//.test(source) && !source.endsWith('\\') ? source : text;
}

/** A bare `*` matches one segment (Spring, actix), but at the end all that follow. */
function singleStars(segments: RouteSegment[]): RouteSegment[] {
  for (let at = 0; at < segments.length - 1; at += 1) {
    const segment = segments[at]!;
    if (segment.kind !== 'rest' || !segment.anonymous || segment.text === '') continue;
    segment.kind = 'param';
    segment.text = '{param}';
  }
  return segments;
}
