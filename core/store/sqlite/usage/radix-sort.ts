/** Stable radix sort. @returns the indexes 0 to length - 1, sorted by the keys; the last key is the most significant */
export function sortBy(length: number, ...keys: readonly Int32Array[]): Uint32Array {
  let order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  for (const column of keys) order = radixSort(order, column, length);
  return order;
}

const digitBits = 11;
const digitCounts = new Uint32Array(1 << digitBits);

function radixSort(
  order: Uint32Array<ArrayBuffer>,
  keys: Int32Array,
  length: number,
): Uint32Array<ArrayBuffer> {
  if (length < 2) return order;
  let lowest = keys[0]!;
  let highest = lowest;
  for (let i = 1; i < length; i++) {
    const key = keys[i]!;
    if (key < lowest) lowest = key;
    else if (key > highest) highest = key;
  }
  let from = order;
  let to = new Uint32Array(length);
  for (let shift = 0; highest - lowest >= 2 ** shift; shift += digitBits) {
    digitCounts.fill(0);
    const mask = (1 << digitBits) - 1;
    for (let i = 0; i < length; i++) digitCounts[((keys[i]! - lowest) >>> shift) & mask]! += 1;
    let sum = 0;
    for (let digit = 0; digit <= mask; digit++) {
      const count = digitCounts[digit]!;
      digitCounts[digit] = sum;
      sum += count;
    }
    for (let i = 0; i < length; i++) {
      const item = from[i]!;
      const digit = ((keys[item]! - lowest) >>> shift) & mask;
      to[digitCounts[digit]!++] = item;
    }
    [from, to] = [to, from];
  }
  return from;
}
