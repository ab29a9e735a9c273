import { crc32 } from 'node:zlib';

/** Stored bytes that begin with a checksum of the rest (CRC-32, little endian). */
export const checksumBytes = 4;

/** Stored bytes that are not as they were written. `what` names the row for people: `call block 4711, client`. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
  readonly what: string;

  constructor(what: string, found: string) {
    super(`${what} is damaged: ${found}`);
    this.what = what;
  }
}

/** Writes the checksum. @param bytes whose first `checksumBytes` are free for it @returns the same bytes */
export function sealed<B extends Uint8Array>(bytes: B): B {
  putUint32(bytes, 0, crc32(bytes.subarray(checksumBytes)));
  return bytes;
}

/** @throws DamagedError when the bytes after the checksum are not those that were sealed */
export function assertSealed(bytes: Uint8Array, what: string): void {
  if (bytes.length < checksumBytes) throw new DamagedError(what, `it has ${bytes.length} bytes`);
  const stored = getUint32(bytes, 0);
  const computed = crc32(bytes.subarray(checksumBytes));
  if (stored === computed) return;
  throw new DamagedError(what, `its checksum is ${stored}, its bytes have ${computed}`);
}

export function putUint32(out: Uint8Array, at: number, value: number): void {
  out[at] = value;
  out[at + 1] = value >>> 8;
  out[at + 2] = value >>> 16;
  out[at + 3] = value >>> 24;
}

export function getUint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
