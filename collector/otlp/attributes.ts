import { limits } from '../../core/limits.ts';
import { finish, mix, sameBytes } from '../intern/hash.ts';
import { int64, type ProtobufReader } from './protobuf-reader.ts';

/** What an attribute's AnyValue holds. `none`: no attribute, an empty value, or an empty string. */
export const valueKind = {
  none: 0,
  string: 1,
  bool: 2,
  int: 3,
  double: 4,
  array: 5,
  /** kvlist and bytes: nothing we read. */
  other: 6,
} as const;

/** An attribute that is wanted. `mark` is or-ed into the marks of a span that has it. */
export interface WantedKey {
  key: string;
  mark?: number;
}

/**
 * The wanted attributes of one span or resource, as offsets into the message: each wanted key has a slot.
 * Keys are matched by their bytes and no string is made; an unwanted attribute costs a hash of its key.
 * Duplicate keys: the last wins (docs/conformance.md P6). Field numbers: common/v1/common.proto.
 */
export class AttributeSlots {
  /** Marks of the attributes seen since `begin`. */
  marks = 0;
  readonly #cursor: ProtobufReader;
  readonly #marks: Int32Array;
  // A slot holds something when its generation is the current one: nothing is cleared between spans.
  #generation = 1;
  readonly #seen: Int32Array;
  readonly #kind: Uint8Array;
  readonly #start: Int32Array;
  readonly #end: Int32Array;
  // Open addressing over the keys: slot + 1, or 0.
  readonly #table = new Int16Array(tableSize);
  readonly #hash: Int32Array;
  readonly #keyView: DataView;
  readonly #keyStart: Int32Array;

