import { putVarint } from '../../usage/varint.ts';

/** Rows in ClickHouse's format RowBinary: values in the order of the columns, texts with their length before them. */
export class RowBinaryWriter {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  length = 0;

  /** A String: text as UTF-8, or bytes. */
  text(value: string | Uint8Array): void {
    const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    this.#reserve(size + 10);
    this.length = putVarint(this.#bytes, this.length, size);
    if (typeof value === 'string') this.#bytes.write(value, this.length);
    else this.#bytes.set(value, this.length);
    this.length += size;
  }

  /** A FixedString, as long as its column says. */
  fixed(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.length);
    this.length += value.length;
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.length = this.#bytes.writeUInt8(value, this.length);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.length = this.#bytes.writeUInt32LE(value, this.length);
  }

  uint64(value: number): void {
    this.#reserve(8);
    this.length = this.#bytes.writeBigUInt64LE(BigInt(value), this.length);
  }

  /** The rows so far; valid until the next one is written. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  #reserve(size: number): void {
    if (this.length + size <= this.#bytes.length) return;
    const more = Buffer.allocUnsafe(Math.max(this.length + size, this.#bytes.length * 2));
    this.#bytes.copy(more, 0, 0, this.length);
    this.#bytes = more;
  }
}

/** A row ends behind the bytes that have come. */
export class Incomplete extends Error {}

/** Reads values of RowBinary one after another. Every method throws `Incomplete` at the end of the bytes. */
export class RowBinaryReader {
  #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  /** A view of the bytes. */
  text(): Buffer {
    let size = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.uint8();
      size += (byte & 127) * scale;
      if (byte < 128) return this.fixed(size);
    }
  }

  fixed(size: number): Buffer {
    const end = this.at + size;
    if (end > this.#bytes.length) throw new Incomplete();
    const value = this.#bytes.subarray(this.at, end);
    this.at = end;
    return value;
  }

  uint8(): number {
    if (this.isAtEnd) throw new Incomplete();
    return this.#bytes[this.at++]!;
  }

  uint32(): number {
    return this.fixed(4).readUInt32LE(0);
  }

  uint64(): number {
    return Number(this.fixed(8).readBigUInt64LE(0));
  }
}

/** Reads whole rows out of pieces that come one by one. @param read one row; what it returns is valid for good */
export async function* rowsOf<T>(
  pieces: AsyncIterable<Buffer>,
  read: (reader: RowBinaryReader) => T,
): AsyncIterable<T> {
  let rest: Buffer = Buffer.alloc(0);
  let wanted = 0;
  for await (const piece of pieces) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    // A row of megabytes comes in many pieces: it is not read anew for each.
    if (rest.length < wanted) continue;
    const reader = new RowBinaryReader(rest);
    let end = 0;
    try {
      while (!reader.isAtEnd) {
        const row = read(reader);
        end = reader.at;
        yield row;
      }
      wanted = 0;
    } catch (error) {
      if (!(error instanceof Incomplete)) throw error;
      wanted = (rest.length - end) * 2;
    }
    rest = rest.subarray(end);
  }
  if (rest.length === 0) return;
  const reader = new RowBinaryReader(rest);
  while (!reader.isAtEnd) yield read(reader);
}
