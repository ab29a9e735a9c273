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
 * Two lanes, so that a step need not wait for the last one's multiplication: a User-Agent of 100 bytes
 * costs half of what one lane does.
 * @param seed keeps a sender from choosing strings that collide; one for the life of a table
 */
export function hashBytes(view: DataView, start: number, length: number, seed: number): number {
  let a = seed ^ length;
  if (length < 4) {
    for (let i = 0; i < length; i += 1) a = mix(a, view.getUint8(start + i));
    return finish(a);
  }
  let b = seed;
  const last = length - 4;
  let i = 0;
  for (; i + 4 < last; i += 8) {
    a = mix(a, view.getInt32(start + i, true));
    b = mix(b, view.getInt32(start + i + 4, true));
  }
  if (i < last) a = mix(a, view.getInt32(start + i, true));
  b = mix(b, view.getInt32(start + last, true));
  return finish(mix(a, b));
}

/** One step of a hash; the rotation brings the high bits, which a product only collects, back down. */
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
