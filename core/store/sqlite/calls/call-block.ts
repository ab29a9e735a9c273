import type { CallContext } from '../../../call.ts';
import { putVarint } from '../../../usage/varint.ts';
import { CallWeights } from '../../../weight.ts';
import { encodeSummary, membersMax, summaryOf } from './block-summary.ts';
import { blockCallsMax, type Coded, coded, encodeAscending, encodeCodes } from './coded.ts';
import { putWeights, weightsBytesMax } from './commit-columns.ts';
import { encodePart } from './frames.ts';
import {
  addRow,
  addToFilter,
  filterOf,
  type Hashes,
  lineBytes,
  traceHashes,
} from './membership.ts';
import { type NumberColumn, packedBytesMax, putPacked } from './packed.ts';
import { encodeSlowest } from './slowest-calls.ts';
import type { StoredCalls } from './stored-calls.ts';

/**
 * A call block holds the calls of many commits, in the order in which they were committed: the call with index i
 * has the id `first call id + i`. It is a summary (block-summary.ts) and parts, each a row: a search reads only the
 * parts it needs. A column's frames hold `frameCalls` calls each.
 */
export const parts = {
  endpoint: 0,
  status: 1,
  end: 2,
  duration: 3,
  client: 4,
  origin: 5,
  requestBytes: 6,
  responseBytes: 7,
  /** Absent when every call has the weight 1. */
  weights: 8,
  commits: 9,
  /** Filters: absent when the summary has the rows. */
  endpointFilter: 10,
  clientFilter: 11,
  originFilter: 12,
  /** Absent in a block of few calls, and in blocks that were written before it was made. */
  slowest: 13,
  /** And the next ones: `callsPerTracePart` calls each. */
  traceIds: 16,
  /** And the next ones: `linesPerFilterPart` lines each. */
  traceFilter: 24,
} as const;

/** Part numbers are below. */
export const partsPerBlock = 64;
export const frameCalls = 8_192;
export const callsPerTracePart = 16_384;
/** With its head a piece of the filter fills one page of the file. */
export const linesPerFilterPart = 62;

export interface EncodedBlock {
  summary: Buffer;
  parts: { part: number; bytes: Buffer }[];
}

/** Neighbouring commits of one second. */
export interface CommitRun {
  calls: number;
  committedS: number;
}

export interface BlockSource {
  /** The block holds the calls from `from` to `to - 1`, at most `blockCallsMax`. */
  calls: StoredCalls;
  from: number;
  to: number;
  /** As many calls as the block, ascending in time. */
  commits: readonly CommitRun[];
  contextOf: (origin: number) => CallContext;
}

