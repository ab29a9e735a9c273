/** The time a page shows: up to now and moving with it, or fixed. */
export type Period = { window: string } | { from: string; to: string };

export const presets: readonly { window: string; name: string; key?: string }[] = [
  { window: '1h', name: 'Last hour' },
  { window: '24h', name: 'Last 24 hours', key: 'd' },
  { window: '7d', name: 'Last 7 days', key: 'w' },
  { window: '30d', name: 'Last 30 days', key: 'm' },
  { window: '90d', name: 'Last 90 days' },
  { window: '365d', name: 'Last 12 months' },
];

export const usualPeriod: Period = { window: '7d' };

export function readPeriod(query: URLSearchParams): Period {
  const from = isoTime(query.get('from'));
  const to = isoTime(query.get('to'));
  if (from !== undefined && to !== undefined && from < to) return { from, to };
  const window = /^[1-9]\d{0,6}[mhd]$/.exec(query.get('window') ?? '')?.[0];
  return window === undefined ? usualPeriod : { window };
}

function isoTime(text: string | null): string | undefined {
  const ms = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) || ms < 0 ? undefined : new Date(ms).toISOString();
}

export function writePeriod(period: Period, query: URLSearchParams): void {
  if ('from' in period) {
    query.set('from', period.from);
    query.set('to', period.to);
  } else if (period.window !== '7d') {
    query.set('window', period.window);
  }
}

/** The API's parameters. */
export function periodParameters(period: Period): Record<string, string> {
  return 'from' in period ? { from: period.from, to: period.to } : { window: period.window };
}

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export function lengthMs(period: Period): number {
  if ('from' in period) return Date.parse(period.to) - Date.parse(period.from);
  const unit = period.window.slice(-1) as keyof typeof unitMs;
  return Number(period.window.slice(0, -1)) * unitMs[unit];
}

/** Refresh interval of a page that shows the period. The figures of a fixed period do not change. */
export function refreshMs(period: Period): number | false {
  if ('from' in period) return Date.parse(period.to) > Date.now() ? 30_000 : false;
  return lengthMs(period) <= unitMs.d ? 10_000 : 30_000;
}

/**
 * The interval of a series, where the API's own choice is too coarse for a large chart: it aims at 120 points,
 * and a week by the hour has 168.
 */
export function intervalOf(period: Period, nowMs: number): 'hour' | undefined {
  const days = lengthMs(period) / unitMs.d;
  const isKept = 'window' in period || nowMs - Date.parse(period.from) < 80 * unitMs.d;
  return days > 2 && days <= 10 && isKept ? 'hour' : undefined;
}

const weekMs = 7 * unitMs.d;

/** How long before a period lies the one that it is compared with. */
export function comparedShiftMs(period: Period, compare: 'week' | 'previous'): number {
  const length = lengthMs(period);
  return compare === 'previous' ? length : Math.ceil(length / weekMs) * weekMs;
}

/**
 * The range a window is compared with. Minutes are kept for two days unless configured: what is older is taken
 * to the nearest hour, since the API would round it outward, and an hour more is much of a day.
 * @param answered as the API answered it, which may begin earlier than was asked
 */
export function comparedRange(
  answered: { from: string; to: string },
  period: Period,
  compare: 'week' | 'previous',
  nowMs: number,
): { from: string; to: string } {
  const shift = comparedShiftMs(period, compare);
  const from = Date.parse(answered.from) - shift;
  const to = Date.parse(answered.to) - shift;
  const stepMs = nowMs - from > 2 * unitMs.d ? unitMs.h : unitMs.m;
  const fromMs = Math.max(0, Math.round(from / stepMs) * stepMs);
  const toMs = Math.max(fromMs + stepMs, Math.round(to / stepMs) * stepMs);
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}

/** Whether two answered windows are about as long: one that was kept by the day only is not like an hour. */
export function isLike(a: { from: string; to: string }, b: { from: string; to: string }): boolean {
  const length = ({ from, to }: { from: string; to: string }) => Date.parse(to) - Date.parse(from);
  return Math.abs(length(a) / length(b) - 1) <= 0.05;
}

export function comparedName(period: Period, compare: 'week' | 'previous'): string {
  const days = lengthMs(period) / unitMs.d;
  if (compare === 'previous') return 'the same time before';
  const weeks = Math.ceil(days / 7);
  if (days === 7 * weeks) return weeks === 1 ? 'the 7 days before' : `the ${7 * weeks} days before`;
  return weeks === 1 ? 'a week before' : `${weeks} weeks before`;
}
