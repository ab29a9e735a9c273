/** Unsigned LEB128 of whole numbers up to 2^53, seven bits a byte, the lowest first. */

export function putVarint(out: Uint8Array, at: number, value: number): number {
  while (value >= 2 ** 31) {
    out[at++] = (value % 128) | 128;
    value = Math.floor(value / 128);
  }
  while (value > 127) {
    out[at++] = (value & 127) | 128;
    value >>>= 7;
  }
  out[at++] = value;
  return at;
}

/** Bytes reserved for a length prefix that is written after its payload. Two hold lengths up to 16,383. */
export const lengthBytes = 2;

/**
 * Writes the length of the payload from `at + lengthBytes` to `end` at `at`; the length is below 2^28. When it
 * needs more than `lengthBytes` bytes, the payload is moved up.
 * @returns the payload's end
 */
export function putLength(out: Uint8Array, at: number, end: number): number {
  const start = at + lengthBytes;
  const length = end - start;
  if (length < 128) {
    // Padded to two bytes.
    out[at] = length | 128;
    out[at + 1] = 0;
    return end;
  }
  const moved = length < 2 ** 14 ? 0 : length < 2 ** 21 ? 1 : 2;
  if (moved > 0) out.copyWithin(start + moved, start, end);
  putVarint(out, at, length);
  return end + moved;
}

/** Reads one number after another. Reused, so that reading allocates nothing. */
export class VarintReader {
  bytes: Uint8Array = new Uint8Array();
  at = 0;

  /** @param at index of the next number */
  seek(bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.at = at;
  }

  next(): number {
    const { bytes } = this;
    const first = bytes[this.at++]!;
    if (first < 128) return first;
    const second = bytes[this.at++]!;
    const low = (first & 127) | ((second & 127) << 7);
    return second < 128 ? low : this.#longer(low);
  }

  #longer(low: number): number {
    let value = low;
    for (let scale = 2 ** 14, byte = 128; byte > 127; scale *= 128) {
      byte = this.bytes[this.at++]!;
      value += (byte & 127) * scale;
    }
    return value;
  }
}
