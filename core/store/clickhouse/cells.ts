import type { SqlValue } from '../sqlite/database.ts';

/**
 * Values of a row of a SQLite table as bytes: for each `u8 kind` and, for a number `f64`, for text and bytes
 * `u32 length` and the bytes. SQLite makes integers of numbers again, as the column's affinity says.
 */
const kinds = { null: 0, number: 1, text: 2, bytes: 3 } as const;

export function encodeCells(values: readonly SqlValue[]): Buffer {
  let size = 0;
  for (const value of values) size += 9 + (value === null ? 0 : sizeOf(value));
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const value of values) {
    if (value === null) at = out.writeUInt8(kinds.null, at);
    else if (typeof value === 'number' || typeof value === 'bigint') {
      at = out.writeUInt8(kinds.number, at);
      at = out.writeDoubleLE(Number(value), at);
    } else {
      const isText = typeof value === 'string';
      const length = sizeOf(value);
      at = out.writeUInt8(isText ? kinds.text : kinds.bytes, at);
      at = out.writeUInt32LE(length, at);
      if (isText) out.write(value, at);
      else out.set(value, at);
      at += length;
    }
  }
  return out.subarray(0, at);
}

function sizeOf(value: string | number | bigint | Uint8Array): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return value instanceof Uint8Array ? value.length : 0;
}

/** Bytes in the result are copies. */
export function decodeCells(bytes: Buffer): SqlValue[] {
  const values: SqlValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at++];
    if (kind === kinds.null) values.push(null);
    else if (kind === kinds.number) {
      values.push(bytes.readDoubleLE(at));
      at += 8;
    } else {
      const start = at + 4;
      at = start + bytes.readUInt32LE(at);
      if (at > bytes.length) throw new Error('a stored row is cut off');
      const value = bytes.subarray(start, at);
      values.push(kind === kinds.text ? value.toString() : Buffer.from(value));
    }
  }
  return values;
}
