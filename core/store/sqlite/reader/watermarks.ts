import { minuteS } from '../../../window.ts';
import type { Kept } from '../../coverage.ts';
import { type BucketSpan, bucketSpans, coarsestMinutes } from '../usage/levels.ts';

/** The rows of table `meta` by key: minutes since the epoch from or up to which the store holds, or has compacted, calls. */
export type Meta = ReadonlyMap<string, number>;

/** From when on the store holds minutes, hours and days. */
export function keptOf(meta: Meta): Kept {
  return {
    minutesFromS: meta.get('minutes_from')! * minuteS,
    hoursFromS: meta.get('hours_from')! * minuteS,
    daysFromS: meta.get('days_from')! * minuteS,
  };
}

/**
 * The compacted buckets that cover a window. Where nothing is compacted beyond an edge of the window, the edge moves out
 * to that of a coarsest bucket: then fewer buckets cover the window.
 */
export function compactedSpans(meta: Meta, fromMinute: number, toMinute: number): BucketSpan[] {
  const compactedFrom = meta.get('compacted_from')!;
  const compactedTo = meta.get('compacted_to')!;
  const coarse = (minute: number): number => Math.floor(minute / coarsestMinutes) * coarsestMinutes;
  if (compactedTo === 0) return [];
  // A coarse bucket that begins before the days that are kept was not written.
  const first = coarse(compactedFrom);
  const isKept = first >= meta.get('days_from')!;
  const from = fromMinute <= compactedFrom && isKept ? first : fromMinute;
  const to = toMinute >= compactedTo ? coarse(compactedTo - 1) + coarsestMinutes : toMinute;
  return bucketSpans(from, to);
}
