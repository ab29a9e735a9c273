/** Value of the nearest rank of ascending values; 0 of none. */
export function quantile(ascending: readonly number[], percent: number): number {
  return ascending[Math.max(1, Math.ceil((ascending.length * percent) / 100)) - 1] ?? 0;
}
