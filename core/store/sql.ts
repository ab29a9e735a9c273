/** Questions in an engine's own SQL, which only people ask (`rollcall sql`). */

export interface SqlBounds {
  rowsMost: number;
  timeoutMs: number;
}

/** A number beyond 2^53 is a bigint. */
export type SqlCell = string | number | bigint | Uint8Array | null;

export interface SqlAnswer {
  columns: string[];
  rows: SqlCell[][];
  /** There are more rows than the bounds allow. */
  more: boolean;
}
