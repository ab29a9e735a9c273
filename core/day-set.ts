import { limits } from './limits.ts';

/**
 * A set of days as a bitmap, one bit a day: 50 bytes for a year. It holds days of the `limits.recordDays` days up to
 * its newest one; older days are left out, so a set does not depend on the order in which its days came.
 */
export interface DaySet {
  /** Of the lowest bit: days since the epoch, UTC, a multiple of 8. Without meaning while `bits` is empty. */
  firstDay: number;
  /** Bit n is `firstDay + n`, the lowest bit of a byte first. The last byte is not 0. */
  bits: Uint8Array;
}

export function emptyDays(): DaySet {
  return { firstDay: 0, bits: noBits };
}

const noBits = new Uint8Array();

export function addDay(set: DaySet, day: number): void {
  const { firstDay, bits } = set;
  const base = day - (day & 7);
  if (bits.length === 0) {
    set.firstDay = base;
    // Faster than `Uint8Array.of`: roll-up makes one for each endpoint.
    set.bits = new Uint8Array(1);
    set.bits[0] = 1 << (day & 7);
    return;
  }
  const at = (base - firstDay) >> 3;
  if (at >= 0 && at < bits.length) {
    bits[at]! |= 1 << (day & 7);
    return;
  }
  const end = firstDay + bits.length * 8;
  const newest = Math.max(base + 8, end);
  const oldest = Math.max(Math.min(base, firstDay), newest - limits.recordDays);
  const next = new Uint8Array((newest - oldest) >> 3);
  const kept = bits.subarray(Math.max(0, oldest - firstDay) >> 3);
  next.set(kept, Math.max(0, firstDay - oldest) >> 3);
  if (base >= oldest) next[(base - oldest) >> 3]! |= 1 << (day & 7);
  set.firstDay = oldest;
  set.bits = next;
}

export function addDays(set: DaySet, more: DaySet): void {
  for (const day of daysOf(more)) addDay(set, day);
}

/** Ascending. */
export function daysOf({ firstDay, bits }: DaySet): number[] {
  const days: number[] = [];
  for (let at = 0; at < bits.length; at++) {
    const byte = bits[at]!;
    if (byte === 0) continue;
    for (let bit = 0; bit < 8; bit++) {
      if ((byte >> bit) & 1) days.push(firstDay + at * 8 + bit);
    }
  }
  return days;
}
