import { methodWordOf } from '../../../core/route/no-route.ts';
import { type AttributeSlots, valueKind } from '../../otlp/attributes.ts';
import type { TracesReader } from '../../otlp/traces-reader.ts';
import { slot } from '../span-attributes.ts';

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

/** The index in `httpMethods` of the method of the walk's span. */
export function methodOf(walk: TracesReader): number {
  const { attributes, cursor } = walk;
  const place = attributes.firstString(methodSlots);
  if (place >= 0) {
    const method = knownMethod(cursor.bytes, attributes.start(place), attributes.end(place));
    if (method > 0 || attributes.kind(slot.methodOriginal) !== valueKind.string) return method;
    // An instrumentation may not know the verb that we do (QUERY).
    const original = slot.methodOriginal;
    return knownMethod(cursor.bytes, attributes.start(original), attributes.end(original));
  }
  return methodOfName(walk);
}

/** Whether an attribute names the method, one that is counted or another. */
export function saysMethod(attributes: AttributeSlots): boolean {
  return attributes.firstString(methodSlots) >= 0;
}

/** A verb at the beginning of the span's name; the name itself may be any text. */
function methodOfName({ cursor, nameStart, nameLength }: TracesReader): number {
  const end = nameStart + Math.min(nameLength, 64);
  const verb = Buffer.from(methodWordOf(cursor.bytes.toString('latin1', nameStart, end)), 'latin1');
  return knownMethod(verb, 0, verb.length);
}

/** Whether these bytes are a method that calls are counted under. */
export function isKnownMethod(bytes: Buffer, start: number, end: number): boolean {
  return knownMethod(bytes, start, end) > 0;
}

/** The index in `httpMethods` of the method in these bytes, in any case; 0 when it is none. */
function knownMethod(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length < 3 || length > 7) return 0;
  const method = byInitialAndLength[(bytes[start]! & 31) * 8 + length]!;
  const name = httpMethods[method]!;
  for (let i = 0; i < length; i += 1) {
    // A letter and its lower case differ in this one bit.
    if ((bytes[start + i]! & 0xdf) !== name.charCodeAt(i)) return 0;
  }
  return method;
}

// No two methods have the same first letter and length: one comparison is enough.
const byInitialAndLength = new Uint8Array(32 * 8);
for (const [place, name] of httpMethods.entries()) {
  if (place > 0) byInitialAndLength[(name.charCodeAt(0) & 31) * 8 + name.length] = place;
}

const methodSlots = [slot.method, slot.oldMethod];
