import { valueKind } from './otlp/attributes.ts';
import type { TracesWalk } from './otlp/traces.ts';
import { slot } from './span-attributes.ts';

/** The methods calls are counted under: RFC 9110 and 5789, QUERY, and one bucket for all others. */
export const httpMethods = [
  '_OTHER',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
] as const;

export type HttpMethod = (typeof httpMethods)[number];

/** The place in `httpMethods` of the method of the walk's span. */
export function methodOf(walk: TracesWalk): number {
  const { attributes, cursor } = walk;
  const place = attributes.firstString(methodSlots);
  if (place >= 0) {
    const method = knownMethod(cursor.bytes, attributes.start(place), attributes.end(place));
    if (method > 0 || attributes.kind(slot.methodOriginal) !== valueKind.string) return method;
    // An instrumentation may not know the verb that we do (QUERY).
    const original = slot.methodOriginal;
    return knownMethod(cursor.bytes, attributes.start(original), attributes.end(original));
  }
  const nameEnd = walk.nameStart + walk.nameLength;
  let end = walk.nameStart;
  // Upper case only: `Post office` is a name like any other.
  while (end < nameEnd && cursor.bytes[end]! >= 0x41 && cursor.bytes[end]! <= 0x5a) end += 1;
  if (end < nameEnd && cursor.bytes[end] !== 0x20) return 0;
  return knownMethod(cursor.bytes, walk.nameStart, end);
}

/** The place in `httpMethods` of the method in these bytes, in whatever case; 0 when it is none. */
function knownMethod(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length < 3 || length > 7) return 0;
  for (let method = 1; method < httpMethods.length; method += 1) {
    const name = httpMethods[method]!;
    if (name.length !== length) continue;
    let i = 0;
    // Letters differ from their lower case in this one bit.
    while (i < length && (bytes[start + i]! & 0xdf) === name.charCodeAt(i)) i += 1;
    if (i === length) return method;
  }
  return 0;
}

const methodSlots = [slot.method, slot.oldMethod];
