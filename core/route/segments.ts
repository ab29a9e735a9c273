import { readable } from './path.ts';

/** One segment of a route, and the path segments that it matches. */
export interface RouteSegment {
  /** Canonical spelling: `users`, `{id}`, `{id}.json`; empty for the rest that `/re.*` matches. */
  text: string;
  /** `rest` matches any number of path segments, also none. */
  kind: 'literal' | 'mixed' | 'param' | 'rest';
  optional: boolean;
  /** A wildcard without a name: frameworks use it for mounts and fallbacks as well as for files. */
  anonymous: boolean;
  /** Lower-case texts a `literal` (one) or `mixed` segment must hold, in order; '' at an open end. */
  texts: string[];
}

/** A part of a segment. */
export interface Piece {
  kind: 'text' | 'param' | 'rest';
  text: string;
  named: boolean;
}

/** The route so far, and the segment being read. */
export interface RouteSegments {
  segments: RouteSegment[];
  pieces: Piece[];
  /** Inside an optional group; a segment is optional when it began there. */
  inOptional: boolean;
  segmentOptional: boolean;
  /** The segment has optional text, so it matches every path segment. */
  loose: boolean;
  /** Regular expression: `.`, `+`, `{3}` and `$` are syntax, `:` and `*` are not. */
  regex: boolean;
  /** Depth of nested groups at the current position. */
  depth: number;
}

export function newDraft(regex: boolean): RouteSegments {
  return {
    segments: [],
    pieces: [],
    inOptional: false,
    segmentOptional: false,
    loose: false,
    regex,
    depth: 0,
  };
}

/** Adds literal text to the segment. */
export function addText(draft: RouteSegments, text: string): void {
  if (draft.pieces.length === 0) draft.segmentOptional = draft.inOptional;
  const last = draft.pieces.at(-1);
  if (last?.kind === 'text') last.text += text;
  else draft.pieces.push({ kind: 'text', text, named: false });
}

/**
 * Adds a parameter, or a wildcard.
 * @param name the framework's name for it; may be empty
 * @param nameless the name to use when it has none: `re` for a regular expression
 */
export function addParam(
  draft: RouteSegments,
  name: string,
  rest: boolean,
  nameless = 'param',
): void {
  if (draft.pieces.length === 0) draft.segmentOptional = draft.inOptional;
  const named = name.replace(/[^\w-]+/g, '');
  const kind = rest ? 'rest' : 'param';
  const piece: Piece = { kind, text: named || (rest ? 'path' : nameless), named: named !== '' };
  const last = draft.pieces.at(-1);
  if (last === undefined || last.kind === 'text') {
    draft.pieces.push(piece);
    return;
  }
  // `[a-z]\d+` is one parameter to a reader.
  if (rest) last.kind = 'rest';
  if (!last.named) Object.assign(last, piece, { kind: last.kind });
}

/** The parameter just added may be missing. */
export function markOptional(draft: RouteSegments): void {
  if (draft.pieces.length === 1) draft.segmentOptional = true;
  else draft.loose = true;
}

/** Ends the segment, at a slash or at the route's end. */
export function endSegment(draft: RouteSegments): void {
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

/** Literal text that parses to itself: characters that could be syntax are percent-encoded. */
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
