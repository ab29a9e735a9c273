import { putVarint, type VarintReader } from '../../../usage/varint.ts';

/**
 * Whole numbers from −2^52 to 2^53, larger ones as 2^53 − 1, each as its distance from the least one, in as few bytes as the greatest
 * distance needs: `u8 width and scale, zigzag varint least, planes`. A plane has one byte of every number, the
 * lowest plane comes first: bytes of one kind stand together, which compresses well and is read without a branch.
 * Distances that are all multiples of a thousand or a million are divided by it: senders with a clock of micro- or
 * milliseconds.
 */
export type NumberColumn = Int32Array | Uint32Array | Uint16Array | Float64Array;

const scales = [1_000_000, 1_000, 1] as const;
const noScale = 2;
const headerBytesMax = 10;

/** The most bytes that `putPacked` writes. */
export function packedBytesMax(count: number): number {
  return headerBytesMax + 7 * count;
}

/** One type of array for every column: loops over four types take twice as long. */
let distances = new Float64Array(8192);

/** @param isScaled whether to look for a scale @returns the index after the last byte */
export function putPacked(
  out: Uint8Array,
  at: number,
  values: NumberColumn,
  from: number,
  to: number,
  isScaled: boolean,
): number {
  const count = to - from;
  if (count > distances.length) distances = new Float64Array(count);
  copyNumbers(values, from, count);
  let least = count > 0 ? distances[0]! : 0;
  let greatest = least;
  for (let i = 1; i < count; i++) {
    const value = distances[i]!;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (greatest > Number.MAX_SAFE_INTEGER) {
    greatest = Number.MAX_SAFE_INTEGER;
    for (let i = 0; i < count; i++) distances[i] = Math.min(distances[i]!, greatest);
  }
  for (let i = 0; i < count; i++) distances[i]! -= least;
  let range = greatest - least;
  let scale = noScale;
  if (isScaled && range > 0) {
    scale = scaleOf(count);
    if (scale !== noScale) {
      const unit = scales[scale]!;
      for (let i = 0; i < count; i++) distances[i]! /= unit;
      range /= unit;
    }
  }
  const width = widthOf(range);
  out[at++] = width | (scale << 4);
  at = putVarint(out, at, least < 0 ? -2 * least - 1 : 2 * least);
  for (let plane = 0; plane < Math.min(width, 4); plane++) {
    const shift = 8 * plane;
    for (let i = 0; i < count; i++) out[at + i] = distances[i]! >>> shift;
    at += count;
  }
  for (let plane = 4; plane < width; plane++) {
    const unit = 2 ** (8 * plane);
    for (let i = 0; i < count; i++) out[at + i] = distances[i]! / unit;
    at += count;
  }
  return at;
}

/** Reads `count` numbers to `into[start]` and on. The reader stands behind them afterwards. */
export function readPacked(
  reader: VarintReader,
  count: number,
  into: NumberColumn,
  start: number,
): void {
  const { bytes } = reader;
  const head = bytes[reader.at++]!;
  const width = head & 15;
  const unit = scales[head >> 4]!;
  const zigzag = reader.next();
  const least = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  const first = reader.at;
  const second = first + count;
  const third = second + count;
  const fourth = third + count;
  reader.at = first + width * count;
  switch (width) {
    case 0:
      into.fill(least, start, start + count);
      return;
    case 1:
      for (let i = 0; i < count; i++) into[start + i] = least + bytes[first + i]! * unit;
      return;
    case 2:
      for (let i = 0; i < count; i++) {
        into[start + i] = least + (bytes[first + i]! | (bytes[second + i]! << 8)) * unit;
      }
      return;
    case 3:
      for (let i = 0; i < count; i++) {
        const low = bytes[first + i]! | (bytes[second + i]! << 8) | (bytes[third + i]! << 16);
        into[start + i] = least + low * unit;
      }
      return;
  }
  for (let i = 0; i < count; i++) {
    let distance =
      (bytes[first + i]! |
        (bytes[second + i]! << 8) |
        (bytes[third + i]! << 16) |
        (bytes[fourth + i]! << 24)) >>>
      0;
    for (let plane = 4; plane < width; plane++) {
      distance += bytes[first + plane * count + i]! * 2 ** (8 * plane);
    }
    into[start + i] = least + distance * unit;
  }
}

/** Fills `distances`. A loop for each type: `set` takes 10 ns a number of another type, a loop over all types 2. */
function copyNumbers(values: NumberColumn, from: number, count: number): void {
  if (values instanceof Float64Array) distances.set(values.subarray(from, from + count));
  else if (values instanceof Int32Array) {
    for (let i = 0; i < count; i++) distances[i] = values[from + i]!;
  } else if (values instanceof Uint32Array) {
    for (let i = 0; i < count; i++) distances[i] = values[from + i]!;
  } else {
    for (let i = 0; i < count; i++) distances[i] = values[from + i]!;
  }
}

/** Index of the greatest scale that divides the first `count` distances. */
function scaleOf(count: number): number {
  let scale = 0;
  for (let i = 0; i < count && scale < noScale; i++) {
    const distance = distances[i]!;
    while (scale < noScale && Math.floor(distance / scales[scale]!) * scales[scale]! !== distance) {
      scale += 1;
    }
  }
  return scale;
}

/** Bytes that hold a whole number. */
function widthOf(value: number): number {
  let width = 0;
  for (let bound = 1; value >= bound; bound *= 256) width += 1;
  return width;
}
