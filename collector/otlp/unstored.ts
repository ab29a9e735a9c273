import { field, items, parseJson } from './json.ts';
import { Cursor } from './protobuf.ts';
import type { Encoding, Signal } from './responses.ts';

/**
 * Counts what a request of a signal we do not store holds: data points, log records or profiles. Nothing
 * else of it is read. A service's SDK sends them by default; the answer says what was not kept (H7).
 * @throws AppError `invalid`
 */
export function countUnstored(signal: UnstoredSignal, encoding: Encoding, body: Buffer): number {
  const path = paths[signal];
  if (encoding === 'json') return countJson(parseJson(body), path, 0);
  const cursor = new Cursor();
  return countProtobuf(cursor, cursor.open(body), path, 0);
}

export type UnstoredSignal = Exclude<Signal, 'traces'>;

/** One level of nesting: the fields to follow, by number and by JSON name. */
type Step = readonly (readonly [number, string])[];

const paths: Record<UnstoredSignal, readonly Step[]> = {
  metrics: [
    [[1, 'resourceMetrics']],
    [[2, 'scopeMetrics']],
    [[2, 'metrics']],
    [
      [5, 'gauge'],
      [7, 'sum'],
      [9, 'histogram'],
      [10, 'exponentialHistogram'],
      [11, 'summary'],
    ],
    [[1, 'dataPoints']],
  ],
  logs: [[[1, 'resourceLogs']], [[2, 'scopeLogs']], [[2, 'logRecords']]],
  profiles: [[[1, 'resourceProfiles']], [[2, 'scopeProfiles']], [[2, 'profiles']]],
};

function countProtobuf(cursor: Cursor, end: number, path: readonly Step[], depth: number): number {
  const step = path[depth]!;
  let count = 0;
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    const followed = (tag & 7) === 2 && step.some(([number]) => number === tag >>> 3);
    if (!followed) {
      cursor.skip(tag, end);
    } else if (depth === path.length - 1) {
      cursor.skip(tag, end);
      count += 1;
    } else {
      count += countProtobuf(cursor, cursor.length(end), path, depth + 1);
    }
  }
  return count;
}

/** A gauge is one message and a list of metrics is a list: both are followed the same way. */
function countJson(parent: unknown, path: readonly Step[], depth: number): number {
  let count = 0;
  for (const [, name] of path[depth]!) {
    const value = field(parent, name);
    const children = Array.isArray(value) ? items(value, name) : value === undefined ? [] : [value];
    if (depth === path.length - 1) count += children.length;
    else for (const child of children) count += countJson(child, path, depth + 1);
  }
  return count;
}
