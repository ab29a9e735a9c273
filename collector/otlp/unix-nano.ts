/** 64-bit nanoseconds as two unsigned halves: every digit is kept, and no BigInt is made. */

/** Whole seconds in a number of nanoseconds, exactly. */
export function epochSeconds(high: number, low: number): number {
  // The sum is rounded to 53 bits, by less than 2,048 ns: the quotient is right, or off by one.
  const seconds = Math.floor((high * 2 ** 32 + low) / 1e9);
  // The remainder's low 32 bits are exact, and it lies between -1e9 and 2e9: that decides.
  const remainder = nanosecondsBeyond(seconds, low);
  if (remainder >= 2 ** 32 - 1e9) return seconds - 1;
  return remainder >= 1e9 ? seconds + 1 : seconds;
}

/** `low` are the low 32 bits of a number of nanoseconds. Returns the nanoseconds beyond these seconds. */
export function nanosecondsBeyond(seconds: number, low: number): number {
  return (low - Math.imul(seconds, 1e9)) >>> 0;
}
