import { crc32 } from 'node:zlib';
import type { CallColumns } from '../../../call.ts';
import { putVarint, VarintReader } from '../../../usage/varint.ts';
import type { WeightColumns } from '../../../weight.ts';
import {
  assertSealed,
  checksumBytes,
  DamagedError,
  getUint32,
  putUint32,
  sealed,
} from '../sealed.ts';
import { packedBytesMax, putPacked, readPacked } from './packed.ts';
import type { StoredCalls } from './stored-calls.ts';

/**
 * The calls of one commit as two blobs of one row: the trace ids, 16 bytes a call, as they came, and every other
 * column. A report reads the second blob only. `u32 checksum, u8 version, u32 checksum of the trace ids, varint
 * calls, nine packed columns (packed.ts), varint weights`, and for each weight `varint calls since the one before,
 * f64 weight, varint copies`.
 */
export const commitVersion = 1;

const columnCount = 9;
const headBytes = checksumBytes + 1 + checksumBytes;

/** Row ids in place of the numbers of the sender's dictionary: as many as the commit has calls. */
export interface CallRowIds {
  endpoint: Int32Array;
  origin: Int32Array;
  /** 0 when unknown. */
  client: Int32Array;
}

let out = new Uint8Array(64 * 1024);

/**
 * Encodes the first `calls` calls of the columns.
 * @param weights of these calls, by index
 * @returns bytes that are overwritten by the next call of this function
 */
export function encodeCommit(
  columns: CallColumns,
  calls: number,
  rows: CallRowIds,
  weights: WeightColumns | undefined,
): Uint8Array {
  const weighted = weights?.length ?? 0;
  const bytesMax = headBytes + columnCount * packedBytesMax(calls) + 16 + weighted * 24;
  if (out.length < bytesMax) out = new Uint8Array(bytesMax);
  out[checksumBytes] = commitVersion;
  putUint32(out, checksumBytes + 1, crc32(columns.traceId.subarray(0, calls * 16)));
  let at = putVarint(out, headBytes, calls);
  at = putPacked(out, at, rows.endpoint, 0, calls, false);
  at = putPacked(out, at, columns.status, 0, calls, false);
  at = putPacked(out, at, columns.endS, 0, calls, false);
  at = putPacked(out, at, columns.endNs, 0, calls, false);
  at = putPacked(out, at, columns.durationNs, 0, calls, false);
  at = putPacked(out, at, rows.client, 0, calls, false);
  at = putPacked(out, at, rows.origin, 0, calls, false);
  at = putPacked(out, at, columns.requestBytes, 0, calls, false);
  at = putPacked(out, at, columns.responseBytes, 0, calls, false);
  at = putWeights(out, at, weights);
  return sealed(out.subarray(0, at));
}

/**
 * Adds the calls of a commit to `into`.
 * @param traceIds undefined: the calls get no trace ids
 * @throws DamagedError, and `into` is as before
 */
export function decodeCommit(
  bytes: Uint8Array,
  traceIds: Uint8Array | undefined,
  what: string,
  into: StoredCalls,
): void {
  assertSealed(bytes, what);
  const version = bytes[checksumBytes];
  if (version !== commitVersion) {
    throw new DamagedError(what, `version ${version}, this program knows ${commitVersion}`);
  }
  const reader = new VarintReader();
  reader.seek(bytes, headBytes);
  const calls = reader.next();
  if (traceIds !== undefined) {
    const isWhole =
      traceIds.length === calls * 16 && crc32(traceIds) === getUint32(bytes, checksumBytes + 1);
    if (!isWhole) throw new DamagedError(what, 'its trace ids are not those that were written');
  }
  const first = into.push(calls);
  const { columns } = into;
  readPacked(reader, calls, columns.endpoint, first);
  readPacked(reader, calls, columns.status, first);
  readPacked(reader, calls, columns.endS, first);
  readPacked(reader, calls, columns.endNs, first);
  readPacked(reader, calls, columns.durationNs, first);
  readPacked(reader, calls, columns.client, first);
  readPacked(reader, calls, columns.origin, first);
  readPacked(reader, calls, columns.requestBytes, first);
  readPacked(reader, calls, columns.responseBytes, first);
  readWeights(reader, first, into.weights);
  if (traceIds === undefined) columns.traceId.fill(0, first * 16, (first + calls) * 16);
  else columns.traceId.set(traceIds, first * 16);
}

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** The most bytes that `putWeights` writes. */
export function weightsBytesMax(weights: number): number {
  return 8 + weights * 24;
}

export function putWeights(
  out: Uint8Array,
  at: number,
  weights: WeightColumns | undefined,
): number {
  const length = weights?.length ?? 0;
  at = putVarint(out, at, length);
  let before = 0;
  for (let i = 0; i < length; i++) {
    const { call, weight, copies } = weights!;
    at = putVarint(out, at, call[i]! - before);
    before = call[i]!;
    double[0] = weight[i]!;
    out.set(doubleBytes, at);
    at = putVarint(out, at + 8, copies[i]!);
  }
  return at;
}

/** @param first index of the first call in `into` */
export function readWeights(
  reader: VarintReader,
  first: number,
  into: { add(call: number, weight: number, copies: number): void },
): void {
  let call = first;
  for (let left = reader.next(); left > 0; left--) {
    call += reader.next();
    for (let i = 0; i < 8; i++) doubleBytes[i] = reader.bytes[reader.at + i]!;
    reader.at += 8;
    const weight = double[0]!;
    into.add(call, weight, reader.next());
  }
}
