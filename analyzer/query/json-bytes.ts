import { limits } from '../../core/limits.ts';
import { isoTime } from '../../core/window.ts';

const encoder = new TextEncoder();

/**
 * Writes JSON as UTF-8, byte for byte what `JSON.stringify` gives as text.
 *
 * `JSON.stringify` needs an object for each row and a text of the whole answer, which is then encoded. A report of
 * 1,000 endpoints (1.8 MB) took 8 ms of CPU so, and half as much written at once (docs/benchmarks.md). Texts of ASCII
 * and numbers of few decimals, which make up nearly all of a report, are written here; everything else is left to
 * `JSON.stringify`.
 */
export class JsonBytes {
  #bytes: Uint8Array;
  /** Of the same buffer. */
  #view: DataView;
  #length = 0;

  constructor() {
    this.#bytes = scratch ?? new Uint8Array(64 * 1024);
    this.#view = new DataView(this.#bytes.buffer);
    scratch = undefined;
  }

  /** Ends the writing. @returns what was written, as bytes that own their whole buffer */
  end(): Uint8Array<ArrayBuffer> {
    const written = this.#bytes.slice(0, this.#length) as Uint8Array<ArrayBuffer>;
    if (this.#bytes.length <= scratchBytesMax) scratch = this.#bytes;
    this.#bytes = new Uint8Array(0);
    this.#view = new DataView(this.#bytes.buffer);
    this.#length = 0;
    return written;
  }

  /** Writes a part of JSON that is written again and again. */
  part({ words, length }: JsonPart): void {
    this.#room(words.length * 4);
    const view = this.#view;
    let at = this.#length;
    // The bytes of the last word that are not of the part are written over by whatever comes next.
    for (let i = 0; i < words.length; i++, at += 4) view.setUint32(at, words[i]!, true);
    this.#length += length;
  }

  /** @param text JSON, or a part of it */
  rawText(text: string): void {
    // A UTF-16 unit takes three bytes at most.
    const target = this.#room(text.length * 3);
    this.#length += encoder.encodeInto(text, target.subarray(this.#length)).written;
  }

  /** @param value of `JSON.parse`'s kinds, or undefined in the place of a field or an item */
  value(value: unknown): void {
    if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number') this.#number(value);
    else if (value === null || value === undefined) this.part(nullPart);
    else if (value === true) this.part(truePart);
    else if (value === false) this.part(falsePart);
    else if (Array.isArray(value)) this.#list(value);
    else this.#object(value as Record<string, unknown>);
  }

  /** @param epochMs writes it as `isoTime` does; null as null */
  time(epochMs: number | null): void {
    if (epochMs === null) {
      this.part(nullPart);
      return;
    }
    const whole = Math.trunc(epochMs);
    const day = Math.floor(whole / dayMs);
    this.part(dates.get(day) ?? datePart(day));
    const ms = whole - day * dayMs;
    const s = Math.floor(ms / 1000);
    const m = Math.floor(s / 60);
    const h = Math.floor(m / 60);
    this.#room(14);
    this.#twoDigits(h, colon);
    this.#twoDigits(m - h * 60, colon);
    this.#twoDigits(s - m * 60, point);
    const fraction = ms - s * 1000;
    const hundreds = Math.floor(fraction / 100);
    this.#bytes[this.#length++] = zero + hundreds;
    this.#twoDigits(fraction - hundreds * 100, letterZ);
    this.#bytes[this.#length++] = quote;
  }

  #twoDigits(n: number, after: number): void {
    const tens = Math.floor(n / 10);
    this.#bytes[this.#length++] = zero + tens;
    this.#bytes[this.#length++] = zero + (n - tens * 10);
    this.#bytes[this.#length++] = after;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** @param at below `length` */
  replace(at: number, code: number): void {
    this.#bytes[at] = code;
  }

  byte(code: number): void {
    this.#room(1)[this.#length++] = code;
  }

  #text(text: string): void {
    const { length } = text;
    const target = this.#room(length + 2);
    let at = this.#length;
    target[at++] = quote;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === quote || code === backslash) {
        this.rawText(JSON.stringify(text));
        return;
      }
      target[at++] = code;
    }
    target[at++] = quote;
    this.#length = at;
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value)) {
      this.#integer(value);
      return;
    }
    // Quotients of integers below 2^53 are rounded correctly: equal ones are the same decimal number, of at most 15 digits,
    // and the shortest text of a double of so few digits is that number.
    const scaled = Math.round(value * 10_000);
    if (scaled / 10_000 === value && Math.abs(scaled) < 1e15 && scaled !== 0) {
      this.#decimal(scaled);
    } else {
      this.rawText(JSON.stringify(value));
    }
  }

  #integer(value: number): void {
    if (value < 0) {
      this.byte(minus);
      value = -value;
    }
    const target = this.#room(integerDigits);
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    const end = this.#length + digits;
    for (let at = end; at > this.#length; ) {
      const rest = Math.floor(value / 10);
      target[--at] = zero + (value - rest * 10);
      value = rest;
    }
    this.#length = end;
  }

  /** @param scaled the number times 10,000, not a multiple of 10,000 */
  #decimal(scaled: number): void {
    if (scaled < 0) {
      this.byte(minus);
      scaled = -scaled;
    }
    const whole = Math.floor(scaled / 10_000);
    this.#integer(whole);
    const target = this.#room(5);
    let fraction = scaled - whole * 10_000;
    target[this.#length++] = point;
    for (let unit = 1000; fraction > 0; unit /= 10) {
      const digit = Math.floor(fraction / unit);
      target[this.#length++] = zero + digit;
      fraction -= digit * unit;
    }
  }

  #list(values: readonly unknown[]): void {
    this.byte(openBracket);
    for (let i = 0; i < values.length; i++) {
      if (i > 0) this.byte(comma);
      this.value(values[i]);
    }
    this.byte(closeBracket);
  }

  #object(fields: Record<string, unknown>): void {
    this.byte(openBrace);
    let isFirst = true;
    for (const name of Object.keys(fields)) {
      const value = fields[name];
      if (value === undefined) continue;
      if (!isFirst) this.byte(comma);
      isFirst = false;
      this.#text(name);
      this.byte(colon);
      this.value(value);
    }
    this.byte(closeBrace);
  }

  /** @returns bytes with room for so many more behind those that are written */
  #room(more: number): Uint8Array {
    const needed = this.#length + more;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return this.#bytes;
  }
}

