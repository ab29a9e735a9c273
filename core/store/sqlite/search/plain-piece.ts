import type { StoredCalls } from '../calls/stored-calls.ts';
import type { CallBounds, CallPiece, CodedName, NumberName } from './call-pieces.ts';

/** Columns of some calls, the same call at the same index of each. */
export type PlainColumns = Record<CodedName, Int32Array | Uint16Array> &
  Record<NumberName, Float64Array | Uint32Array> & {
    traceId: Uint8Array;
    /** Absent where every call has the weight 1. */
    weight: Float64Array | undefined;
  };

export function plainColumns({ columns, weights, length }: StoredCalls): PlainColumns {
  const weight = weights.length === 0 ? undefined : new Float64Array(length).fill(1);
  for (let i = 0; i < weights.length; i += 1) weight![weights.call[i]!] = weights.weight[i]!;
  return { ...columns, weight };
}

/** A piece of one frame. @param columns reads the columns; they are asked for at their first use */
export function plainPiece(
  first: number,
  length: number,
  bounds: CallBounds,
  columns: () => PlainColumns,
): CallPiece {
  return {
    first,
    length,
    bounds,
    frameCalls: length,
    mayHold: () => true,
    coded: (name) => ({ values: undefined, codes: columns()[name] }),
    numbers: (name) => columns()[name],
    traceIds: () => columns().traceId,
    weight: (index) => columns().weight?.[index] ?? 1,
  };
}

export const unbounded: CallBounds = {
  endFromS: 0,
  endToS: Number.POSITIVE_INFINITY,
  durationFromNs: -1,
  durationToNs: Number.POSITIVE_INFINITY,
};

/** The bounds of calls with these ends and durations. */
export function boundsOf(
  length: number,
  endS: Float64Array | Uint32Array,
  durationNs: Float64Array | Uint32Array,
): CallBounds {
  const bounds = {
    endFromS: Number.POSITIVE_INFINITY,
    endToS: 0,
    durationFromNs: Number.POSITIVE_INFINITY,
    durationToNs: -1,
  };
  for (let i = 0; i < length; i += 1) {
    if (endS[i]! < bounds.endFromS) bounds.endFromS = endS[i]!;
    if (endS[i]! > bounds.endToS) bounds.endToS = endS[i]!;
    if (durationNs[i]! < bounds.durationFromNs) bounds.durationFromNs = durationNs[i]!;
    if (durationNs[i]! > bounds.durationToNs) bounds.durationToNs = durationNs[i]!;
  }
  return bounds;
}
