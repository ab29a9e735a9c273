import type { CallContext } from '../../../call.ts';
import { putVarint, VarintReader } from '../../../usage/varint.ts';
import { assertSealed, checksumBytes, DamagedError, sealed } from '../sealed.ts';
import { type Coded, putAscending, readAscending } from './coded.ts';
import { mayHoldRow } from './membership.ts';
import type { StoredCalls } from './stored-calls.ts';

/** What a call block holds, so that a search skips it without reading its columns. */
export interface BlockSummary {
  calls: number;
  /** Ends of the oldest and the newest call. */
  minEndS: number;
  minEndNs: number;
  maxEndS: number;
  maxEndNs: number;
  /** Calls with a latency, and its extremes; both 0 without such calls. */
  timedCalls: number;
  minDurationNs: number;
  maxDurationNs: number;
  weightedCalls: number;
  /** Ascending; 0 stands for calls without a status. */
  statuses: { status: number; calls: number }[];
  endpoints: Members;
  /** By endpoint, when `endpoints` has rows: its calls, and a bound of their durations (`durationBound`). */
  endpointCalls: Int32Array;
  endpointDurations: Uint8Array;
  /** The row 0 is among them when some call has no client. */
  clients: Members;
  origins: Members;
  /** By field of the call context: for each of its values one origin row that has it, ascending. Undefined when
   *  the field has more than `witnessesMax` values. A row and not a hash of the text: texts are rewritten when
   *  addresses are removed, and a hash of an address would give it away. */
  witnesses: Record<WitnessedField, Int32Array | undefined>;
  /** Lines of the filter of trace ids (membership.ts), all its pieces together. */
  traceFilterLines: number;
}

/** The rows of one dimension that occur in a block. */
export interface Members {
  distinct: number;
  /** Ascending; undefined when there are more than `membersMax`: then the block has a filter of them. */
  rows: Int32Array | undefined;
}

export const summaryVersion = 1;
export const membersMax = 1024;
export const witnessesMax = 256;

export const witnessedFields = ['serviceVersion', 'consumer', 'agent', 'bot', 'errorType'] as const;
export type WitnessedField = (typeof witnessedFields)[number];

/** A byte from which `durationBound` makes a duration that is at least as long, by 19 % at most. */
export function durationCode(durationNs: number): number {
  return durationNs < 0 ? 0 : Math.ceil(Math.log2(durationNs + 1) * 4) + 1;
}

/** No call is longer; −1 when none has a latency. */
export function durationBound(code: number): number {
  return code === 0 ? -1 : 2 ** ((code - 1) / 4);
}

/** Whether a row may be among the members. @param filter of the dimension, needed when `rows` is undefined */
export function mayBeMember(
  { rows }: Members,
  row: number,
  filter: () => Uint8Array | undefined,
): boolean {
  if (rows !== undefined) return indexOfRow(rows, row) >= 0;
  const bits = filter();
  return bits === undefined || mayHoldRow(bits, row);
}

/** Index of a row in ascending rows; −1 when it is not among them. */
export function indexOfRow(rows: Int32Array, row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return rows[low] === row ? low : -1;
}

export interface SummarySource {
  calls: StoredCalls;
  from: number;
  to: number;
  endpoint: Coded;
  status: Coded;
  client: Coded;
  origin: Coded;
  weightedCalls: number;
  traceFilterLines: number;
  contextOf: (origin: number) => CallContext;
}

export function summaryOf(source: SummarySource): BlockSummary {
  const { endpoint, status, client, origin } = source;
  const endpoints = membersOf(endpoint.values);
  const hasRows = endpoints.rows !== undefined;
  const statusCalls = countsOf(status);
  return {
    calls: source.to - source.from,
    ...extremesOf(source),
    weightedCalls: source.weightedCalls,
    statuses: Array.from(status.values, (value, i) => ({ status: value, calls: statusCalls[i]! })),
    endpoints,
    endpointCalls: hasRows ? countsOf(endpoint) : new Int32Array(0),
    endpointDurations: hasRows ? longestOf(source) : new Uint8Array(0),
    clients: membersOf(client.values),
    origins: membersOf(origin.values),
    witnesses: witnessesOf(origin.values, source.contextOf),
    traceFilterLines: source.traceFilterLines,
  };
}

type Extremes = Pick<
  BlockSummary,
  'minEndS' | 'minEndNs' | 'maxEndS' | 'maxEndNs' | 'timedCalls' | 'minDurationNs' | 'maxDurationNs'
>;

function extremesOf({ calls, from, to }: SummarySource): Extremes {
  const { endS, endNs, durationNs } = calls.columns;
  let oldest = from;
  let newest = from;
  let timedCalls = 0;
  let minDurationNs = Number.POSITIVE_INFINITY;
  let maxDurationNs = 0;
  for (let i = from; i < to; i++) {
    const s = endS[i]!;
    if (s < endS[oldest]! || (s === endS[oldest]! && endNs[i]! < endNs[oldest]!)) oldest = i;
    if (s > endS[newest]! || (s === endS[newest]! && endNs[i]! > endNs[newest]!)) newest = i;
    const duration = durationNs[i]!;
    if (duration < 0) continue;
    timedCalls += 1;
    if (duration < minDurationNs) minDurationNs = duration;
    if (duration > maxDurationNs) maxDurationNs = duration;
  }
  return {
    minEndS: endS[oldest]!,
    minEndNs: endNs[oldest]!,
    maxEndS: endS[newest]!,
    maxEndNs: endNs[newest]!,
    timedCalls,
    minDurationNs: timedCalls === 0 ? 0 : minDurationNs,
    maxDurationNs,
  };
}

