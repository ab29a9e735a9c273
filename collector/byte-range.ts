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

/** @param seed keeps a sender from choosing strings that collide; one for the life of a table */
export function hashBytes(view: DataView, start: number, length: number, seed: number): number {
  let hash = seed ^ length;
  if (length < 4) {
    for (let i = 0; i < length; i += 1) hash = mix(hash, view.getUint8(start + i));
    return finish(hash);
  }
  const last = length - 4;
  for (let i = 0; i < last; i += 4) hash = mix(hash, view.getInt32(start + i, true));
  return finish(mix(hash, view.getInt32(start + last, true)));
}

/** Murmur3's step without its rotation of the input: strings differ in few low bits. */
export function mix(hash: number, value: number): number {
  const mixed = hash ^ Math.imul(value, 0xcc9e2d51);
  return Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64;
}

/** Spreads every bit over the low ones, which choose the place in a table. */
export function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) | 0;
}
