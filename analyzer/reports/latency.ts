import { z } from 'zod';
import type { Selection, Snapshot } from '../../core/store/store.ts';
import { histogramText } from '../../core/usage/histogram.ts';
import type { DurationBucket, Usage } from '../../core/usage/usage.ts';
import { isoTime, type Window } from '../../core/window.ts';
import { count, named, time } from '../query/schema.ts';
import { leastMs, milliseconds, mostMs } from './figures.ts';
import { steppedEdges } from './series/series.ts';

/** How the durations of an endpoint's calls are distributed: over time, and as a whole. */

const columnsMax = 60;
const rowsMax = 40;

const milliseconds3 = z.number().nonnegative();

export const heatmapSchema = named(
  'Heatmap',
  z
    .object({
      starts: z.array(time).describe('starts of the columns; the last one ends with the window'),
      bounds_ms: z
        .array(milliseconds3)
        .describe('bounds of the rows, ascending, one more than rows; each row is half-open'),
      counts: z.array(z.array(count)).describe('calls by column, then by row'),
    })
    .describe(
      `calls by time and duration, at most ${columnsMax} columns, which begin at whole minutes, hours or days of UTC, and ${rowsMax} rows; rows are as many powers of 2 wide as it takes; no rows when no call has a latency`,
    ),
);

export const curveSchema = z
  .array(
    named(
      'CurvePoint',
      z.object({
        percentile: z.number().min(0).max(100),
        duration_ms: milliseconds3,
      }),
    ),
  )
  .describe('nearest ranks, within 1 %, exact at 0 and 100; empty when no call has a latency');

export const histogramSchema = z
  .string()
  .nullable()
  .describe(
    'all durations in microseconds as a compressed HdrHistogram V2 in base64, two significant digits, as its libraries read it; null when no call has a latency',
  );

const curvePercentiles = [
  0, 5, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95, 97.5, 99, 99.5, 99.9, 99.95, 99.99, 100,
];

export interface Latency {
  heatmap: z.output<typeof heatmapSchema>;
  curve: z.output<typeof curveSchema>;
  histogram: string | null;
}

/** @param usage of the same selection and window: its extremes are exact */
export async function latencyOf(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  usage: Usage,
): Promise<Latency> {
  const edgesS = await steppedEdges(snapshot, window, columnsMax);
  const columns = await snapshot.durations(selection, edgesS);
  const bounds = rowBounds(columns.flat());
  const all = merged(columns);
  return {
    heatmap: {
      starts: edgesS.slice(0, -1).map((s) => isoTime(s * 1000)),
      bounds_ms: bounds.map((us) => milliseconds(us * 1000)),
      counts: columns.map((buckets) => rowCounts(buckets, bounds)),
    },
    curve: curveOf(all, usage),
    histogram: all.length === 0 ? null : histogramText(all),
  };
}

/**
 * Bounds in microseconds that hold every duration: powers of the root of 2, or of 2, 4, 16 … where that would
 * be too many. The first row begins at 0, since a duration may be.
 */
function rowBounds(buckets: readonly DurationBucket[]): number[] {
  if (buckets.length === 0) return [];
  const durations = buckets.map(({ us }) => Math.max(us, 1));
  const least = Math.log2(durations.reduce((a, b) => Math.min(a, b)));
  const most = Math.log2(durations.reduce((a, b) => Math.max(a, b)));
  let step = 0.5;
  while (Math.floor(most / step) - Math.floor(least / step) >= rowsMax) step *= 2;
  const first = Math.floor(least / step);
  const rows = Math.floor(most / step) - first + 1;
  const bounds = Array.from({ length: rows + 1 }, (_, n) => 2 ** ((first + n) * step));
  if (buckets.some(({ us }) => us < bounds[0]!)) bounds[0] = 0;
  return bounds;
}

function rowCounts(buckets: readonly DurationBucket[], bounds: readonly number[]): number[] {
  const counts = Array<number>(Math.max(0, bounds.length - 1)).fill(0);
  let row = 0;
  for (const { us, calls } of buckets) {
    while (row < counts.length - 1 && us >= bounds[row + 1]!) row += 1;
    counts[row]! += calls;
  }
  return counts;
}

function merged(columns: readonly DurationBucket[][]): DurationBucket[] {
  const calls = new Map<number, number>();
  for (const { us, calls: more } of columns.flat()) calls.set(us, (calls.get(us) ?? 0) + more);
  return [...calls].sort(([a], [b]) => a - b).map(([us, sum]) => ({ us, calls: sum }));
}

function curveOf(buckets: readonly DurationBucket[], usage: Usage): Latency['curve'] {
  const total = buckets.reduce((sum, { calls }) => sum + calls, 0);
  const [least, most] = [leastMs(usage), mostMs(usage)];
  if (total === 0 || least === null || most === null) return [];
  let at = 0;
  let seen = buckets[0]!.calls;
  return curvePercentiles.map((percentile) => {
    const rank = Math.max(1, Math.ceil((percentile * total) / 100));
    while (seen < rank) seen += buckets[++at]!.calls;
    const inside = Math.min(most, Math.max(least, milliseconds(buckets[at]!.us * 1000)));
    const duration_ms = rank === 1 ? least : rank === total ? most : inside;
    return { percentile, duration_ms };
  });
}
