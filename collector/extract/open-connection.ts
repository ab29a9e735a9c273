import type { Config } from '../../core/config/config.ts';
import { type AttributeSlots, valueKind } from '../otlp/attributes.ts';
import { mark, slot } from './span-attributes.ts';

/**
 * Calls whose span lasts as long as a connection stays open (docs/extraction.md X7): WebSockets, and streams of
 * events. A refused call is answered at once, so its duration is a latency.
 */

/**
 * Whether the call opens a WebSocket. Looks at few bytes of most spans.
 * @param bytes of the message
 * @param method 0 when the span names none
 */
export function opensWebSocket(
  attributes: AttributeSlots,
  bytes: Buffer,
  status: number,
  method: number,
): boolean {
  return (
    status === switchingProtocols ||
    ((method === 0 ||
      (attributes.marks & mark.stream) !== 0 ||
      attributes.firstByte(slot.scheme) === letterW ||
      ((attributes.marks & mark.urlOrOldScheme) !== 0 &&
        (attributes.firstByte(slot.oldScheme) === letterW ||
          attributes.firstByte(slot.url) === letterW ||
          attributes.firstByte(slot.oldUrl) === letterW))) &&
      isWebSocket(attributes, bytes))
  );
}

/** The status of a WebSocket's opening. */
const switchingProtocols = 101;

/** Of the schemes `ws` and `wss`; `firstByte` gives lower case. */
const letterW = 0x77;

/** @returns the duration, or -1 for a connection that stayed open: its duration is no latency (docs/extraction.md X7) */
export function latencyOf(
  attributes: AttributeSlots,
  durationNs: number,
  status: number,
  isSocket: boolean,
  { upgrades, streams, longerThanNs }: Config['excludeLatency'],
): number {
  if (durationNs > longerThanNs) return -1;
  if (status >= 400) return durationNs;
  if (upgrades && isSocket) return -1;
  return streams && isEventStream(attributes) ? -1 : durationNs;
}

/**
 * By scheme (`ws`, `wss`), URL, or the request's `Upgrade` header. ASGI servers give WebSockets no method, and
 * the status 200 or none.
 * @param bytes of the message
 */
function isWebSocket(attributes: AttributeSlots, bytes: Buffer): boolean {
  for (let i = 0; i < schemeSlots.length; i += 1) {
    const place = schemeSlots[i]!;
    if (attributes.kind(place) !== valueKind.string) continue;
    const start = attributes.start(place);
    if (beginsWithWs(bytes, start, attributes.end(place))) return true;
  }
  if ((attributes.marks & mark.stream) === 0) return false;
  return attributes.texts(slot.upgrade).some((text) => /\bwebsocket\b/i.test(text));
}

/** `ws`, `wss` and what begins with `ws:`. */
function beginsWithWs(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < 2 || (bytes[start]! | 0x20) !== 0x77 || (bytes[start + 1]! | 0x20) !== 0x73) {
    return false;
  }
  return /^wss?(:|$)/i.test(bytes.toString('latin1', start, Math.min(end, start + 4)));
}

/**
 * By the response's content type where it was captured, else by what the request accepts: a caller that wants a
 * stream asks for nothing else (MCP's clients accept JSON too, and mostly get it).
 */
function isEventStream(attributes: AttributeSlots): boolean {
  const types = contentTypeSlots.flatMap((place) => attributes.texts(place));
  if (types.length > 0) return types.some((type) => streamType.test(type));
  const accepted = attributes.texts(slot.accept).flatMap((text) => text.split(','));
  return accepted.length === 1 && /^\s*text\/event-stream\b/i.test(accepted[0]!);
}

const schemeSlots = [slot.scheme, slot.oldScheme, slot.url, slot.oldUrl];
const contentTypeSlots = [slot.contentType, slot.oldContentType];
const streamType =
  /^\s*(text\/event-stream|multipart\/x-mixed-replace|application\/stream\+json)\b/i;
