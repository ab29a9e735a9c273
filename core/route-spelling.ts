import { readable } from './path-segments.ts';

/** One segment of a route, and which path segments it takes. */
export interface RouteSegment {
  /** Canonical spelling: `users`, `{id}`, `{id}.json`; empty for the unseen rest behind `/re.*`. */
  text: string;
  /** `rest` takes any number of path segments, also none. */
  kind: 'literal' | 'mixed' | 'param' | 'rest';
  optional: boolean;
  /** A wildcard without a name: frameworks use it for mounts and fallbacks as well as for files. */
  anonymous: boolean;
  /** Lower-case texts a `literal` (one) or `mixed` segment must hold, in order; '' at an open end. */
  texts: string[];
}

/**
 * Reads any framework's spelling of a route (OTLP.md 2.5) into segments. An Express array (`/a,/b`) gives
 * one route for each alternative; a text that is no route (nginx `@name`, `~ regex`) gives none.
 * Time is at most quadratic in the length, which callers bound by `limits.routeBytes`.
 */
export function readRoute(raw: string): RouteSegment[][] {
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

/** Without what is no part of the template: Go's method and host, nginx's modifiers, a query. */
function bareRoute(raw: string): string | undefined {
  let text = raw.trim();
  const go = /^[A-Z]{3,10} +[^/\s]*(?=\/)/.exec(text);
  if (go) text = text.slice(go[0].length);
  const nginx = /^(=|\^~) +/.exec(text);
  if (nginx) text = text.slice(nginx[0].length);
  if (text.startsWith('@') || /^~\*? /.test(text)) return undefined;
  const origin = /^https?:\/\/[^/]*/i.exec(text);
  if (origin) text = text.slice(origin[0].length);
  const query = /\?[\w-]+=/.exec(text);
  return query ? text.slice(0, query.index) : text;
}

/** Express joins an array of paths by commas; a comma inside a segment (`/{lat},{lon}`) is none of those. */
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

interface Piece {
  kind: 'text' | 'param' | 'rest';
  text: string;
  named: boolean;
}

/** The route so far, and the segment being read. */
interface Draft {
  segments: RouteSegment[];
  pieces: Piece[];
  /** Inside an optional group; a segment is optional when it began there. */
  inOptional: boolean;
  segmentOptional: boolean;
  /** The segment holds optional text, so any path segment may be it. */
  loose: boolean;
  /** Regular expression: `.`, `+`, `{3}` and `$` are syntax, `:` and `*` are not. */
  regex: boolean;
}

function readAlternative(text: string): RouteSegment[] {
  const source = regexSource(text);
  const regex = source !== text || /^(\^|\\A)|\/\^|\(\?(P?<|:|-|[a-z]+[:)])|\$$/.test(source);
  const draft: Draft = {
    segments: [],
    pieces: [],
    inOptional: false,
    segmentOptional: false,
    loose: false,
    regex,
  };
  scan(draft, source);
  endSegment(draft);
  return singleStars(draft.segments);
}

/** The source of a RegExp that was turned into text, as Express and Koa report it; else the text itself. */
function regexSource(text: string): string {
  const end = text.lastIndexOf('/');
  if (end < 1 || text[0] !== '/' || !/^[a-z]*$/.test(text.slice(end + 1))) return text;
  const source = text.slice(1, end);
  return /^\^|\\\//.test(source) && !source.endsWith('\\') ? source : text;
}

/** A bare `*` before the end stands for one segment (Spring, actix); at the end for all the rest. */
function singleStars(segments: RouteSegment[]): RouteSegment[] {
  for (let at = 0; at < segments.length - 1; at += 1) {
    const segment = segments[at]!;
    if (segment.kind !== 'rest' || !segment.anonymous || segment.text === '') continue;
    segment.kind = 'param';
    segment.text = '{param}';
  }
  return segments;
}

function scan(draft: Draft, text: string): void {
  let at = 0;
  while (at < text.length) at = scanOne(draft, text, at);
}

/** Reads what begins at `at` and returns the index behind it. */
function scanOne(draft: Draft, text: string, at: number): number {
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

function scanEscape(draft: Draft, text: string, at: number): number {
  const next = text[at + 1];
  if (next === undefined) return at + 1;
  if (next === '/') endSegment(draft);
  else if ('dwsDWS'.includes(next)) addParam(draft, next === 'd' ? 'id' : '', false);
  else if (!'AzZbBG'.includes(next)) addText(draft, next);
  return 'dwsDWS'.includes(next) ? skipQuantifier(text, at + 2) : at + 2;
}

/** `{id}`, `{id:int}`, `{id?}`, `{*rest}`, `{rest...}`, `{proxy+}`, `{name=projects/*}`, `{/:optional}`. */
function scanBraces(draft: Draft, text: string, at: number): number {
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
    scanOptional(draft, content); // Express 5
    return end + 1;
  }
  const split = content.search(/[:=]/);
  const constraint = split === -1 ? '' : content.slice(split + 1).trim();
  if (content[split] === '=' && constraint.includes('/')) {
    scan(draft, constraint); // google.api.http: {name=projects/*}
    return end + 1;
  }
  let name = (split === -1 ? content : content.slice(0, split)).trim();
  let rest = crossesSegments(constraint);
  const optional = name.endsWith('?') || constraint.endsWith('?');
  if (/^(\*|\+|\.\.\.)/.test(name) || /(\.\.|[*+]\d{0,3})$/.test(name)) {
    rest = true;
    name = name.replace(/[*+]\d{0,3}$/, '');
  }
  addParam(draft, name, rest);
  if (optional) markOptional(draft);
  return text[end + 1] === '?' ? end + 2 : end + 1;
}

/** Flask and Django `<int:id>`, Sanic and Bottle `<id:int>`, Rocket `<path..>`. */
function scanAngles(draft: Draft, text: string, at: number): number {
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
    const reversed = converters.has(after) && !converters.has(before.replace(/\(.*$/s, ''));
    name = reversed ? before : after;
    converter = reversed ? after : before;
  }
  addParam(draft, name, crossesSegments(converter));
  return end + 1;
}

const converters = new Set(
  'any default float int path re regex slug str string uuid alpha ymd ext'.split(' '),
);

/** Next.js `[id]`, `[...slug]`, `[[...slug]]` and ASP.NET `[controller]`; else a class of characters. */
function scanBrackets(draft: Draft, text: string, at: number): number {
  if (!draft.regex && draft.pieces.length === 0) {
    nextSegment.lastIndex = at;
    const next = nextSegment.exec(text);
    if (next) {
      addParam(draft, next[2]!, next[1] === '...');
      if (text[at + 1] === '[') markOptional(draft);
      return at + next[0].length;
    }
  }
  const end = classEnd(text, at);
  if (end === -1) {
    addText(draft, '[');
    return at + 1;
  }
  addParam(draft, /^\[(0-9|\\d)\]$/.test(text.slice(at, end + 1)) ? 'id' : '', false);
  return skipQuantifier(text, end + 1);
}

const nextSegment = /\[{1,2}(\.\.\.)?([\w-]+)(?:=\w+)?\]{1,2}(?=\/|$)/y;

/** A group: optional parts of Rails and Express, a regular expression's parameter, Ktor's selectors. */
function scanGroup(draft: Draft, text: string, at: number): number {
  const end = closing(text, at, '(', ')');
  if (end === -1) {
    addText(draft, '(');
    return at + 1;
  }
  const body = text.slice(at + 1, end);
  const after = skipQuantifier(text, end + 1);
  if (/^\?(<?[=!])/.test(body)) return after; // lookaround takes nothing
  if (/^(authenticate|method|header|host|port|accept)\b/.test(body)) return after; // Ktor
  if (/^\\?\.:?\w+$/.test(body)) return after; // (.:format) of Rails, (.json) of Grape
  if (/^'?\{[^{}]*\}'?$/.test(body) && draft.pieces.length > 0) {
    addText(draft, '('); // OData: Users({id})
    scan(draft, body.replaceAll("'", ''));
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
    if (/^[?*]/.test(text.slice(end + 1)) || !draft.regex) scanOptional(draft, inner);
    else scan(draft, inner);
    return after;
  }
  if (/^:?\w*$/.test(inner)) {
    draft.loose = true;
    scan(draft, inner);
    return after;
  }
  addParam(draft, /^(\\d|\[0-9\])[+*\d{},]*$/.test(inner) ? 'id' : '', crossesSegments(inner));
  return after;
}

/** `:id`, `:id(\\d+)`, `:id?`, `:path*`. `things:batchGet` and `{id}:cancel` are Google's custom verbs. */
function scanColon(draft: Draft, text: string, at: number): number {
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

function isVerb(draft: Draft): boolean {
  const last = draft.pieces.at(-1);
  if (last === undefined) return false;
  if (last.kind !== 'text') return true;
  if (draft.pieces.length > 1) return false;
  return last.text !== 'v' && /[\w]$/.test(last.text);
}

function scanStar(draft: Draft, text: string, at: number): number {
  if (draft.regex && draft.pieces.length > 0) return at + 1;
  starName.lastIndex = at;
  const star = starName.exec(text)!;
  addParam(draft, star[1] ?? '', true);
  return at + star[0].length;
}

const starName = /\*+([A-Za-z_]\w*)?/y;

function scanDot(draft: Draft, text: string, at: number): number {
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
function scanDollar(draft: Draft, text: string, at: number): number {
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
function scanPercent(draft: Draft, text: string, at: number): number {
  const next = text.slice(at + 1, at + 3);
  if (/^[sd]/.test(next) && !/^[\da-f]{2}$/i.test(next)) {
    addParam(draft, '', false);
    return at + 2;
  }
  addText(draft, '%');
  return at + 1;
}

function scanOptional(draft: Draft, text: string): void {
  const outer = draft.inOptional;
  draft.inOptional = true;
  scan(draft, text);
  draft.inOptional = outer;
}

function addText(draft: Draft, text: string): void {
  if (draft.pieces.length === 0) draft.segmentOptional = draft.inOptional;
  const last = draft.pieces.at(-1);
  if (last?.kind === 'text') last.text += text;
  else draft.pieces.push({ kind: 'text', text, named: false });
}

/** @param name as the framework has it; empty for a nameless one. */
function addParam(draft: Draft, name: string, rest: boolean): void {
  if (draft.pieces.length === 0) draft.segmentOptional = draft.inOptional;
  const named = name.replace(/[^\w-]+/g, '');
  const kind = rest ? 'rest' : 'param';
  const piece: Piece = { kind, text: named || (rest ? 'path' : 'param'), named: named !== '' };
  const last = draft.pieces.at(-1);
  if (last === undefined || last.kind === 'text') {
    draft.pieces.push(piece);
    return;
  }
  // `[a-z]\d+` is one parameter to a reader.
  if (rest) last.kind = 'rest';
  if (!last.named) Object.assign(last, piece, { kind: last.kind });
}

function markOptional(draft: Draft): void {
  if (draft.pieces.length === 1) draft.segmentOptional = true;
  else draft.loose = true;
}

function endSegment(draft: Draft): void {
  const { pieces, segments, loose } = draft;
  if (pieces.length === 0) return;
  draft.pieces = [];
  draft.loose = false;
  const optional = draft.segmentOptional;
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  if (pieces.length === 1 && first.kind !== 'text') {
    const anonymous = !first.named;
    segments.push({ text: `{${first.text}}`, kind: first.kind, optional, anonymous, texts: [] });
    return;
  }
  let text = '';
  const texts: string[] = first.kind === 'text' ? [] : [''];
  for (let at = 0; at < pieces.length; at += 1) {
    const piece = pieces[at]!;
    if (piece.kind === 'text') {
      const decoded = readable(piece.text);
      texts.push(decoded.toLowerCase());
      text += literalText(decoded, pieces, at);
    } else text += `{${piece.text}}`;
  }
  if (last.kind !== 'text') texts.push('');
  const kind = loose ? 'param' : pieces.length === 1 ? 'literal' : 'mixed';
  segments.push({ text, kind, optional, anonymous: false, texts });
  if (last.kind === 'rest')
    segments.push({ text: '', kind: 'rest', optional: true, anonymous: true, texts: [] });
}

/** Literal text so that reading it again gives the same: what could be syntax is percent-encoded. */
function literalText(decoded: string, pieces: Piece[], at: number): string {
  let start = 0;
  let end = decoded.length;
  if (isKey(pieces, at - 1)) start = 1;
  if (isKey(pieces, at + 1)) end -= 1;
  let safe = decoded
    .slice(start, end)
    .replace(/[%\s{}<>[\]()*\\^?|#/\p{Cc}\p{Cf}]/gu, percent)
    .replace(/\.\+/g, '.%2B');
  // A colon is read as literal only behind a word or a parameter: things:batch, {id}:cancel.
  if (at === 0) safe = safe.replace(/^(v?):/, '$1%3A').replace(/(?<=\W):/g, '%3A');
  else safe = safe.replace(/(?<=.):/gs, '%3A');
  if (at === pieces.length - 1) safe = safe.replace(/[$,]$/, percent);
  return decoded.slice(0, start) + safe + decoded.slice(end);
}

/** Whether the piece is an OData key: a parameter in parentheses behind a name, `Users({id})`. */
function isKey(pieces: Piece[], at: number): boolean {
  const before = pieces[at - 1];
  const after = pieces[at + 1];
  if (pieces[at] === undefined || pieces[at].kind === 'text') return false;
  if (before?.kind !== 'text' || after?.kind !== 'text') return false;
  return (
    before.text.endsWith('(') && after.text.startsWith(')') && (at > 1 || before.text.length > 1)
  );
}

function percent(char: string): string {
  const bytes = Buffer.from(char, 'utf8').toString('hex').toUpperCase();
  return bytes.replace(/../g, '%$&');
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

/** The end of a class of characters, where `]` may stand first: `[^]/]`. */
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
