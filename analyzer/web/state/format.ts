/** Numbers and times as a page shows them, by the reader's locale. */
const locale = navigator.languages.length > 0 ? [...navigator.languages] : undefined;

const exactFormat = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const compactFormat = new Intl.NumberFormat(locale, {
  notation: 'compact',
  minimumSignificantDigits: 3,
  maximumSignificantDigits: 3,
});
const decimals = [0, 1, 2].map(
  (digits) =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);

export const nothing = '–';

export function exact(value: number | null | undefined): string {
  return value === null || value === undefined ? nothing : exactFormat.format(value);
}

/** Up to 9,999 in full, then 12.3K, 4.81M. */
export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined) return nothing;
  return Math.abs(value) < 10_000 ? exactFormat.format(value) : compactFormat.format(value);
}

/** @param value percent. Small shares keep a digit: one error in a million is not "0". */
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return nothing;
  if (value > 0 && value < 0.01) return `< ${decimals[2]!.format(0.01)} %`;
  const digits = value >= 99.95 || value === 0 ? 0 : value >= 10 ? 1 : 2;
  return `${decimals[digits]!.format(value)} %`;
}

/** @param ms milliseconds */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return nothing;
  if (ms >= 60_000) return `${decimals[1]!.format(ms / 60_000)} min`;
  if (ms >= 10_000) return `${decimals[1]!.format(ms / 1000)} s`;
  if (ms >= 1000) return `${decimals[2]!.format(ms / 1000)} s`;
  return `${decimals[ms >= 10 || ms === 0 ? 0 : ms >= 1 ? 1 : 2]!.format(ms)} ms`;
}

/** A round duration on an axis. @param ms a power of ten */
export function roundDuration(ms: number): string {
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  return ms >= 1000 ? `${number.format(ms / 1000)} s` : `${number.format(ms)} ms`;
}

/** @param value percent, a round number of an axis */
export function roundPercent(value: number): string {
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value)} %`;
}

/** A change between two values, with its sign; null when there is nothing to compare. */
export function relativeChange(now: number | null, before: number | null): string | null {
  if (now === null || before === null || before === 0) return null;
  return signedPercent((100 * (now - before)) / before);
}

/** @param change percent */
export function signedPercent(change: number): string {
  if (Math.abs(change) < 0.05) return '±0 %';
  const digits = Math.abs(change) >= 10 ? 0 : 1;
  return `${sign(change)}${decimals[digits]!.format(Math.abs(change))} %`;
}

export function signed(change: number, format: (value: number) => string): string {
  return `${sign(change)}${format(Math.abs(change))}`;
}

const sign = (value: number): string => (value < 0 ? '−' : '+');

export const points = (value: number): string => `${decimals[2]!.format(value)} points`;

const plural = (count: number, noun: string): string =>
  `${exact(count)} ${noun}${count === 1 ? '' : 's'}`;

export { plural };

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const dateFormats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(name: string, options: Intl.DateTimeFormatOptions, timeZone?: string) {
  const key = `${name} ${timeZone ?? ''}`;
  let format = dateFormats.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale, { ...options, ...(timeZone && { timeZone }) });
    dateFormats.set(key, format);
  }
  return format;
}

/** With day and time. @param at milliseconds or ISO 8601 */
export function moment(at: number | string | null, timeZone?: string): string {
  if (at === null) return nothing;
  const options: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };
  return dateFormat('moment', options, timeZone).format(new Date(at));
}

/** To the millisecond, for single calls. */
export function momentMs(at: string, timeZone?: string, isTimeAlone = false): string {
  const options: Intl.DateTimeFormatOptions = {
    ...(!isTimeAlone && { day: 'numeric', month: 'short' }),
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
  };
  return dateFormat(isTimeAlone ? 'timeMs' : 'momentMs', options, timeZone).format(new Date(at));
}

export function day(at: number | string | null, timeZone?: string): string {
  if (at === null) return nothing;
  return dateFormat('day', { dateStyle: 'medium' }, timeZone).format(new Date(at));
}

/** A point of a time axis: the time of day for steps below a day, else the date. */
export function intervalStart(atMs: number, stepMs: number, timeZone?: string): string {
  const options: Intl.DateTimeFormatOptions =
    stepMs < 86_400_000
      ? { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }
      : { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' };
  return dateFormat(stepMs < 86_400_000 ? 'interval' : 'date', options, timeZone).format(atMs);
}

/** Age of figures, in steps that do not flicker: "now", "15 s ago", "4 min ago". */
export function ageText(atMs: number, nowMs: number = Date.now()): string {
  const seconds = Math.floor((nowMs - atMs) / 5_000) * 5;
  if (seconds >= 60) return agoText(atMs);
  return seconds < 5 ? 'now' : `${seconds} s ago`;
}

/** As part of a sentence: "now", "4 min ago", "never", or the date. */
export function agoText(at: string | number | null): string {
  const text = ago(at);
  return / (min|h|d)$/.test(text) ? `${text} ago` : text;
}

/** How long ago in the shortest words: "now", "4 min", "3 h", "12 d", then the date. */
export function ago(at: string | number | null, nowMs: number = Date.now()): string {
  if (at === null) return 'never';
  const atMs = typeof at === 'number' ? at : Date.parse(at);
  const minutes = Math.floor((nowMs - atMs) / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
  if (minutes < 60 * 1440) return `${Math.floor(minutes / 1440)} d`;
  return day(atMs);
}
