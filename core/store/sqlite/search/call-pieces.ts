/** Columns whose values repeat, as codes: a call's value is `values[code]`, or its code where there are no values. */
export type CodedName = 'endpoint' | 'origin' | 'client' | 'status';
export type NumberName = 'endS' | 'endNs' | 'durationNs' | 'requestBytes' | 'responseBytes';

export interface CodedFrame {
  values: Int32Array | undefined;
  codes: Int32Array | Uint16Array | Uint8Array;
}

/**
 * Calls with consecutive numbers, in columns. Dimensions are row ids: the client 0 is unknown, the status 0 none. A
 * column is decoded by frames of `frameCalls` calls, each when it is asked for.
 */
export interface CallPiece {
  /** The first call's number. */
  first: number;
  length: number;
  /** Of the calls that are wanted: least and greatest, or wider. */
  bounds: CallBounds;
  frameCalls: number;
  /** False only when no call of the piece can pass. Reads more than `CallPieces.between` has. */
  mayHold(wanted: WantedCalls): boolean;
  coded(name: CodedName, frame: number): CodedFrame;
  /** A duration below 0 is no latency, bytes of -1 are unknown. */
  numbers(name: NumberName, frame: number): Float64Array | Uint32Array;
  /** `durationClass` of each call of a frame: it tells whether the duration itself is worth decoding. */
  durationClasses?(frame: number): Uint8Array;
  /** 16 bytes a call of the frame; zeros when unknown. */
  traceIds(frame: number): Uint8Array;
  weight(index: number): number;
  /** The longest calls of a large piece; absent where the piece has none. */
  slowest?(): SlowestOfPiece | undefined;
}

export interface SlowestOfPiece {
  /** Of one frame. */
  piece: CallPiece;
  /** By index in `piece`: the index of the call in the piece that it is of; ascending. */
  indexes: Int32Array;
  /** No other call is longer. */
  leastNs: number;
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
  /** Rows of the selected endpoints, ascending. */
  endpointRows?: readonly number[];
  /** By row of an origin: 1 when it is wanted. */
  origins?: Uint8Array;
  /** The same for each field of the filter alone. */
  originFields?: readonly { field: OriginField; rows: Uint8Array }[];
  client?: number;
  statuses?: readonly { from: number; to: number }[];
  endFromS?: number;
  endToS?: number;
  durationFromNs?: number;
  durationToNs?: number;
  /** 16 bytes. */
  traceId?: Uint8Array;
}

export type OriginField = 'serviceVersion' | 'consumer' | 'agent' | 'bot' | 'errorType';

/** All stored calls of one snapshot, in pieces that do not overlap. */
export interface CallPieces {
  /** Calls with smaller numbers are past their retention, also where a piece holds them. */
  keptFrom: number;
  /** The greatest number that is stored; 0 without calls. */
  lastNumber: number;
  /** As `CallPage.keptSinceMs`. */
  keptSinceMs: number | undefined;
  /** The pieces that hold a number from `from` to `to` and may hold a wanted call, ascending. `most` calls a piece
   *  where the store leaves the choice. */
  between(from: number, to: number, most: number, wanted: WantedCalls): readonly CallPiece[];
  /** The piece that holds a number. */
  at(number: number): CallPiece | undefined;
}
