import type { SeriesPoint, Timeseries } from '../../api/answers.ts';

/** What a time chart needs of a series of the API. */
export interface Axis {
  starts: number[];
  endS: number;
}

/**
 * Whole intervals, though the first and last hold only what the window has of them: bars of one width stand
 * on them.
 */
export function axisOf({ points, window }: Pick<Timeseries, 'points' | 'window'>): Axis {
  const starts = points.map(({ timestamp }) => seconds(timestamp));
  const [last = 0, before] = [starts.at(-1), starts.at(-2)];
  const endS = before === undefined ? seconds(window.to) : last + (last - before);
  return { starts, endS };
}

const seconds = (iso: string): number => Math.floor(Date.parse(iso) / 1000);

/**
 * The series before, interval by interval beside the one now. @param shiftMs how much earlier it was
 * A day may have 23 or 25 hours: each point takes the nearest place.
 */
export function beside(
  now: Timeseries,
  before: Timeseries,
  shiftMs: number,
): (SeriesPoint | undefined)[] {
  const atMs = ({ timestamp }: SeriesPoint) => Date.parse(timestamp);
  const [first, second] = now.points;
  if (first === undefined) return [];
  const stepMs = second === undefined ? 60_000 : atMs(second) - atMs(first);
  const place = (ms: number) => Math.round((ms - atMs(first)) / stepMs);
  const places = new Map(before.points.map((point) => [place(atMs(point) + shiftMs), point]));
  return now.points.map((point) => places.get(place(atMs(point))));
}

export function column(
  points: readonly (SeriesPoint | undefined)[],
  field: Exclude<keyof SeriesPoint, 'timestamp' | 'group'>,
): (number | null)[] {
  return points.map((point) => point?.[field] ?? null);
}

const intervalNames: Record<string, string> = {
  minute: 'by the minute',
  '5m': 'by 5 minutes',
  hour: 'by the hour',
  '6h': 'by 6 hours',
  day: 'by the day',
  week: 'by the week',
  month: 'by the month',
};

export const intervalName = (interval: string): string => intervalNames[interval] ?? interval;
