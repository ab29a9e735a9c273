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
 * moments of a few days, so the date comes from a cache and only the time of day is formatted: 3 to 4 times
 * as fast.
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
  const milliseconds = String(1000 + ms - s * 1000).slice(1);
  return `${date}${twoDigits[Math.floor(m / 60)]}:${twoDigits[m % 60]}:${twoDigits[s % 60]}.${milliseconds}Z`;
}

const dayMs = 86_400_000;
const timeOfMidnight = '00:00:00.000Z';
const twoDigits = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const dates = new Map<number, string>();

/** Rounds outward to whole steps: the result holds every call of the window. */
export function roundOutward(window: Window, stepS: number): Window {
  return {
    fromS: Math.floor(window.fromS / stepS) * stepS,
    toS: Math.ceil(window.toS / stepS) * stepS,
  };
}