  /** @param keys slot `i` takes the attribute `keys[i]`; the keys are distinct and not empty */
  constructor(cursor: ProtobufReader, keys: readonly WantedKey[]) {
    this.#cursor = cursor;
    this.#seen = new Int32Array(keys.length);
    this.#kind = new Uint8Array(keys.length);
    this.#start = new Int32Array(keys.length);
    this.#end = new Int32Array(keys.length);
    this.#marks = Int32Array.from(keys, (key) => key.mark ?? 0);
    this.#hash = new Int32Array(keys.length);
    this.#keyStart = new Int32Array(keys.length + 1);
    const bytes = Buffer.from(keys.map((key) => key.key).join(''));
    this.#keyView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const [slot, { key }] of keys.entries()) {
      const start = this.#keyStart[slot]!;
      const length = Buffer.byteLength(key);
      this.#keyStart[slot + 1] = start + length;
      const hash = hashKey(this.#keyView, start, length);
      this.#hash[slot] = hash;
      let at = hash & (tableSize - 1);
      while (this.#table[at] !== 0) at = (at + 1) & (tableSize - 1);
      this.#table[at] = slot + 1;
    }
  }

  /** Forgets the attributes of the last span. */
  begin(): void {
    this.marks = 0;
    this.#generation += 1;
    if (this.#generation === 0x3fff_ffff) {
      this.#generation = 1;
      this.#seen.fill(0);
    }
  }

  /** Takes what another span of the same message has in this slot; nothing when it has nothing there. */
  copy(from: AttributeSlots, slot: number): void {
    const kind = from.kind(slot);
    if (kind !== valueKind.none) this.#set(slot, kind, from.start(slot), from.end(slot));
  }

  /** The first byte of a string, an ASCII letter in small; 0 when the slot holds no string. */
  firstByte(slot: number): number {
    if (this.kind(slot) !== valueKind.string) return 0;
    return this.#cursor.bytes[this.#start[slot]!]! | 0x20;
  }

  /** Gives the slot what another slot of the same span has. */
  assign(slot: number, from: number): void {
    this.#set(slot, this.kind(from), this.#start[from]!, this.#end[from]!);
  }

  kind(slot: number): number {
    return this.#seen[slot] === this.#generation ? this.#kind[slot]! : valueKind.none;
  }

  /** Where the value's bytes start: a string's content, a number's encoding, an array's KeyValue. */
  start(slot: number): number {
    return this.#start[slot]!;
  }

  end(slot: number): number {
    return this.#end[slot]!;
  }

  /** The first of the slots that holds a string, or -1. */
  firstString(slots: readonly number[]): number {
    for (let i = 0; i < slots.length; i += 1) {
      if (this.kind(slots[i]!) === valueKind.string) return slots[i]!;
    }
    return -1;
  }

  /** A number however it was sent: int, double, or text (Envoy, Rust). NaN when there is none. */
  number(slot: number): number {
    const { bytes, view } = this.#cursor;
    const start = this.#start[slot]!;
    switch (this.kind(slot)) {
      case valueKind.int:
        return smallInt(bytes, start, this.#end[slot]!);
      case valueKind.double:
        return view.getFloat64(start, true);
      case valueKind.string: {
        const text = bytes.toString('latin1', start, this.#end[slot]).trim();
        return text === '' ? Number.NaN : Number(text);
      }
      default:
        return Number.NaN;
    }
  }

  /** A scalar as text, its digits exact; '' when there is none. */
  text(slot: number): string {
    const { bytes, view } = this.#cursor;
    const start = this.#start[slot]!;
    switch (this.kind(slot)) {
      case valueKind.string:
        return bytes.toString('utf8', start, this.#end[slot]);
      case valueKind.int:
        return int64(bytes, start).toString();
      case valueKind.double:
        return String(view.getFloat64(start, true));
      case valueKind.bool:
        return bytes[start] === 0 ? 'false' : 'true';
      default:
        return '';
    }
  }

  /** A string, or the strings of an array: its last `limits.arrayTexts`. */
  texts(slot: number): string[] {
    const kind = this.kind(slot);
    if (kind === valueKind.string) return [this.text(slot)];
    if (kind !== valueKind.array) return [];
    return arrayTexts(this.#cursor, this.#start[slot]!, this.#end[slot]!);
  }

  /**
   * Takes one KeyValue message, and leaves the cursor anywhere.
   * @throws AppError `invalid` when it is malformed, as far as it was read
   */
  take(start: number, end: number): void {
    const { bytes } = this.#cursor;
    // What every encoder writes: key, then value, nothing else, and short lengths.
    if (end - start > 4 && bytes[start] === keyTag) {
      const keyLength = bytes[start + 1]!;
      const valueTagAt = start + 2 + keyLength;
      if (keyLength < 128 && valueTagAt + 2 < end && bytes[valueTagAt] === valueTag) {
        let valueLength = bytes[valueTagAt + 1]!;
        let valueStart = valueTagAt + 2;
        if (valueLength > 127) {
          valueLength = (valueLength & 127) + bytes[valueStart]! * 128;
          valueStart += 1;
        }
        if (valueStart + valueLength === end && valueLength < 128 * 128) {
          const slot = this.#find(start + 2, keyLength);
          if (slot >= 0) this.#takeValue(slot, start, valueStart, end);
          return;
        }
      }
    }
    this.#takeAnyOrder(start, end);
  }

  #takeValue(slot: number, start: number, valueStart: number, end: number): void {
    const { bytes } = this.#cursor;
    const tag = bytes[valueStart];
    if (tag === stringTag) {
      const length = bytes[valueStart + 1]!;
      const isShort = length < 128;
      const textStart = valueStart + (isShort ? 2 : 3);
      const textLength = isShort ? length : (length & 127) + bytes[valueStart + 2]! * 128;
      // A third byte of the length would make it longer than the value.
      if (textStart + textLength === end) {
        this.#set(slot, textLength === 0 ? valueKind.none : valueKind.string, textStart, end);
        return;
      }
    } else if (tag === intTag) {
      const last = end - 1;
      let at = valueStart + 1;
      while (at < last && bytes[at]! > 127) at += 1;
      if (at === last && bytes[at]! < 128 && at - valueStart <= 10) {
        this.#set(slot, valueKind.int, valueStart + 1, end);
        return;
      }
    }
    this.#takeAnyOrder(start, end);
  }

  /** A KeyValue with fields in any order and number. A message field that comes twice is merged. */
  #takeAnyOrder(start: number, end: number): void {
    const cursor = this.#cursor;
    // Nothing, or a key of two bytes at the most and no value: the cheapest attributes to send.
    const size = end - start;
    const { bytes } = cursor;
    if (size === 0 || (size < 5 && bytes[start] === keyTag && bytes[start + 1] === size - 2))
      return;
    let keyStart = start;
    let keyLength = 0;
    setFound(valueKind.none, 0, 0);
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === keyTag) {
        const keyEnd = cursor.length(end);
        keyStart = cursor.at;
        keyLength = keyEnd - keyStart;
        cursor.at = keyEnd;
      } else if (tag === valueTag) {
        readValue(cursor, cursor.length(end));
      } else cursor.skip(tag, end);
    }
    const slot = keyLength === 0 ? -1 : this.#find(keyStart, keyLength);
    if (slot < 0) return;
    if (found.kind === valueKind.array) this.#set(slot, found.kind, start, end);
    else if (found.kind === valueKind.string && found.start === found.end) {
      this.#set(slot, valueKind.none, 0, 0);
    } else this.#set(slot, found.kind, found.start, found.end);
  }

  #set(slot: number, kind: number, start: number, end: number): void {
    this.marks |= this.#marks[slot]!;
    this.#seen[slot] = this.#generation;
    this.#kind[slot] = kind;
    this.#start[slot] = start;
    this.#end[slot] = end;
  }