/** A text as UTF-8, four bytes a word, little-endian: writing words takes a third of the time of writing bytes. */
export interface JsonPart {
  words: Uint32Array;
  /** In bytes. */
  length: number;
}

export function partOf(text: string): JsonPart {
  const bytes = encoder.encode(text);
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  const words = Uint32Array.from({ length: padded.length / 4 }, (_, i) =>
    view.getUint32(i * 4, true),
  );
  return { words, length: bytes.length };
}

const dayMs = 86_400_000;
/** By day since the epoch: a quote and the date, up to the T. */
const dates = new Map<number, JsonPart>();

function datePart(day: number): JsonPart {
  const part = partOf(`"${isoTime(day * dayMs).split('T')[0]}T`);
  if (dates.size === limits.cachedDates) dates.clear();
  dates.set(day, part);
  return part;
}

/** The bytes that an answer was written into serve the next one too, up to this size. Undefined while one is written. */
const scratchBytesMax = 4 * 1024 * 1024;
let scratch: Uint8Array | undefined;

/** Of 2^53. */
const integerDigits = 16;
const [nullPart, truePart, falsePart] = [partOf('null'), partOf('true'), partOf('false')];
const [quote, backslash, minus, point, zero, comma, colon, letterZ] = [
  34, 92, 45, 46, 48, 44, 58, 90,
] as const;
const [openBracket, closeBracket, openBrace, closeBrace] = [91, 93, 123, 125] as const;
