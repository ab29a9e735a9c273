import { brace, JsonReader, square } from './json-reader.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import type { Encoding, Signal } from './responses.ts';

/**
 * Counts the data points, log records or profiles of a request of a signal that is not stored, and reads
 * nothing else. SDKs send these signals by default; the response says that they were not stored (H7).
 * @throws AppError `invalid`
 */
export function countUnstored(signal: UnstoredSignal, encoding: Encoding, body: Buffer): number {
  const path = paths[signal];
  if (encoding === 'json') {
    const json = new JsonReader(body);
    const count = countJson(json, path, 0, 'the body');
    json.finish();
    return count;
  }
  const cursor = new ProtobufReader();
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

function countProtobuf(
  cursor: ProtobufReader,
  end: number,
  path: readonly Step[],
  depth: number,
): number {
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

function countJson(json: JsonReader, path: readonly Step[], depth: number, name: string): number {
  let count = 0;
  json.enter(brace, name);
  for (let first = true; json.next(brace, first); first = false) {
    const key = json.key();
    const followed = path[depth]!.find(([, camel]) => key === camel || key === snakeCase(camel));
    if (followed === undefined) json.skip();
    else if (!json.takeNull()) count += countField(json, path, depth, followed[1]);
  }
  return count;
}

/** A gauge is one message and a list of metrics is a list: both are followed the same way. */
function countField(json: JsonReader, path: readonly Step[], depth: number, name: string): number {
  const isLast = depth === path.length - 1;
  if (!isLast && json.peek() !== square) return countJson(json, path, depth + 1, name);
  let count = 0;
  json.enter(square, name);
  for (let first = true; json.next(square, first); first = false) {
    if (isLast) {
      json.skip();
      count += 1;
    } else {
      count += countJson(json, path, depth + 1, name);
    }
  }
  return count;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