export function encodeBlock({ calls, from, to, commits, contextOf }: BlockSource): EncodedBlock {
  if (to - from > blockCallsMax) throw new Error(`a call block of ${to - from} calls`);
  const { columns } = calls;
  const endpoint = coded(columns.endpoint.subarray(from, to));
  const status = coded(columns.status.subarray(from, to));
  const client = coded(columns.client.subarray(from, to));
  const origin = coded(columns.origin.subarray(from, to));
  const weights = weightsOf(calls, from, to);
  const traceFilter = traceFilterOf(columns.traceId.subarray(from * 16, to * 16));
  const traceFilterLines = traceFilter.length / lineBytes;
  const summary = summaryOf({
    ...{ calls, from, to, endpoint, status, client, origin, traceFilterLines, contextOf },
    weightedCalls: weights.length,
  });
  const { durationNs, requestBytes, responseBytes } = columns;
  const encoded: EncodedBlock['parts'] = [
    { part: parts.endpoint, bytes: encodeCoded(endpoint) },
    { part: parts.status, bytes: encodeCoded(status) },
    { part: parts.end, bytes: encodeNumbers([columns.endS, columns.endNs], from, to) },
    { part: parts.duration, bytes: encodeNumbers([durationNs], from, to) },
    { part: parts.client, bytes: encodeCoded(client) },
    { part: parts.origin, bytes: encodeCoded(origin) },
    { part: parts.requestBytes, bytes: encodeNumbers([requestBytes], from, to) },
    { part: parts.responseBytes, bytes: encodeNumbers([responseBytes], from, to) },
    { part: parts.commits, bytes: encodePart([encodeCommits(commits)]) },
    ...filterPart(parts.endpointFilter, endpoint),
    ...filterPart(parts.clientFilter, client),
    ...filterPart(parts.originFilter, origin),
  ];
  if (weights.length > 0) {
    const bytes = new Uint8Array(weightsBytesMax(weights.length));
    const end = putWeights(bytes, 0, weights);
    encoded.push({ part: parts.weights, bytes: encodePart([bytes.subarray(0, end)]) });
  }
  for (let at = from, part: number = parts.traceIds; at < to; at += callsPerTracePart, part++) {
    const ids = columns.traceId.subarray(at * 16, Math.min(to, at + callsPerTracePart) * 16);
    encoded.push({ part, bytes: encodePart([ids], true) });
  }
  const slowest = encodeSlowest(calls, from, to);
  if (slowest !== undefined) encoded.push({ part: parts.slowest, bytes: slowest });
  const filterPartBytes = linesPerFilterPart * lineBytes;
  for (let at = 0, part: number = parts.traceFilter; at < traceFilter.length; part++) {
    const piece = traceFilter.subarray(at, at + filterPartBytes);
    encoded.push({ part, bytes: encodePart([piece], true) });
    at += filterPartBytes;
  }
  return { summary: encodeSummary(summary), parts: encoded };
}

function encodeCoded(column: Coded): Buffer {
  const frames = [encodeAscending(column.values)];
  for (let at = 0; at < column.codes.length; at += frameCalls) {
    frames.push(encodeCodes(column, at, Math.min(column.codes.length, at + frameCalls)));
  }
  return encodePart(frames);
}

/** All frames of one column before they are compressed. A new array for each one would be garbage of megabytes a block. */
let frameBytes = new Uint8Array(0);

function encodeNumbers(columns: readonly NumberColumn[], from: number, to: number): Buffer {
  const frames: Uint8Array[] = [];
  const bytesMax = columns.length * (packedBytesMax(to - from) + packedBytesMax(frameCalls));
  if (frameBytes.length < bytesMax) frameBytes = new Uint8Array(bytesMax);
  let length = 0;
  for (let at = from; at < to; at += frameCalls) {
    const end = Math.min(to, at + frameCalls);
    const start = length;
    for (const column of columns) length = putPacked(frameBytes, length, column, at, end, true);
    frames.push(frameBytes.subarray(start, length));
  }
  return encodePart(frames);
}

function encodeCommits(commits: readonly CommitRun[]): Uint8Array {
  const out = new Uint8Array(8 + commits.length * 16);
  let at = putVarint(out, 0, commits.length);
  let before = 0;
  for (const { calls, committedS } of commits) {
    at = putVarint(out, at, calls);
    // A clock that was set back: the age of a commit is never less than that of a later one.
    const committed = Math.max(before, committedS);
    at = putVarint(out, at, committed - before);
    before = committed;
  }
  return out.subarray(0, at);
}

function filterPart(part: number, { values }: Coded): EncodedBlock['parts'] {
  if (values.length <= membersMax) return [];
  const filter = filterOf(values.length);
  for (const row of values) addRow(filter, row);
  return [{ part, bytes: encodePart([filter], true) }];
}

function weightsOf({ weights }: StoredCalls, from: number, to: number): CallWeights {
  const own = new CallWeights();
  for (let i = 0; i < weights.length; i++) {
    const call = weights.call[i]!;
    if (call >= from && call < to) own.add(call - from, weights.weight[i]!, weights.copies[i]!);
  }
  return own;
}

const hashes: Hashes = { line: 0, bits: 0 };

function traceFilterOf(ids: Uint8Array): Uint8Array {
  const filter = filterOf(ids.length / 16);
  for (let at = 0; at < ids.length; at += 16) {
    traceHashes(ids, at, hashes);
    addToFilter(filter, hashes.line, hashes.bits);
  }
  return filter;
}
