import type { CallPiece, CodedName, NumberName, WantedCalls } from './call-pieces.ts';

/**
 * Finds the wanted calls of a piece. One frame and one column after another: a frame of a column is decoded only
 * while calls of it are left, and only the calls that passed the columns before are looked at.
 */
export class CallMatch {
  readonly #filters: readonly Filter[];

  constructor(wanted: WantedCalls) {
    this.#filters = filtersOf(wanted);
  }

  /** Indexes of the wanted calls among `from` to `to - 1`, ascending. */
  between(piece: CallPiece, from: number, to: number): number[] {
    const found: number[] = [];
    const { frameCalls } = piece;
    for (let frame = Math.floor(from / frameCalls); frame * frameCalls < to; frame += 1) {
      const start = frame * frameCalls;
      const first = Math.max(from, start) - start;
      const count = Math.min(to, start + frameCalls) - start - first;
      const left = memory(count);
      const kept = this.#keepOf(piece, frame, first, count, left);
      for (let i = 0; i < kept; i += 1) found.push(start + left[i]!);
    }
    return found;
  }

  /** Keeps the indexes whose calls match. */
  among(piece: CallPiece, indexes: readonly number[]): number[] {
    return indexes.filter((index) => {
      const frame = Math.floor(index / piece.frameCalls);
      const left = memory(1);
      left[0] = index - frame * piece.frameCalls;
      return this.#keep(piece, frame, left, 1) === 1;
    });
  }

  /** The first filter looks at all calls: a loop of its own needs no list of them. */
  #keepOf(piece: CallPiece, frame: number, first: number, count: number, left: Int32Array): number {
    const [filter, ...others] = this.#filters;
    const kept = filter?.start?.(piece, frame, first, count, left);
    if (kept === undefined) {
      for (let i = 0; i < count; i += 1) left[i] = first + i;
      return this.#keep(piece, frame, left, count);
    }
    return others.reduce((rest, { keep }) => rest && keep(piece, frame, left, rest), kept);
  }

  #keep(piece: CallPiece, frame: number, indexes: Int32Array, count: number): number {
    let left = count;
    for (const filter of this.#filters) {
      if (left === 0) break;
      left = filter.keep(piece, frame, indexes, left);
    }
    return left;
  }
}

/** Reused: a search looks at thousands of frames. */
let indexMemory = new Int32Array(8_192);

function memory(count: number): Int32Array {
  if (count > indexMemory.length) indexMemory = new Int32Array(2 * count);
  return indexMemory;
}

/** Moves the indexes that pass, of the frame's first one on, to the front. @returns how many they are */
type Keep = (piece: CallPiece, frame: number, indexes: Int32Array, count: number) => number;

interface Filter {
  keep: Keep;
  /** Writes the indexes that pass of `count` ones from `first` on. Undefined where `keep` has to do it. */
  start?(
    piece: CallPiece,
    frame: number,
    first: number,
    count: number,
    into: Int32Array,
  ): number | undefined;
}

/** The filters that mostly leave few calls come first. */
function filtersOf(wanted: WantedCalls): Filter[] {
  const { traceId, client, origins, endpoints, statuses } = wanted;
  const { durationFromNs, durationToNs, endFromS, endToS } = wanted;
  const filters: Filter[] = [];
  if (traceId) {
    filters.push({
      keep: (piece, frame, indexes, count) =>
        keepTrace(piece.traceIds(frame), indexes, count, traceId),
    });
  }
  if (client !== undefined) filters.push(codedFilter('client', (row) => row === client));
  if (origins) filters.push(codedFilter('origin', (row) => origins[row] === 1));
  if (endpoints) filters.push(codedFilter('endpoint', (row) => (endpoints[row] ?? 0) !== 0));
  if (statuses) {
    const isWanted = (status: number): boolean =>
      statuses.some(({ from, to }) => status >= from && status <= to);
    filters.push(codedFilter('status', isWanted));
  }
  if (durationFromNs !== undefined || durationToNs !== undefined) {
    const from = Math.max(0, durationFromNs ?? 0);
    filters.push({
      keep: rangeFilter('durationNs', from, durationToNs ?? Number.POSITIVE_INFINITY),
    });
  }
  if (endFromS !== undefined || endToS !== undefined) {
    const to = (endToS ?? Number.POSITIVE_INFINITY) - 1;
    const inRange = rangeFilter('endS', endFromS ?? 0, to);
    const keep: Keep = (piece, frame, indexes, count) => {
      const { bounds } = piece;
      const isWhole = bounds.endFromS >= (endFromS ?? 0) && bounds.endToS <= to;
      return isWhole ? count : inRange(piece, frame, indexes, count);
    };
    filters.push({ keep });
  }
  return filters;
}

function codedFilter(name: CodedName, isWanted: (value: number) => boolean): Filter {
  /** By code, of the values that were seen last: they are the same for all frames of a column. */
  let flags = new Uint8Array(0);
  let flagsOf: Int32Array | undefined;
  let hasFlags = false;
  const setFlags = (values: Int32Array): boolean => {
    if (values === flagsOf) return hasFlags;
    if (flags.length < values.length) flags = new Uint8Array(2 * values.length);
    hasFlags = false;
    for (let code = 0; code < values.length; code += 1) {
      const isFlagged = isWanted(values[code]!);
      flags[code] = isFlagged ? 1 : 0;
      hasFlags ||= isFlagged;
    }
    flagsOf = values;
    return hasFlags;
  };
  const start: Filter['start'] = (piece, frame, first, count, into) => {
    const { values, codes } = piece.coded(name, frame);
    if (values === undefined) return undefined;
    if (!setFlags(values)) return 0;
    let kept = 0;
    for (let index = first; index < first + count; index += 1) {
      into[kept] = index;
      kept += flags[codes[index]!]!;
    }
    return kept;
  };
  const keep: Keep = (piece, frame, indexes, count) => {
    const { values, codes } = piece.coded(name, frame);
    let kept = 0;
    if (values === undefined) {
      for (let i = 0; i < count; i += 1) {
        const index = indexes[i]!;
        if (isWanted(codes[index]!)) indexes[kept++] = index;
      }
      return kept;
    }
    if (!setFlags(values)) return 0;
    for (let i = 0; i < count; i += 1) {
      const index = indexes[i]!;
      indexes[kept] = index;
      kept += flags[codes[index]!]!;
    }
    return kept;
  };
  return { keep, start };
}

function rangeFilter(name: NumberName, from: number, to: number): Keep {
  return (piece, frame, indexes, count) => {
    const column = piece.numbers(name, frame);
    let kept = 0;
    for (let i = 0; i < count; i += 1) {
      const index = indexes[i]!;
      const value = column[index]!;
      if (value >= from && value <= to) indexes[kept++] = index;
    }
    return kept;
  };
}

function keepTrace(
  ids: Uint8Array,
  indexes: Int32Array,
  count: number,
  traceId: Uint8Array,
): number {
  const [first] = traceId;
  let kept = 0;
  for (let i = 0; i < count; i += 1) {
    const index = indexes[i]!;
    if (ids[index * 16] !== first) continue;
    let at = 1;
    while (at < 16 && ids[index * 16 + at] === traceId[at]) at += 1;
    if (at === 16) indexes[kept++] = index;
  }
  return kept;
}
