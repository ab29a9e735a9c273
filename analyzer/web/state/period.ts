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

/** How often a page that shows the period asks again. A fixed period has its figures already. */
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

/** The range a window is compared with. @param window as the API answered it */
export function comparedRange(
  { from, to }: { from: string; to: string },
  compare: 'week' | 'previous',
): { from: string; to: string } {
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  const length = toMs - fromMs;
  const shift = compare === 'previous' ? length : Math.ceil(length / weekMs) * weekMs;
  return {
    from: new Date(Math.max(0, fromMs - shift)).toISOString(),
    to: new Date(Math.max(60_000, toMs - shift)).toISOString(),
  };
}

export function comparedName(period: Period, compare: 'week' | 'previous'): string {
  const days = lengthMs(period) / unitMs.d;
  if (compare === 'previous') return 'the same time before';
  const weeks = Math.ceil(days / 7);
  if (days === 7 * weeks) return weeks === 1 ? 'the 7 days before' : `the ${7 * weeks} days before`;
  return weeks === 1 ? 'a week before' : `${weeks} weeks before`;
}
