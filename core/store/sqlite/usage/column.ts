type Column = Int32Array | Uint32Array | Uint16Array | Float64Array;

/** The same numbers in a longer column, zeros behind them. */
export function grown<C extends Column>(column: C, length: number): C {
  const next = new (column.constructor as new (length: number) => C)(length);
  next.set(column);
  return next;
}
