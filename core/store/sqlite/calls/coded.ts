import { putVarint, VarintReader } from '../../../usage/varint.ts';

/**
 * A column of repeated numbers from 0 to 2^31: its distinct numbers, ascending, and for each call the index of its
 * number among them, its code.
 */
export interface Coded {
  values: Int32Array;
  codes: Uint16Array;
}

/** The most calls in a call block: a code fits in two bytes. */
export const blockCallsMax = 65_536;

/** Open addressing, at most half full. A slot holds the code + 1, 0 when it is free. */
const slots = 2 * blockCallsMax;
const keys = new Int32Array(slots);
const codeOfSlot = new Int32Array(slots);

/** Numbers whose range is below this are found by index instead of by hash. */
const directRange = 262_144;
/** By distance from the least number: 1 where it occurs, then its code. */
const direct = new Int32Array(directRange);

/** @param column of at most `blockCallsMax` numbers */
export function coded(column: Int32Array | Uint16Array): Coded {
  const { length } = column;
  let least = length > 0 ? column[0]! : 0;
  let greatest = least;
  for (let i = 1; i < length; i++) {
    const value = column[i]!;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const range = greatest - least + 1;
  return range <= directRange ? codedByIndex(column, least, range) : codedByHash(column);
}

function codedByIndex(column: Int32Array | Uint16Array, least: number, range: number): Coded {
  const { length } = column;
  direct.fill(0, 0, range);
  for (let i = 0; i < length; i++) direct[column[i]! - least] = 1;
  let distinct = 0;
  for (let at = 0; at < range; at++) if (direct[at] !== 0) distinct += 1;
  const values = new Int32Array(length > 0 ? distinct : 0);
  let code = 0;
  for (let at = 0; code < values.length; at++) {
    if (direct[at] === 0) continue;
    values[code] = least + at;
    direct[at] = code++;
  }
  const codes = new Uint16Array(length);
  for (let i = 0; i < length; i++) codes[i] = direct[column[i]! - least]!;
  return { values, codes };
}

function codedByHash(column: Int32Array | Uint16Array): Coded {
  const { length } = column;
  const codes = new Uint16Array(length);
  let values = new Int32Array(256);
  let distinct = 0;
  codeOfSlot.fill(0);
  let lastValue = -1;
  let lastCode = 0;
  for (let i = 0; i < length; i++) {
    const value = column[i]!;
    if (value !== lastValue) {
      lastValue = value;
      const slot = slotOf(value);
      if (codeOfSlot[slot] === 0) {
        if (distinct === values.length) {
          const more = new Int32Array(values.length * 4);
          more.set(values);
          values = more;
        }
        keys[slot] = value;
        values[distinct++] = value;
        codeOfSlot[slot] = distinct;
      }
      lastCode = codeOfSlot[slot]! - 1;
    }
    codes[i] = lastCode;
  }
  // Codes in the order of first use become codes in ascending order.
  const sorted = values.slice(0, distinct).sort();
  const codeInOrder = new Uint16Array(distinct);
  for (let code = 0; code < distinct; code++) {
    codeInOrder[codeOfSlot[slotOf(sorted[code]!)]! - 1] = code;
  }
  for (let i = 0; i < length; i++) codes[i] = codeInOrder[codes[i]!]!;
  return { values: sorted, codes };
}

function slotOf(value: number): number {
  let slot = (Math.imul(value, 0x9e3779b1) >>> 15) & (slots - 1);
  while (codeOfSlot[slot] !== 0 && keys[slot] !== value) slot = (slot + 1) & (slots - 1);
  return slot;
}

/** With at most this many values a code has one byte; otherwise two, little-endian. */
const byteCodes = 256;

export function encodeCodes({ values, codes }: Coded, from: number, to: number): Uint8Array {
  const count = to - from;
  if (values.length <= byteCodes) {
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i++) out[i] = codes[from + i]!;
    return out;
  }
  const out = new Uint8Array(2 * count);
  for (let i = 0; i < count; i++) {
    out[i] = codes[from + i]!;
    out[count + i] = codes[from + i]! >>> 8;
  }
  return out;
}

/** @param values how many distinct values the column has */
export function decodeCodes(bytes: Uint8Array, values: number): Uint8Array | Uint16Array {
  if (values <= byteCodes) return bytes.slice();
  const count = bytes.length / 2;
  const codes = new Uint16Array(count);
  for (let i = 0; i < count; i++) codes[i] = bytes[i]! | (bytes[count + i]! << 8);
  return codes;
}

/** `varint count`, and each as `varint distance from the one before`. @param values ascending */
export function encodeAscending(values: Int32Array): Uint8Array {
  const out = new Uint8Array(5 + 5 * values.length);
  return out.subarray(0, putAscending(out, 0, values));
}

export function putAscending(out: Uint8Array, at: number, values: Int32Array): number {
  at = putVarint(out, at, values.length);
  let before = 0;
  for (const value of values) {
    at = putVarint(out, at, value - before);
    before = value;
  }
  return at;
}

export function readAscending(reader: VarintReader): Int32Array {
  const values = new Int32Array(reader.next());
  let value = 0;
  for (let i = 0; i < values.length; i++) {
    value += reader.next();
    values[i] = value;
  }
  return values;
}

export function decodeAscending(bytes: Uint8Array): Int32Array {
  const reader = new VarintReader();
  reader.seek(bytes, 0);
  return readAscending(reader);
}