function countsOf({ values, codes }: Coded): Int32Array {
  const counts = new Int32Array(values.length);
  for (let i = 0; i < codes.length; i++) counts[codes[i]!]! += 1;
  return counts;
}

function longestOf({ calls, from, endpoint }: SummarySource): Uint8Array {
  const { durationNs } = calls.columns;
  const { values, codes } = endpoint;
  const longest = new Float64Array(values.length).fill(-1);
  for (let i = 0; i < codes.length; i++) {
    const duration = durationNs[from + i]!;
    if (duration > longest[codes[i]!]!) longest[codes[i]!] = duration;
  }
  return Uint8Array.from(longest, durationCode);
}

function membersOf(values: Int32Array): Members {
  return { distinct: values.length, rows: values.length <= membersMax ? values : undefined };
}

function witnessesOf(
  origins: Int32Array,
  contextOf: (origin: number) => CallContext,
): BlockSummary['witnesses'] {
  const seen = witnessedFields.map(() => new Map<string | boolean, number>());
  for (const origin of origins) {
    const context = contextOf(origin);
    for (const [i, field] of witnessedFields.entries()) {
      const witness = seen[i]!;
      if (witness.size <= witnessesMax && !witness.has(context[field])) {
        witness.set(context[field], origin);
      }
    }
  }
  const of = (i: number): Int32Array | undefined =>
    seen[i]!.size > witnessesMax ? undefined : Int32Array.from(seen[i]!.values()).sort();
  return { serviceVersion: of(0), consumer: of(1), agent: of(2), bot: of(3), errorType: of(4) };
}

export function encodeSummary(summary: BlockSummary): Buffer {
  const { statuses, endpoints, clients, origins, witnesses } = summary;
  const out = Buffer.allocUnsafe(
    256 + statuses.length * 8 + 16 * membersMax + 10 * membersMax + 25 * witnessesMax,
  );
  out[checksumBytes] = summaryVersion;
  let at = checksumBytes + 1;
  const numbers = [
    summary.calls,
    summary.minEndS,
    summary.minEndNs,
    summary.maxEndS,
    summary.maxEndNs,
    summary.timedCalls,
    summary.minDurationNs,
    summary.maxDurationNs,
    summary.weightedCalls,
    summary.traceFilterLines,
    statuses.length,
  ];
  for (const number of numbers) at = putVarint(out, at, number);
  for (const { status, calls } of statuses) {
    at = putVarint(out, at, status);
    at = putVarint(out, at, calls);
  }
  at = putMembers(out, at, endpoints);
  for (let i = 0; i < (endpoints.rows?.length ?? 0); i++) {
    at = putVarint(out, at, summary.endpointCalls[i]!);
    out[at++] = summary.endpointDurations[i]!;
  }
  at = putMembers(out, at, clients);
  at = putMembers(out, at, origins);
  for (const field of witnessedFields) {
    const rows = witnesses[field];
    out[at++] = rows === undefined ? 0 : 1;
    if (rows !== undefined) at = putAscending(out, at, rows);
  }
  return sealed(Buffer.from(out.subarray(0, at)));
}

function putMembers(out: Uint8Array, at: number, { distinct, rows }: Members): number {
  at = putVarint(out, at, distinct);
  return rows === undefined ? at : putAscending(out, at, rows);
}

/** @param what names the block for people @throws DamagedError */
export function decodeSummary(bytes: Uint8Array, what: string): BlockSummary {
  assertSealed(bytes, what);
  if (bytes[checksumBytes] !== summaryVersion) {
    const found = `version ${bytes[checksumBytes]}, this program knows ${summaryVersion}`;
    throw new DamagedError(what, found);
  }
  const reader = new VarintReader();
  reader.seek(bytes, checksumBytes + 1);
  const numbers = {
    calls: reader.next(),
    minEndS: reader.next(),
    minEndNs: reader.next(),
    maxEndS: reader.next(),
    maxEndNs: reader.next(),
    timedCalls: reader.next(),
    minDurationNs: reader.next(),
    maxDurationNs: reader.next(),
    weightedCalls: reader.next(),
    traceFilterLines: reader.next(),
  };
  const statuses: BlockSummary['statuses'] = [];
  for (let left = reader.next(); left > 0; left--) {
    statuses.push({ status: reader.next(), calls: reader.next() });
  }
  const endpoints = readMembers(reader);
  const endpointCalls = new Int32Array(endpoints.rows?.length ?? 0);
  const endpointDurations = new Uint8Array(endpointCalls.length);
  for (let i = 0; i < endpointCalls.length; i++) {
    endpointCalls[i] = reader.next();
    endpointDurations[i] = bytes[reader.at++]!;
  }
  return {
    ...numbers,
    statuses,
    endpoints,
    endpointCalls,
    endpointDurations,
    clients: readMembers(reader),
    origins: readMembers(reader),
    witnesses: {
      serviceVersion: readWitnesses(reader),
      consumer: readWitnesses(reader),
      agent: readWitnesses(reader),
      bot: readWitnesses(reader),
      errorType: readWitnesses(reader),
    },
  };
}

function readMembers(reader: VarintReader): Members {
  const distinct = reader.next();
  return { distinct, rows: distinct <= membersMax ? readAscending(reader) : undefined };
}

function readWitnesses(reader: VarintReader): Int32Array | undefined {
  return reader.bytes[reader.at++] === 0 ? undefined : readAscending(reader);
}
