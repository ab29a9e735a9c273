import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { RouteDeclaration } from '../../core/store/live-routes.ts';
import { keyValueTag, spanTag, valueTag } from '../otlp/fields.ts';
import { ProtobufReader } from '../otlp/protobuf-reader.ts';
import { epochSeconds, nanosecondsBeyond } from '../otlp/unix-nano.ts';

/** What a span named `rollcall.inventory` declares, without the service that its resource names. */
export type DeclaredRoutes = Pick<
  RouteDeclaration,
  'set' | 'part' | 'parts' | 'routes' | 'deprecated' | 'atMs'
>;

/**
 * Reads an inventory span. It is rare, so it is decoded to strings at once.
 * @param message the export request; the span lies from `start` to `end` @param latestMs a later end is taken for this
 * @returns undefined for a span that declares nothing or cannot be read: it is one of the spans that are not SERVER
 */
export function readDeclaredRoutes(
  message: Buffer,
  start: number,
  end: number,
  latestMs: number,
): DeclaredRoutes | undefined {
  const reader = new ProtobufReader();
  reader.open(message);
  reader.at = start;
  try {
    const found = readSpan(reader, end);
    const isWhole =
      found.routes.length > 0 &&
      found.parts <= limits.declarationPartsPerSet &&
      found.part >= 1 &&
      found.part <= found.parts;
    const atMs = found.atMs === 0 ? latestMs : Math.min(found.atMs, latestMs);
    return isWhole ? { ...found, atMs } : undefined;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function readSpan(reader: ProtobufReader, end: number): DeclaredRoutes {
  const found: DeclaredRoutes = { set: '', part: 1, parts: 1, routes: [], deprecated: [], atMs: 0 };
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === spanTag.traceId) {
      const idEnd = reader.length(end);
      found.set = reader.bytes.toString('hex', reader.at, Math.min(idEnd, reader.at + 16));
      reader.at = idEnd;
    } else if (tag === spanTag.endTime) {
      const at = reader.fixed(8, end);
      const low = reader.view.getUint32(at, true);
      const seconds = epochSeconds(reader.view.getUint32(at + 4, true), low);
      found.atMs = seconds * 1000 + Math.floor(nanosecondsBeyond(seconds, low) / 1e6);
    } else if (tag === spanTag.attributes) readAttribute(reader, reader.length(end), found);
    else reader.skip(tag, end);
  }
  return found;
}

function readAttribute(reader: ProtobufReader, end: number, found: DeclaredRoutes): void {
  let key = '';
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === keyValueTag.key) key = textTo(reader, reader.length(end));
    else if (tag === keyValueTag.value) readValue(reader, reader.length(end), key, found);
    else reader.skip(tag, end);
  }
}

function readValue(reader: ProtobufReader, end: number, key: string, found: DeclaredRoutes): void {
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === valueTag.array && (key === 'rollcall.routes' || key === 'rollcall.deprecated')) {
      const texts = key === 'rollcall.routes' ? found.routes : found.deprecated;
      readTexts(reader, reader.length(end), texts);
    } else if (tag === valueTag.int) {
      const value = reader.varint(end);
      if (key === 'rollcall.inventory.part') found.part = value;
      else if (key === 'rollcall.inventory.parts') found.parts = value;
    } else reader.skip(tag, end);
  }
}

/** Texts beyond the bounds are left out. */
function readTexts(reader: ProtobufReader, end: number, texts: string[]): void {
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag !== arrayValueTag) {
      reader.skip(tag, end);
      continue;
    }
    const valueEnd = reader.length(end);
    while (reader.at < valueEnd) {
      const inner = reader.tag(valueEnd);
      if (inner !== valueTag.string) {
        reader.skip(inner, valueEnd);
        continue;
      }
      const text = textTo(reader, reader.length(valueEnd));
      const fits = text.length <= limits.routeBytes + limits.methodChars + 1;
      if (fits && texts.length < limits.inventoryRoutes) texts.push(text);
    }
  }
}

/** `ArrayValue.values`, field 1. */
const arrayValueTag = 0x0a;

function textTo(reader: ProtobufReader, end: number): string {
  const text = reader.bytes.toString('utf8', reader.at, end);
  reader.at = end;
  return text;
}
