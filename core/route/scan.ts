import { addParam, addText, endSegment, markOptional, type RouteSegments } from './segments.ts';

/** Reads a route's text, or a group of it, in any framework's syntax, into the draft. */
export function scan(draft: RouteSegments, text: string): void {
  let at = 0;
  while (at < text.length) at = scanOne(draft, text, at);
}

/** Reads the construct at `at` and returns the index after it. */
function scanOne(draft: RouteSegments, text: string, at: number): number {
  const char = text[at]!;
  switch (char) {
    case '/':
      endSegment(draft);
      return text[at + 1] === '?' ? at + 2 : at + 1;
    case '\\':
      return scanEscape(draft, text, at);
    case '{':
      return scanBraces(draft, text, at);
    case '<':
      return scanAngles(draft, text, at);
    case '[':
      return scanBrackets(draft, text, at);
    case '(':
      return scanGroup(draft, text, at);
    case ':':
      return scanColon(draft, text, at);
    case '*':
      return scanStar(draft, text, at);
    case '.':
      return scanDot(draft, text, at);
    case '$':
      return scanDollar(draft, text, at);
    case '%':
      return scanPercent(draft, text, at);
    case '^':
    case '?':
      return at + 1;
    case '+':
      if (!draft.regex) addText(draft, char);
      return at + 1;
    default: {
      plain.lastIndex = at;
      const run = plain.exec(text)![0];
      addText(draft, run);
      return at + run.length;
    }
  }
}

