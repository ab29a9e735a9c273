import { z } from 'zod';
import type { Selection, Snapshot } from '../../../core/store/store.ts';
import type { Window } from '../../../core/window.ts';
import { count, named } from '../../query/schema.ts';
import { countOf, errorCount } from '../figures.ts';
import { equalEdges } from './series.ts';

/** A small series for a row of a table: one number for each interval of the answer's `spark_starts`. */
export const sparkSchema = named(
  'Spark',
  z.object({
    calls: z.array(count),
    errors: z.array(count).describe('of those, statuses of 400 or more'),
  }),
);

export type Spark = z.output<typeof sparkSchema>;

/** How many points a row's series may have: narrow and wide tables. */
export const sparkPoints = ['24', '60'] as const;

export interface Sparks {
  /** Starts of the intervals, ascending; the last one ends with the window. */
  startsS: number[];
  byEndpoint: ReadonlyMap<string, Spark>;
  /** Of an endpoint without a call in the window. */
  none: Spark;
}

/**
 * The window cut into equal intervals, as far as the steps allow that are kept of it: a window of ten minutes
 * has ten, however many were asked for.
 */
export async function sparksOf(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  points: number,
): Promise<Sparks> {
  const edgesS = await equalEdges(snapshot, window, points);
  const intervals = edgesS.length - 1;
  const zeros = () => Array<number>(intervals).fill(0);
  const empty = (): Spark => ({ calls: zeros(), errors: zeros() });
  const byEndpoint = new Map<string, Spark>();
  for (let n = 0; n < intervals; n++) {
    const interval = { fromS: edgesS[n]!, toS: edgesS[n + 1]! };
    for (const [id, usage] of await snapshot.usage(selection, interval)) {
      const spark = byEndpoint.get(id) ?? empty();
      spark.calls[n] = countOf(usage.calls);
      spark.errors[n] = errorCount(usage);
      byEndpoint.set(id, spark);
    }
  }
  return { startsS: edgesS.slice(0, -1), byEndpoint, none: empty() };
}
