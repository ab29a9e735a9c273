/** Columns of some calls, the same call at the same index of each; dimensions as row ids. */
export interface SearchColumns {
  endpoint: Int32Array;
  origin: Int32Array;
  /** 0 when unknown. */
  client: Int32Array;
  /** 0 without one. */
  status: Uint16Array;
  endS: Uint32Array;
  endNs: Uint32Array;
  /** Negative: the duration is no latency. */
  durationNs: Float64Array;
  /** -1 when unknown. */
  requestBytes: Float64Array;
  responseBytes: Float64Array;
  /** 16 bytes a call; zeros when unknown. */
  traceId: Uint8Array;
  /** Absent where every call has the weight 1. */
  weight: Float64Array | undefined;
}

/** Calls with consecutive numbers. A column is read at its first use. */
export interface CallPiece {
  /** The first call's number. */
  first: number;
  length: number;
  /** Least and greatest, or wider. */
  bounds: CallBounds;
  column<Name extends keyof SearchColumns>(name: Name): SearchColumns[Name];
  /** False only when no call of the piece can pass. */
  mayHold(wanted: WantedCalls): boolean;
}

export interface CallBounds {
  endFromS: number;
  endToS: number;
  durationFromNs: number;
  durationToNs: number;
}

/** What a search looks for, in row ids; an absent field does not restrict. */
export interface WantedCalls {
  /** By row of an endpoint: other than 0 when it is selected. A row beyond the end is not. */
  endpoints?: Int32Array;
  /** By row of an origin: 1 when it is wanted. */
  origins?: Uint8Array;
  client?: number;
  statuses?: readonly { from: number; to: number }[];
  endFromS?: number;
  endToS?: number;
  durationFromNs?: number;
  durationToNs?: number;
  traceId?: Uint8Array;
}

/** All stored calls, in pieces that do not overlap. */
export interface CallPieces {
  /** The greatest number that is stored; 0 without calls. */
  lastNumber: number;
  /** As `CallPage.keptSinceMs`. */
  keptSinceMs: number | undefined;
  /** The pieces that hold a number from `from` to `to`, ascending. `most` calls a piece where the store leaves the choice. */
  between(from: number, to: number, most: number): readonly CallPiece[];
}