const plain = /[^/\\{<[(:*.$%^?+]+/y;

function scanEscape(draft: RouteSegments, text: string, at: number): number {
  const next = text[at + 1];
  if (next === undefined) return at + 1;
  if (next === '/') endSegment(draft);
  else if ('dwsDWS'.includes(next)) addParam(draft, next === 'd' ? 'id' : '', false, 're');
  else if (!'AzZbBG'.includes(next)) addText(draft, next);
  return 'dwsDWS'.includes(next) ? skipQuantifier(text, at + 2) : at + 2;
}

/** `{id}`, `{id:int}`, `{id?}`, `{*rest}`, `{rest...}`, `{proxy+}`, `{name=projects/*}`, `{/:optional}`. */
function scanBraces(draft: RouteSegments, text: string, at: number): number {
  const end = closing(text, at, '{', '}');
  if (end === -1) {
    addText(draft, '{');
    return at + 1;
  }
  const content = text.slice(at + 1, end).trim();
  if (draft.regex && /^[\d,]*$/.test(content)) return end + 1;
  // Go's {$} ends a route; {?q}, {&q} and {#f} of RFC 6570 are no part of the path.
  if (content === '$' || /^[?&#]/.test(content)) return end + 1;
  if (!draft.regex && /^(\/|[^\w\s]?:\w)/.test(content)) {
    scanGroupBody(draft, content, true); // Express 5
    return end + 1;
  }
  const split = content.search(/[:=]/);
  const constraint = split === -1 ? '' : content.slice(split + 1).trim();
  if (content[split] === '=' && constraint.includes('/')) {
    scanGroupBody(draft, constraint, false); // google.api.http: {name=projects/*}
    return end + 1;
  }
  let name = (split === -1 ? content : content.slice(0, split)).trim();
  let rest = crossesSegments(constraint);
  // ASP.NET's {action=Index} has a default, so the path may lack it.
  const hasDefault = content[split] === '=' && /^\w/.test(constraint);
  const optional = hasDefault || name.endsWith('?') || constraint.endsWith('?');
  if (/^(\*|\+|\.\.\.)/.test(name) || /(\.\.|[*+]\d{0,3})$/.test(name)) {
    rest = true;
    name = name.replace(/[*+]\d{0,3}$/, '');
  }
  addParam(draft, name, rest);
  if (optional) markOptional(draft);
  return text[end + 1] === '?' ? end + 2 : end + 1;
}

/** Flask and Django `<int:id>`, Sanic and Bottle `<id:int>`, Rocket `<path..>`. */
function scanAngles(draft: RouteSegments, text: string, at: number): number {
  const end = closing(text, at, '<', '>');
  if (end === -1) {
    addText(draft, '<');
    return at + 1;
  }
  const content = text.slice(at + 1, end).trim();
  let name = content.replace(/\.\.$/, '');
  let converter = content.endsWith('..') ? 'path' : '';
  const colon = content.lastIndexOf(':');
  if (colon !== -1) {
    const before = content.slice(0, colon).trim();
    const after = content.slice(colon + 1).trim();
    // Yii's <id:\d+> holds an expression behind the name.
    const isExpression = /^\w+$/.test(before) && !/^\w+$/.test(after);
    const isConverter = converters.has(after) && !converters.has(before.replace(/\(.*$/s, ''));
    const reversed = isConverter || isExpression;
    name = reversed ? before : after;
    converter = reversed ? after : before;
  }
  addParam(draft, name, crossesSegments(converter));
  return end + 1;
}

const converters = new Set(
  'any default float int num path re regex slug str string uuid alpha ymd ext'.split(' '),
);

/** Next.js `[id]`, `[...slug]`, `[[...slug]]` and ASP.NET `[controller]`; else a class of characters. */
function scanBrackets(draft: RouteSegments, text: string, at: number): number {
  if (!draft.regex && draft.pieces.length === 0) {
    nextSegment.lastIndex = at;
    const next = nextSegment.exec(text);
    if (next) {
      addParam(draft, next[2]!, next[1] === '...');
      if (text[at + 1] === '[') markOptional(draft);
      return at + next[0].length;
    }
  }
  const group = draft.regex ? -1 : optionalGroupEnd(text, at);
  if (group !== -1) {
    const body = text.slice(at + 1, group);
    if (body === '...') addParam(draft, '', true);
    else scanGroupBody(draft, body, true);
    return group + 1;
  }
  const end = classEnd(text, at);
  if (end === -1) {
    addText(draft, '[');
    return at + 1;
  }
  addParam(draft, /^\[(0-9|\\d)\]$/.test(text.slice(at, end + 1)) ? 'id' : '', false, 're');
  return skipQuantifier(text, end + 1);
}

/**
 * The end of an optional part in brackets: Slim's and FastRoute's `[/{name}]`, Laminas' `[/:id]`, Cowboy's
 * `[page/:number]` and its rest `[...]`. A class of characters (`[^/]`) is none. -1 where there is none.
 */
function optionalGroupEnd(text: string, at: number): number {
  let depth = 0;
  for (let end = at; end < text.length; end += 1) {
    if (text[end] === '[') depth += 1;
    else if (text[end] === ']') depth -= 1;
    if (depth > 0) continue;
    const body = text.slice(at + 1, end);
    return body === '...' || /^\/[\w:{<[]|^\w[\w-]*\/[\w:{<[]/.test(body) ? end : -1;
  }
  return -1;
}

const nextSegment = /\[{1,2}(\.\.\.)?([\w-]+)(?:=\w+)?\]{1,2}(?=\/|$)/y;

/** A group: optional parts of Rails and Express, a regular expression's parameter, Ktor's selectors. */
function scanGroup(draft: RouteSegments, text: string, at: number): number {
  const end = closing(text, at, '(', ')');
  if (end === -1) {
    addText(draft, '(');
    return at + 1;
  }
  const body = text.slice(at + 1, end);
  const after = skipQuantifier(text, end + 1);
  if (isFolderGroup(draft, text, at, end)) return end + 1;
  if (/^\?(<?[=!])/.test(body)) return after; // lookaround takes nothing
  if (/^(authenticate|method|header|host|port|accept)\b/.test(body)) return after; // Ktor
  if (/^\\?\.:?\w+$/.test(body)) return after; // (.:format) of Rails, (.json) of Grape
  if (/^'?\{[^{}]*\}'?$/.test(body) && draft.pieces.length > 0) {
    addText(draft, '('); // OData: Users({id})
    scanGroupBody(draft, body.replaceAll("'", ''), false);
    addText(draft, ')');
    return end + 1;
  }
  const named = /^\?P?<(\w+)>/.exec(body);
  if (named) {
    addParam(draft, named[1]!, crossesSegments(body));
    return after;
  }
  const inner = body.replace(/^\?[\w-]*:/, '').replace(/^\?[\w-]+$/, '');
  const outsideClasses = inner.replace(/\[(?:[^\]\\]|\\.)*\]/g, '');
  if (/\//.test(outsideClasses) && !outsideClasses.includes('|')) {
    const next = text[end + 1];
    scanGroupBody(draft, inner, !draft.regex || next === '?' || next === '*');
    return after;
  }
  if (/^:?\w*$/.test(inner)) {
    draft.loose = true;
    scanGroupBody(draft, inner, false);
    return after;
  }
  const digits = /^(\\d|\[0-9\])[+*\d{},]*$/.test(inner);
  addParam(draft, digits ? 'id' : '', crossesSegments(inner), 're');
  return after;
}

/**
 * `/(app)/users/[id]`: folders of SvelteKit and Next.js that group pages and are no part of the path;
 * `/(.)photo` and `/(..)photo`: Next.js' intercepting routes. Not where other groups are a regular expression's.
 */
function isFolderGroup(draft: RouteSegments, text: string, open: number, end: number): boolean {
  if (draft.regex || draft.pieces.length > 0 || draft.depth > 0) return false;
  if (open > 0 && text[open - 1] !== '/') return false;
  const body = text.slice(open + 1, end);
  if (/^\.{1,3}$/.test(body)) return true;
  if (end + 1 < text.length && text[end + 1] !== '/') return false;
  return /^[A-Za-z][\w-]*$/.test(body) && !/\((?![\w.-]+\))/.test(text);
}

/** `:id`, `:id(\\d+)`, `:id?`, `:path*`. `things:batchGet` and `{id}:cancel` are Google's custom verbs. */
function scanColon(draft: RouteSegments, text: string, at: number): number {
  if (text[at + 1] === ':') {
    addText(draft, ':'); // Fastify's escape
    return at + 2;
  }
  colonName.lastIndex = at;
  const name = colonName.exec(text);
  if (!name || draft.regex || isVerb(draft)) {
    addText(draft, ':');
    return at + 1;
  }
  let end = at + name[0].length;
  let constraint = '';
  if (text[end] === '(' && !/^\(\/|^\(\.:?\w+\)/.test(text.slice(end, end + 100))) {
    const close = closing(text, end, '(', ')');
    if (close !== -1) {
      constraint = text.slice(end + 1, close);
      end = close + 1;
    }
  }
  const mark = text[end];
  addParam(draft, name[1]!, mark === '*' || mark === '+' || crossesSegments(constraint));
  if (mark === '?') markOptional(draft);
  return mark === '*' || mark === '+' || mark === '?' ? end + 1 : end;
}

const colonName = /:([A-Za-z_]\w*)/y;

function isVerb(draft: RouteSegments): boolean {
  const last = draft.pieces.at(-1);
  if (last === undefined) return false;
  if (last.kind !== 'text') return true;
  if (draft.pieces.length > 1) return last.text.endsWith(')');
  return last.text !== 'v' && /[\w]$/.test(last.text);
}

function scanStar(draft: RouteSegments, text: string, at: number): number {
  if (draft.regex && draft.pieces.length > 0) return at + 1;
  starName.lastIndex = at;
  const star = starName.exec(text)!;
  addParam(draft, star[1] ?? '', true);
  return at + star[0].length;
}

const starName = /\*+([A-Za-z_]\w*)?/y;

function scanDot(draft: RouteSegments, text: string, at: number): number {
  const quantifier = text[at + 1];
  const wild = quantifier === '*' || quantifier === '+';
  if (wild && (draft.regex || draft.pieces.length === 0)) {
    addParam(draft, '', true);
    return skipQuantifier(text, at + 1);
  }
  addText(draft, '.');
  return at + 1;
}

/** Play's `$id<[^/]+>`, a regular expression's end, or OData's `$metadata`. */
function scanDollar(draft: RouteSegments, text: string, at: number): number {
  playName.lastIndex = at;
  const play = playName.exec(text);
  if (play) {
    const open = at + play[0].length - 1;
    const end = closing(text, open, '<', '>');
    if (end !== -1) {
      addParam(draft, play[1]!, crossesSegments(text.slice(open + 1, end)));
      return end + 1;
    }
  }
  if (!draft.regex) addText(draft, '$');
  return at + 1;
}

const playName = /\$([A-Za-z_]\w*)</y;

/** Tornado's `%s`; otherwise a percent-encoded literal. */
function scanPercent(draft: RouteSegments, text: string, at: number): number {
  const next = text.slice(at + 1, at + 3);
  if (/^[sd]/.test(next) && !/^[\da-f]{2}$/i.test(next)) {
    addParam(draft, '', false);
    return at + 2;
  }
  addText(draft, '%');
  return at + 1;
}

/** Nested groups that are read. Real routes nest less, and each level reads its text again. */
const groupsMax = 8;

function scanGroupBody(draft: RouteSegments, text: string, optional: boolean): void {
  if (draft.depth === groupsMax) {
    addParam(draft, '', false, 're');
    return;
  }
  const outer = draft.inOptional;
  draft.inOptional = outer || optional;
  draft.depth += 1;
  scan(draft, text);
  draft.depth -= 1;
  draft.inOptional = outer;
}

/** Whether a constraint or converter takes slashes: `.*`, `.+`, `path`. */
function crossesSegments(constraint: string): boolean {
  return /^path\b|(^|[^\\])\.[*+]/.test(constraint.trim());
}

/** The index of the bracket that closes the one at `open`; -1 when none does. */
function closing(text: string, open: number, left: string, right: string): number {
  let depth = 0;
  let classes = true;
  for (let at = open; at < text.length; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (char === '[' && classes) {
      const end = classEnd(text, at);
      if (end === -1) classes = false;
      else at = end;
    } else if (char === left) depth += 1;
    else if (char === right) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

/** The end of a character class; a leading `]` belongs to it: `[^]/]`. */
function classEnd(text: string, open: number): number {
  let at = open + 1;
  if (text[at] === '^') at += 1;
  if (text[at] === ']') at += 1;
  for (; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === ']') return at;
  }
  return -1;
}

function skipQuantifier(text: string, at: number): number {
  quantifierAt.lastIndex = at;
  return at + quantifierAt.exec(text)![0].length;
}

const quantifierAt = /(?:[*+?]|\{\d+,?\d*\})?[?+]?/y;
