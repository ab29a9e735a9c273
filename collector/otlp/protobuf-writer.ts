/** Appends protobuf fields to a growing buffer. A message's length is put in when its end is known. */
export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(4096);
  #length = 0;

  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  message(field: number, body: () => void): void {
    const start = this.begin(field);
    body();
    this.end(start);
  }

  /** Begins a message. @returns what to end it with */
  begin(field: number): number {
    this.#tag(field, 2);
    const start = this.#length;
    this.#reserve(1);
    this.#length += 1;
    return start;
  }

  end(start: number): void {
    const size = this.#length - start - 1;
    const extra = varintBytes(size) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#buffer.copyWithin(start + 1 + extra, start + 1, this.#length);
      this.#length += extra;
    }
    let at = start;
    let rest = size;
    while (rest > 127) {
      this.#buffer[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#buffer[at] = rest;
  }

  /** A string or bytes field, copied from other bytes. */
  copy(field: number, source: Buffer, start: number, end: number): void {
    const size = end - start;
    this.#tag(field, 2);
    this.#varint(size);
    this.#reserve(size);
    source.copy(this.#buffer, this.#length, start, end);
    this.#length += size;
  }

  string(field: number, text: string): void {
    const size = Buffer.byteLength(text);
    this.#tag(field, 2);
    this.#varint(size);
    this.#reserve(size);
    this.#buffer.write(text, this.#length, size, 'utf8');
    this.#length += size;
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, 2);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  varint(field: number, value: number): void {
    this.#tag(field, 0);
    this.#varint(value);
  }

  varint64(field: number, value: bigint): void {
    this.#tag(field, 0);
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      this.#buffer[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, 5);
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value >>> 0, this.#length);
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, 1);
    this.#reserve(8);
    this.#length = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
  }

  double(field: number, value: number): void {
    this.#tag(field, 1);
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  #tag(field: number, wireType: number): void {
    this.#varint((field << 3) | wireType);
  }

  #varint(value: number): void {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const next = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(next, 0, 0, this.#length);
    this.#buffer = next;
  }
}

/** Bytes of a 32-bit varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes += 1;
  return bytes;
}
