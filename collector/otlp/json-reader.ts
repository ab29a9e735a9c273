import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';

/**
 * Reads JSON from bytes, in place and forward, without making objects of it: 64 MiB of `{},` parsed to
 * objects took 75 s and more than a gigabyte. RFC 8259, checked; strings keep their bytes as they came.
 */
export class JsonReader {
  readonly bytes: Buffer;
  at = 0;
  /** The content of the string read last, without its quotes; `escaped` when it holds a backslash. */
  start = 0;
  end = 0;
  escaped = false;
  #depth = 0;
  #members = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.at = 3;
  }

  /** The next byte that is no white space; -1 at the end. */
  peek(): number {
    const { bytes } = this;
    for (; this.at < bytes.length; this.at += 1) {
      const byte = bytes[this.at]!;
      if (byte > space || (byte !== space && byte !== 10 && byte !== 13 && byte !== 9)) return byte;
    }
    return -1;
  }

  /** Moves past `null`, if it is next. */
  takeNull(): boolean {
    if (this.peek() !== letterN) return false;
    if (this.#token() !== 'null') throw this.unexpected();
    return true;
  }

  /** Enters an object or a list. @throws AppError `invalid` when the value is of another kind */
  enter(bracket: typeof brace | typeof square, name: string): void {
    if (this.peek() !== bracket) {
      throw this.wrong(name, bracket === brace ? 'an object' : 'a list');
    }
    this.at += 1;
    this.#depth += 1;
    if (this.#depth > limits.jsonDepth) {
      throw new AppError('invalid', `the JSON nests deeper than ${limits.jsonDepth}`);
    }
  }

  /** Moves to the next member of the current object or array; false at its end. */
  next(bracket: typeof brace | typeof square, isFirst: boolean): boolean {
    const byte = this.peek();
    // Both closing brackets lie two beyond their opening ones.
    if (byte === bracket + 2) {
      this.at += 1;
      this.#depth -= 1;
      return false;
    }
    this.#members += 1;
    if (this.#members > limits.jsonMembers) {
      throw new AppError(
        'too_large',
        `the JSON has more than ${limits.jsonMembers} members of lists and objects, the bound`,
      );
    }
    if (isFirst) return true;
    if (byte !== comma) throw this.unexpected();
    this.at += 1;
    if (this.peek() === bracket + 2) throw this.unexpected();
    return true;
  }

  /** A member's name, and moves to its value. */
  key(): string {
    if (this.peek() !== quote) throw this.unexpected();
    this.string();
    const { start, end } = this;
    const key = this.escaped ? this.text() : this.bytes.toString('latin1', start, end);
    if (this.peek() !== colon) throw this.unexpected();
    this.at += 1;
    return key;
  }

  /** Moves past a string and notes where its content is. */
  string(): void {
    const { bytes } = this;
    this.start = this.at + 1;
    this.escaped = false;
    for (let at = this.start; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (byte === quote) {
        this.end = at;
        this.at = at + 1;
        return;
      }
      if (byte === backslash) {
        this.escaped = true;
        at += 1;
      } else if (byte < space) {
        this.at = at;
        throw this.unexpected();
      }
    }
    this.at = bytes.length;
    throw this.unexpected();
  }

  /** The string read last, its escapes undone; half of a surrogate pair is replaced when it is written. */
  text(): string {
    const { start, end } = this;
    if (!this.escaped) return this.bytes.toString('utf8', start, end);
    try {
      return JSON.parse(this.bytes.toString('utf8', start - 1, end + 1)) as string;
    } catch {
      this.at = start;
      throw this.unexpected();
    }
  }

  /** `true`, `false` or a number, as its source text. */
  literal(): string {
    const token = this.#token();
    if (token === 'true' || token === 'false' || number.test(token)) return token;
    throw this.unexpected();
  }

  /** Skips a value. */
  skip(): void {
    switch (this.peek()) {
      case quote:
        this.string();
        return;
      case brace:
        this.enter(brace, '');
        for (let first = true; this.next(brace, first); first = false) {
          this.key();
          this.skip();
        }
        return;
      case square:
        this.enter(square, '');
        for (let first = true; this.next(square, first); first = false) this.skip();
        return;
      default:
        if (!this.takeNull()) this.literal();
    }
  }

  /** That nothing but white space is left. */
  finish(): void {
    if (this.peek() !== -1) throw this.unexpected();
  }

  unexpected(): AppError {
    const { at, bytes } = this;
    const what =
      at >= bytes.length ? 'it ends too early' : `unexpected ${this.#excerpt(at)} at byte ${at}`;
    return new AppError('invalid', `the body is not JSON: ${what}`);
  }

  /** The value at hand is not what the field holds. */
  wrong(name: string, wanted: string, at = this.at): AppError {
    if (at >= this.bytes.length) return this.unexpected();
    const byte = this.bytes[at];
    const seen = byte === brace ? 'an object' : byte === square ? 'a list' : this.#excerpt(at);
    return new AppError('invalid', `${name} is ${seen}, not ${wanted}`, { field: name });
  }

  #excerpt(at: number): string {
    const text = this.bytes.toString('utf8', at, at + 60);
    return /^("(?:[^"\\]|\\.)*"?|[\w.+-]+|.)/s.exec(text)?.[0] ?? '';
  }

  #token(): string {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    while (at < bytes.length && isTokenByte(bytes[at]!)) at += 1;
    if (at === start) throw this.unexpected();
    const token = bytes.toString('latin1', start, at);
    if (token !== 'null' && token !== 'true' && token !== 'false' && !number.test(token)) {
      throw this.unexpected();
    }
    this.at = at;
    return token;
  }
}

export const brace = 0x7b;
export const square = 0x5b;
export const quote = 0x22;
const space = 0x20;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const letterN = 0x6e;

const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** Letters, digits, `+`, `-` and `.` */
function isTokenByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x2e ||
    byte === 0x2d ||
    byte === 0x2b
  );
}
