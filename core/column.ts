type Column = Int32Array | Uint32Array | Uint16Array | Uint8Array | Float64Array;

/** A longer copy of a column, filled up with zeros. */
export function grown<C extends Column>(column: C, length: number): C {
  const next = new (column.constructor as new (length: number) => C)(length);
  next.set(column);
  return next;
}

/**
 * The index of the first number that is at least `least`, or `length`.
 * @param length of the part that is searched
 */
export function indexOfLeast(
  ascending: Column,
  least: number,
  length: number = ascending.length,
): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
