import { limits } from './limits.ts';

/**
 * The segments of a request path in one spelling, whatever the instrumentation recorded (OTLP.md X20):
 * percent-encoded, decoded, or UTF-8 read as Latin-1. Query, fragment, matrix parameters, empty segments
 * and an absolute URL's origin are left out; `/a%2Fb` is one segment. What is beyond
 * `limits.pathBytes` characters is not read.
 */
export function pathSegments(path: string): string[] {
  const segments: string[] = [];
  for (const part of barePath(path).split('/')) {
    const end = part.indexOf(';');
    const segment = end === -1 ? part : part.slice(0, end);
    if (segment !== '') segments.push(readable(segment));
  }
  return segments;
}

/** Text percent-decoded where it is valid UTF-8, mojibake undone, composed; anything else as it is. */
export function readable(text: string): string {
  if (!/[%\u0080-\uffff]/.test(text)) return text;
  let decoded = text;
  if (text.includes('%')) {
    try {
      decoded = decodeURIComponent(text);
    } catch {
      // Not UTF-8, or a bare percent sign: nobody's template, keep what was sent.
    }
  }
  if (/[\u0080-\u00ff]/.test(decoded) && !/[\u0100-\uffff]/.test(decoded)) {
    try {
      decoded = utf8.decode(Buffer.from(decoded, 'latin1'));
    } catch {
      // Real Latin-1 letters, no mojibake.
    }
  }
  return decoded.normalize('NFC');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function barePath(path: string): string {
  let bare = path.length > limits.pathBytes ? path.slice(0, limits.pathBytes) : path;
  const end = bare.search(/[?#]/);
  if (end !== -1) bare = bare.slice(0, end);
  const origin = /^https?:\/\/[^/]*/i.exec(bare);
  return origin ? bare.slice(origin[0].length) : bare;
}
