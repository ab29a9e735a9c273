import { limits } from '../limits.ts';
import { withoutMethod } from './no-route.ts';
import { isRegex, regexSource } from './parse.ts';

/**
 * A route as its service spells it, for people to recognise: `/users/:id`, `<int:pk>`, `app_user_show`.
 * A regular expression is shown without its delimiters, anchors and escapes, its named groups as `{name}`:
 * `^users/(?P<pk>[^/.]+)/$` is `/users/{pk}/`, `/^\/re.*$/i` is `/re.*`. One line, within
 * `limits.routeBytes`; time is linear in the length but for nested groups.
 */
export function displayRoute(raw: string): string {
  const line = raw.replace(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  const bare = withoutMethod(line); // Go's pattern begins with the method
  const text = (/^\S*\//.test(bare) ? bare : line).replace(/^~(?=[/^(])/, ''); // Kong
  const source = regexSource(text);
  const shown = source !== text || isRegex(source) ? readableRegex(source) : text;
  return Buffer.byteLength(shown) <= limits.routeBytes ? shown : '';
}

function readableRegex(source: string): string {
  const bare = namedGroups(source)
    .replace(/^(\^|\\A)+/, '')
    .replace(/\/\^+/g, '/') // Django joins patterns: api/^users/$
    .replace(/(\$|\\[zZ])$/, '')
    .replace(/\(\?(:|=|!|<=|<!|[a-z]+\))/g, '(')
    .replace(/\\([^\w\s])/g, '$1')
    .replace(/\/\??$|\/\*$/, (end) => (end === '/' ? '/' : ''))
    .trim();
  return bare.startsWith('/') ? bare : `/${bare}`;
}

/** `(?P<name>…)` and `(?<name>…)` as `{name}`. */
function namedGroups(source: string): string {
  let text = '';
  let at = 0;
  const opening = /\(\?P?<(\w+)>/y;
  while (at < source.length) {
    opening.lastIndex = at;
    const group = opening.exec(source);
    if (group === null) {
      const step = source[at] === '\\' ? 2 : 1;
      text += source.slice(at, at + step);
      at += step;
      continue;
    }
    text += `{${group[1]}}`;
    at = groupEnd(source, at);
  }
  return text;
}

/** The index behind the group that opens at `open`; the text's end when it does not close. */
function groupEnd(source: string, open: number): number {
  let depth = 0;
  let inClass = false;
  for (let at = open; at < source.length; at += 1) {
    const char = source[at];
    if (char === '\\') at += 1;
    else if (inClass) inClass = char !== ']';
    else if (char === '[') inClass = true;
    else if (char === '(') depth += 1;
    else if (char === ')') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return source.length;
}
