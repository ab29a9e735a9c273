import { randomFillSync } from 'node:crypto';

/**
 * Equality and hash of byte ranges, four bytes a step. Both read only inside the range: ranges shorter
 * than four bytes go byte by byte, the tail of longer ones is read once more, overlapping.
 */

export function sameBytes(
  a: DataView,
  aStart: number,
  b: DataView,
  bStart: number,
  length: number,
) {
  if (length < 4) {
    for (let i = 0; i < length; i += 1) {
      if (a.getUint8(aStart + i) !== b.getUint8(bStart + i)) return false;
    }
    return true;
  }
  const last = length - 4;
  for (let i = 0; i < last; i += 4) {
    if (a.getInt32(aStart + i, true) !== b.getInt32(bStart + i, true)) return false;
  }
  return a.getInt32(aStart + last, true) === b.getInt32(bStart + last, true);
}

/**
 * Multilinear hashing: the sum of each half word times a secret factor of its position. Without the factors a
 * sender cannot choose strings that collide: any two strings collide with a probability of at most 2^-17
 * (Lemire and Kaser, "Strongly universal string hashing is fast"). A seeded chain of multiplications and
 * rotations costs the same, but has pairs of bits that cancel for every seed.
 */
export function hashBytes(view: DataView, start: number, length: number): number {
  let hash = Math.imul(length, factors[0]!);
  if (length < 4) {
    for (let i = 0; i < length; i += 1)
      hash += Math.imul(view.getUint8(start + i), factors[i + 1]!);
    return finish(hash);
  }
  const last = length - 4;
  let place = 1;
  for (let i = 0; i < last; i += 4) {
    const word = view.getInt32(start + i, true);
    hash = (hash + Math.imul(word & 0xffff, factors[place]!)) | 0;
    hash = (hash + Math.imul(word >>> 16, factors[place + 1]!)) | 0;
    place = (place + 2) & placesMask;
  }
  const word = view.getInt32(start + last, true);
  hash = (hash + Math.imul(word & 0xffff, factors[place]!)) | 0;
  return finish(hash + Math.imul(word >>> 16, factors[place + 1]!));
}

/** Enough for texts of 4 KiB; longer ones, which are never kept, use them again. */
const placesMask = 2047;
const factors = randomFillSync(new Int32Array(placesMask + 2));

/** Hash of a span's ids: the 16 bytes of the trace id at `trace`, the 8 of the span id at `id`. */
export function idHash(traces: DataView, trace: number, ids: DataView, id: number): number {
  return finish(mix(hashBytes(traces, trace, 16), hashBytes(ids, id, 8)));
}

/** One step of a hash of our own numbers; the rotation brings the high bits, which a product only collects, back down. */
export function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1);
  return (mixed << 15) | (mixed >>> 17);
}

/** Spreads every bit over the low ones, which choose the place in a table. */
export function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) | 0;
}
