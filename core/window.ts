import { limits } from './limits.ts';

/** A report's time range in whole seconds since the epoch, UTC, half-open: `fromS <= end < toS`. */
export interface Window {
  fromS: number;
  toS: number;
}

export const minuteS = 60;
export const hourS = 3600;
export const dayS = 86_400;

/** The widest window: holds every stored call. */
export const allTime: Window = { fromS: 0, toS: 2 ** 32 };

/**
 * A moment in ISO 8601, UTC, with milliseconds, as `Date` formats it. A report of 1,000 endpoints holds 7,000
 * moments of a few days, so the date comes from a cache and the time of day is put together from tables: 25 ns
 * a moment, `Date` takes 370 ns.
 */
export function isoTime(epochMs: number): string {
  const whole = Math.trunc(epochMs);
  const day = Math.floor(whole / dayMs);
  let date = dates.get(day);
  if (date === undefined) {
    date = new Date(day * dayMs).toISOString().slice(0, -timeOfMidnight.length);
    if (dates.size === limits.cachedDates) dates.clear();
    dates.set(day, date);
  }
  const ms = whole - day * dayMs;
  const s = Math.floor(ms / 1000);
  const m = Math.floor(s / 60);
  return (
    date + (minutesOfDay[m]! + (secondsOfMinute[s - m * 60]! + millisecondsEnd[ms - s * 1000]!))
  );
}

const dayMs = 86_400_000;
const timeOfMidnight = '00:00:00.000Z';
const digits = (n: number, length: number): string => String(n).padStart(length, '0');
/** `HH:MM:` */
const minutesOfDay = Array.from(
  { length: 1440 },
  (_, m) => `${digits(Math.floor(m / 60), 2)}:${digits(m % 60, 2)}:`,
);
/** `SS.` */
const secondsOfMinute = Array.from({ length: 60 }, (_, s) => `${digits(s, 2)}.`);
const millisecondsEnd = Array.from({ length: 1000 }, (_, ms) => `${digits(ms, 3)}Z`);
const dates = new Map<number, string>();

/** Rounds outward to whole steps: the result holds every call of the window. */
export function roundOutward(window: Window, stepS: number): Window {
  return {
    fromS: Math.floor(window.fromS / stepS) * stepS,
    toS: Math.ceil(window.toS / stepS) * stepS,
  };
}
