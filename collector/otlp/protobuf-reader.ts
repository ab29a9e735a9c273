import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';

/**
 * Reads protobuf fields from bytes, in place. Every read is checked against the end of the message it
 * belongs to: a length that runs past its parent is an error of the sender, never a read beyond it.
 * Wire format: protobuf.dev, "Encoding".
 */
export class ProtobufReader {
  bytes: Buffer = nothing;
  /** The same bytes; V8 makes one load of a four-byte read. */
  view: DataView = nothingView;
  at = 0;

  /** Takes the message to read; it is not copied. @returns its end */
  open(message: Buffer): number {
    this.bytes = message;
    this.view = new DataView(message.buffer, message.byteOffset, message.length);
    this.at = 0;
    return message.length;
  }

  /** Lets the message go, so that nothing keeps its memory. */
  close(): void {
    this.bytes = nothing;
    this.view = nothingView;
  }

  /** A varint as a number; exact to 2^53, approximate beyond. @throws AppError `invalid` */
  varint(end: number): number {
    const at = this.at;
    if (at < end) {
      const byte = this.bytes[at]!;
      if (byte < 128) {
        this.at = at + 1;
        return byte;
      }
    }
    return this.#longVarint(end);
  }

  /** A field's tag: number shifted left by 3, and wire type. @throws AppError `invalid` */
  tag(end: number): number {
    const start = this.at;
    const tag = this.varint(end);
    if (tag < 8 || tag > 0xffff_ffff) throw malformed(`tag ${tag} names no field`, start);
    return tag;
  }

  /** Reads a length and checks it: afterwards `at` is the content's start. @returns the content's end */
  length(end: number): number {
    const start = this.at;
    const length = this.varint(end);
    if (length > end - this.at) {
      throw malformed(`length ${length} runs past its message's end at byte ${end}`, start);
    }
    return this.at + length;
  }

  /**
   * Moves past other fields to the content of the next one with this tag, which has a length.
   * @returns the content's end; -1 when none is left
   */
  seek(wanted: number, end: number): number {
    while (this.at < end) {
      const tag = this.tag(end);
      if (tag === wanted) return this.length(end);
      this.skip(tag, end);
    }
    return -1;
  }

  /** Moves past 4 or 8 bytes. @returns where they start */
  fixed(bytes: number, end: number): number {
    const start = this.at;
    if (end - start < bytes) {
      throw malformed(`${bytes} bytes run past their message's end at byte ${end}`, start);
    }
    this.at = start + bytes;
    return start;
  }

  /** Skips the value of a field of any wire type. */
  skip(tag: number, end: number): void {
    this.#skip(tag, end, 0);
  }

  #skip(tag: number, end: number, depth: number): void {
    switch (tag & 7) {
      case 0:
        this.varint(end);
        return;
      case 1:
        this.fixed(8, end);
        return;
      case 2:
        this.at = this.length(end);
        return;
      case 3:
        this.#skipGroup(tag, end, depth + 1);
        return;
      case 5:
        this.fixed(4, end);
        return;
      default:
        throw malformed(`wire type ${tag & 7} of field ${tag >>> 3} is out of place`, this.at);
    }
  }

  #skipGroup(open: number, end: number, depth: number): void {
    if (depth > limits.nestingDepth) {
      throw malformed(`groups nest deeper than ${limits.nestingDepth}`, this.at);
    }
    for (;;) {
      const tag = this.tag(end);
      if (tag === open + 1) return;
      this.#skip(tag, end, depth);
    }
  }

  #longVarint(end: number): number {
    const start = this.at;
    let value = 0;
    let scale = 1;
    for (let at = start; at < end; at += 1) {
      if (at === start + 10) throw malformed('a varint is longer than 10 bytes', start);
      const byte = this.bytes[at]!;
      value += (byte & 127) * scale;
      if (byte < 128) {
        this.at = at + 1;
        return value;
      }
      scale *= 128;
    }
    throw malformed(`a varint runs past its message's end at byte ${end}`, start);
  }
}

/** @param offset byte of the message at which it was noticed */
export function malformed(what: string, offset: number): AppError {
  return new AppError('invalid', `malformed protobuf at byte ${offset}: ${what}`);
}

/** Exact int64 of the varint that starts at `start`, already known to be well-formed. */
export function int64(bytes: Buffer, start: number): bigint {
  let value = 0n;
  for (let at = start, shift = 0n; ; at += 1, shift += 7n) {
    const byte = bytes[at]!;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return BigInt.asIntN(64, value);
  }
}

// A Buffer like every message, so that V8 sees one kind of bytes here.
const nothing: Buffer = Buffer.alloc(0);
const nothingView = new DataView(new ArrayBuffer(0));
