import { limits } from '../limits.ts';

/**
 * The segments of a request path in one spelling (docs/extraction.md X20). Instrumentations record the path
 * percent-encoded, decoded, or as UTF-8 that was read as Latin-1. Query, fragment, matrix parameters, empty segments
 * and an absolute URL's origin are left out; `/a%2Fb` is one segment. Characters beyond
 * `limits.pathBytes` and segments beyond `limits.routeSegments` are ignored.
 */
export function pathSegments(path: string): string[] {
  const segments: string[] = [];
  for (const part of barePath(path).split('/')) {
    const end = part.indexOf(';');
    const segment = end === -1 ? part : part.slice(0, end);
    if (segment === '') continue;
    if (segments.length === limits.routeSegments) break;
    segments.push(readable(segment));
  }
  return segments;
}

/** Percent-decodes valid UTF-8, repairs mojibake, composes (NFC); leaves other text unchanged. */
export function readable(text: string): string {
  if (!/[%\u0080-\uffff]/.test(text)) return text;
  let decoded = percentEncodedUtf8.test(text) ? decodeURIComponent(text) : text;
  // Mojibake of mojibake exists; each turn makes the text shorter.
  while (/[\u0080-\u00ff]/.test(decoded) && latin1Utf8.test(decoded))
    decoded = Buffer.from(decoded, 'latin1').toString('utf8');
  return decoded.normalize('NFC');
}

// The well-formed sequences of UTF-8 (Unicode 16, table 3-7), so that nothing throws: an exception costs
// 10 µs, and a hostile path holds hundreds of segments.
const percentEncodedUtf8 =
  /^(?:[^%]|%[0-7][\da-f]|%(?:c[2-9a-f]|d[\da-f]|e0%[ab][\da-f]|(?:e[1-9a-cef]|f0%[9ab][\da-f]|f[123]%[89ab][\da-f]|f4%8[\da-f])%[89ab][\da-f]|ed%[89][\da-f])%[89ab][\da-f])*$/i;
const latin1Utf8 =
  /^(?:[^\u0080-\uffff]|(?:[\xc2-\xdf]|\xe0[\xa0-\xbf]|(?:[\xe1-\xec\xee\xef]|\xf0[\x90-\xbf]|[\xf1-\xf3][\x80-\xbf]|\xf4[\x80-\x8f])[\x80-\xbf]|\xed[\x80-\x9f])[\x80-\xbf])*$/;

function barePath(path: string): string {
  let bare = path.length > limits.pathBytes ? path.slice(0, limits.pathBytes) : path;
  const end = bare.search(/[?#]/);
  if (end !== -1) bare = bare.slice(0, end);
  const origin = /^https?:\/\/[^/]*/i.exec(bare);
  return origin ? bare.slice(origin[0].length) : bare;
}
