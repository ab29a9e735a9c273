import { dayS, hourS, minuteS, type Window } from '../../core/window.ts';

/**
 * Intervals of time series. Minutes to 6 hours are cut on UTC; days, weeks (from Monday) and months begin
 * at midnight of a time zone, so a day there may have 23 or 25 hours.
 */
export const intervals = ['minute', '5m', 'hour', 'day', 'week', 'month'] as const;
/** With the six hours that only the automatic choice takes, for a week at a glance. Finest first. */
export const allIntervals = ['minute', '5m', 'hour', '6h', 'day', 'week', 'month'] as const;
export type Interval = (typeof allIntervals)[number];

const fixedS = { minute: minuteS, '5m': 5 * minuteS, hour: hourS, '6h': 6 * hourS } as const;
const leastS: Record<Interval, number> = {
  ...fixedS,
  day: 23 * hourS,
  week: 7 * dayS - hourS,
  month: 28 * dayS - hourS,
};
const ladder: readonly Interval[] = allIntervals;

/** A chart on a screen shows no more points than this. */
const glancePoints = 120;

/** The finest interval with a readable number of points for a window; never finer than the stored detail. */
export function glanceInterval(window: Window, resolution: 'minute' | 'hour' | 'day'): Interval {
  const fits = ladder.find(
    (interval) => pointsMost(window, interval) <= glancePoints && !isFiner(interval, resolution),
  );
  return fits ?? 'month';
}

export function isFiner(interval: Interval, resolution: 'minute' | 'hour' | 'day'): boolean {
  return ladder.indexOf(interval) < ladder.indexOf(resolution);
}

/** At least as many as `intervalStarts` will return. */
export function pointsMost(window: Window, interval: Interval): number {
  return Math.ceil((window.toS - window.fromS) / leastS[interval]) + 1;
}

/** Starts of all intervals that share time with the window, ascending; the first may lie before it. */
export function intervalStarts(window: Window, interval: Interval, timeZone: string): number[] {
  return interval === 'day' || interval === 'week' || interval === 'month'
    ? calendarStarts(window, interval, timeZone)
    : fixedStarts(window, fixedS[interval]);
}

function fixedStarts({ fromS, toS }: Window, stepS: number): number[] {
  const starts: number[] = [];
  for (let s = Math.floor(fromS / stepS) * stepS; s < toS; s += stepS) starts.push(s);
  return starts;
}

function calendarStarts(
  { fromS, toS }: Window,
  interval: 'day' | 'week' | 'month',
  timeZone: string,
): number[] {
  const clock = zoneClock(timeZone);
  // The zone's own date of the window's begin, as if it were UTC: dates are counted there.
  const first = new Date((fromS + clock(fromS)) * 1000);
  let date = Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate()) / 1000;
  if (interval === 'week') date -= ((first.getUTCDay() + 6) % 7) * dayS;
  if (interval === 'month') date -= (first.getUTCDate() - 1) * dayS;
  const starts: number[] = [];
  for (;;) {
    const startS = midnight(date, clock);
    if (startS >= toS) return starts;
    // A zone that crossed the date line skipped a day, which then ends where it begins.
    if (startS !== starts.at(-1)) starts.push(startS);
    date = nextDate(date, interval);
  }
}

function nextDate(dateS: number, interval: 'day' | 'week' | 'month'): number {
  if (interval === 'day') return dateS + dayS;
  if (interval === 'week') return dateS + 7 * dayS;
  const date = new Date(dateS * 1000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / 1000;
}

/** @returns seconds that the zone's clock is ahead of UTC at a moment */
type ZoneClock = (epochS: number) => number;

function zoneClock(timeZone: string): ZoneClock {
  if (timeZone === 'UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (epochS) => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(epochS * 1000)) parts[type] = Number(value);
    const { year, month, day, hour, minute, second } = parts as Record<string, number>;
    return Date.UTC(year!, month! - 1, day, hour, minute, second) / 1000 - epochS;
  };
}

/**
 * The moment a date begins in a zone. On a change of clocks midnight can occur twice (the first is used) or
 * not at all (the moment of the change is used).
 * @param dateS the date's midnight as if it were UTC
 */
function midnight(dateS: number, clock: ZoneClock): number {
  const before = clock(dateS - dayS);
  const after = clock(dateS + dayS);
  const candidates = before === after ? [dateS - before] : [dateS - before, dateS - after];
  const startS = candidates.find((s) => s + clock(s) === dateS) ?? dateS - before;
  // The edges of a series are whole minutes; some zones counted seconds until 1972.
  return Math.floor(startS / minuteS) * minuteS;
}

/** Whether this platform knows the zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