  /** The slot of a key, or -1. */
  #find(start: number, length: number): number {
    const { view } = this.#cursor;
    const hash = hashKey(view, start, length);
    let at = hash & (tableSize - 1);
    for (;;) {
      const slot = this.#table[at]! - 1;
      if (slot < 0) return -1;
      if (this.#hash[slot] === hash) {
        const keyStart = this.#keyStart[slot]!;
        if (
          this.#keyStart[slot + 1]! - keyStart === length &&
          sameBytes(this.#keyView, keyStart, view, start, length)
        ) {
          return slot;
        }
      }
      at = (at + 1) & (tableSize - 1);
    }
  }
}

const tableSize = 256;

const keyTag = 0x0a;
const valueTag = 0x12;

const stringTag = 0x0a;
const boolTag = 0x10;
const intTag = 0x18;
const doubleTag = 0x21;
const arrayTag = 0x2a;
const arrayItemTag = 0x0a;
const kvlistTag = 0x32;
const bytesTag = 0x3a;

/**
 * A hash of length, first and last four bytes: it differs for the wanted keys. Keys with equal hashes are
 * compared.
 */
function hashKey(view: DataView, start: number, length: number): number {
  if (length < 4) {
    let hash = length;
    for (let i = 0; i < length; i += 1) hash = mix(hash, view.getUint8(start + i));
    return finish(hash);
  }
  const first = Math.imul(view.getInt32(start, true), 0x9e3779b1);
  const last = view.getInt32(start + length - 4, true);
  const hash = Math.imul(first ^ last ^ (length << 24), 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

// Results of readValue: one value at a time, invalid after the next call.
const found = { kind: 0 as number, start: 0, end: 0 };

function setFound(kind: number, start: number, end: number): void {
  found.kind = kind;
  found.start = start;
  found.end = end;
}

/** Reads one AnyValue up to `end` into `found`; a value without a known field changes nothing. */
function readValue(cursor: ProtobufReader, end: number): void {
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    switch (tag) {
      case stringTag:
      case arrayTag:
      case kvlistTag:
      case bytesTag: {
        const contentEnd = cursor.length(end);
        setFound(kindOfTag(tag), cursor.at, contentEnd);
        cursor.at = contentEnd;
        break;
      }
      case boolTag:
      case intTag: {
        const start = cursor.at;
        cursor.varint(end);
        setFound(tag === boolTag ? valueKind.bool : valueKind.int, start, cursor.at);
        break;
      }
      case doubleTag:
        setFound(valueKind.double, cursor.fixed(8, end), cursor.at);
        break;
      default:
        cursor.skip(tag, end);
    }
  }
}

function kindOfTag(tag: number): number {
  if (tag === stringTag) return valueKind.string;
  return tag === arrayTag ? valueKind.array : valueKind.other;
}

/** The strings of a KeyValue's array; arrays that come in pieces are one. */
function arrayTexts(cursor: ProtobufReader, start: number, end: number): string[] {
  let places: number[] = [];
  cursor.at = start;
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag !== valueTag) {
      cursor.skip(tag, end);
      continue;
    }
    const valueEnd = cursor.length(end);
    while (cursor.at < valueEnd) {
      const member = cursor.tag(valueEnd);
      if (member === arrayTag) appendPlaces(cursor, cursor.length(valueEnd), places);
      else {
        cursor.skip(member, valueEnd);
        // Another member of the oneof replaces what came before.
        if (member <= bytesTag) places = [];
      }
    }
  }
  const texts: string[] = [];
  for (let at = Math.max(0, places.length - 2 * limits.arrayTexts); at < places.length; at += 2) {
    texts.push(cursor.bytes.toString('utf8', places[at], places[at + 1]));
  }
  return texts;
}

/** Appends start and end of the strings of one ArrayValue, and drops the first ones of too many. */
function appendPlaces(cursor: ProtobufReader, end: number, places: number[]): void {
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag !== arrayItemTag) {
      cursor.skip(tag, end);
      continue;
    }
    const itemEnd = cursor.length(end);
    setFound(valueKind.none, 0, 0);
    readValue(cursor, itemEnd);
    if (found.kind !== valueKind.string) continue;
    places.push(found.start, found.end);
    if (places.length === 4 * limits.arrayTexts) places.splice(0, 2 * limits.arrayTexts);
  }
}

/** The int64 of a varint as a number: exact to 2^53 on both sides of zero. */
function smallInt(bytes: Buffer, start: number, end: number): number {
  if (end - start === 10) return Number(int64(bytes, start));
  let value = 0;
  for (let at = end - 1; at >= start; at -= 1) value = value * 128 + (bytes[at]! & 127);
  return value;
}
