import { limits } from '../../../limits.ts';
import { type CallOrder, type CallPosition, type CallRequest, compareCalls } from '../../calls.ts';
import type { CallCursor } from './call-cursor.ts';
import { CallMatch } from './call-match.ts';
import type { CallBounds, CallPiece, CallPieces, WantedCalls } from './call-pieces.ts';
import { FirstCalls, mayComeBefore, mayComeBehind } from './first-calls.ts';

/** One page of a search: the calls' places, in order. */
export interface FoundCalls {
  positions: readonly CallPosition[];
  /** Absent when no call follows. */
  cursor?: CallCursor;
  /** The last number that the page covers: later ones arrived after it. */
  lastNumber: number;
}

type Request = Omit<CallRequest, 'cursor'> & { cursor: CallCursor | undefined };

/** @param request with a cursor of the same order, if any */
export function searchCalls(
  pieces: CallPieces,
  wanted: WantedCalls,
  { order, cursor, limit, visitMost = visitedMost(order) }: Request,
): FoundCalls {
  const search = new CallSearch(pieces, wanted, order, visitMost);
  return order === 'arrival'
    ? search.arrived(cursor?.lastNumber ?? 0, limit)
    : search.page(cursor, limit);
}

const visitedMost = (order: CallOrder): number =>
  order === 'slowest' ? limits.visitedCallsBySlowness : limits.visitedCalls;

class CallSearch {
  readonly #pieces: CallPieces;
  readonly #wanted: WantedCalls;
  readonly #match: CallMatch;
  readonly #order: CallOrder;
  readonly #visitMost: number;
  #visited = 0;

  constructor(pieces: CallPieces, wanted: WantedCalls, order: CallOrder, visitMost: number) {
    this.#pieces = pieces;
    this.#wanted = wanted;
    this.#match = new CallMatch(wanted);
    this.#order = order;
    this.#visitMost = visitMost;
  }

  /** The calls with a number above `number`. Visits ascending pieces until the page is full. */
  arrived(number: number, limit: number): FoundCalls {
    const positions: CallPosition[] = [];
    const most = this.#visitMost;
    const later = this.#pieces.between(number + 1, Number.MAX_SAFE_INTEGER, most, this.#wanted);
    for (const piece of later) {
      if (!piece.mayHold(this.#wanted)) continue;
      if (!this.#mayVisit(piece)) return this.#cutAt(positions, piece.first - 1);
      const least = Math.max(number + 1, this.#pieces.keptFrom);
      const from = Math.max(0, least - piece.first);
      for (const i of this.#match.between(piece, from, piece.length)) {
        if (positions.length === limit) return this.#cutAt(positions, positions.at(-1)!.number);
        positions.push({ number: piece.first + i, endS: 0, endNs: 0, durationNs: 0 });
      }
    }
    return { positions, lastNumber: Math.max(number, this.#pieces.lastNumber) };
  }

  #cutAt(positions: CallPosition[], lastNumber: number): FoundCalls {
    return { positions, cursor: cursorAt(this.#order, lastNumber), lastNumber };
  }

  /**
   * Visits pieces from the newest commit to the oldest, until none of the rest can hold a call of the page. Where
   * the bound on visited calls ends the page before, its rows are the calls that are certain to be first, and the
   * cursor names the others that were found.
   */
  page(cursor: CallCursor | undefined, limitMost: number): FoundCalls {
    const order = this.#order;
    const lastNumber = cursor?.lastNumber ?? this.#pieces.lastNumber;
    const after = cursor?.after;
    const limit = Math.min(limitMost, cursor?.limit ?? limitMost);
    // One call more than the page shows whether another page follows.
    const first = new FirstCalls(order, limit + 1);
    for (const position of this.#positionsOf(cursor?.found ?? [])) first.add(position);
    const visitedFrom = cursor?.visitedFrom ?? lastNumber + 1;
    const rest = this.#inOrderOfVisits(
      this.#pieces.between(0, visitedFrom - 1, this.#visitMost, this.#wanted),
    );
    const boundsOfRest = unions(rest);
    for (let at = rest.length - 1; at >= 0; at -= 1) {
      const piece = rest[at]!;
      const last = first.last;
      if (last && !mayComeBefore(order, boundsOfRest[at]!, last)) break;
      const canBeOn =
        (!last || mayComeBefore(order, piece.bounds, last)) &&
        (!after || mayComeBehind(order, piece.bounds, after)) &&
        piece.mayHold(this.#wanted);
      if (!canBeOn) continue;
      const end = Math.min(visitedFrom, piece.first + piece.length);
      if (this.#mayVisit(piece)) {
        this.#visitFor(first, piece, end, after);
        continue;
      }
      const found = first.sorted();
      const uncertain = found.findIndex((one) => mayComeBefore(order, boundsOfRest[at]!, one));
      const certain = uncertain === -1 ? found : found.slice(0, uncertain);
      if (certain.length >= limit) break;
      return {
        positions: certain,
        lastNumber,
        cursor: {
          ...cursorAt(order, lastNumber, certain.at(-1) ?? after),
          visitedFrom: end,
          found: found.slice(certain.length).map(({ number }) => number),
          ...(first.last && { limit: limit - certain.length }),
        },
      };
    }
    const found = first.sorted();
    const positions = found.slice(0, limit);
    const hasMore = found.length > limit;
    return {
      positions,
      lastNumber,
      ...(hasMore && { cursor: cursorAt(order, lastNumber, positions.at(-1)) }),
    };
  }

  /** Last first. Where all may be visited, those that may hold the slowest calls come first: few of the others are. */
  #inOrderOfVisits(pieces: readonly CallPiece[]): readonly CallPiece[] {
    const calls = pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.#order !== 'slowest' || calls > this.#visitMost) return pieces;
    return pieces.toSorted((a, b) => a.bounds.durationToNs - b.bounds.durationToNs);
  }

  /** One piece may be visited however large it is: every request gets further. */
  #mayVisit({ length }: CallPiece): boolean {
    if (this.#visited > 0 && this.#visited + length > this.#visitMost) return false;
    this.#visited += length;
    return true;
  }

  /** Adds the wanted calls with a number below `end` that come behind `after`. */
  #visitFor(first: FirstCalls, piece: CallPiece, end: number, after?: CallPosition): void {
    const order = this.#order;
    const { frameCalls } = piece;
    const from = Math.max(0, this.#pieces.keptFrom - piece.first);
    const isSlowest = order === 'slowest';
    let frame = -1;
    let ends = noNumbers;
    let durations = noNumbers;
    // From the last commit on: it mostly holds the newest calls, which bound what else can be among the first.
    for (const i of this.#match.between(piece, from, end - piece.first).reverse()) {
      const frameOfCall = Math.floor(i / frameCalls);
      if (frameOfCall !== frame) {
        frame = frameOfCall;
        ends = piece.numbers('endS', frame);
        if (isSlowest) durations = piece.numbers('durationNs', frame);
      }
      const at = i - frame * frameCalls;
      const endS = ends[at]!;
      const durationNs = isSlowest ? durations[at]! : 0;
      // Most calls of a large piece end here.
      const { last } = first;
      if (last && (isSlowest ? durationNs < last.durationNs : endS < last.endS)) continue;
      if (after && (isSlowest ? durationNs > after.durationNs : endS > after.endS)) continue;
      const endNs = piece.numbers('endNs', frame)[at]!;
      const position = { number: piece.first + i, endS, endNs, durationNs };
      if (!after || compareCalls(order, after, position) < 0) first.add(position);
    }
    first.cut();
  }

  /** Where the calls of these numbers are. A call that retention has deleted since is left out. */
  *#positionsOf(numbers: readonly number[]): Iterable<CallPosition> {
    const isSlowest = this.#order === 'slowest';
    for (const { piece, indexes } of piecesOf(this.#pieces, numbers)) {
      for (const i of this.#match.among(piece, indexes)) {
        const frame = Math.floor(i / piece.frameCalls);
        const at = i - frame * piece.frameCalls;
        yield {
          number: piece.first + i,
          endS: piece.numbers('endS', frame)[at]!,
          endNs: piece.numbers('endNs', frame)[at]!,
          durationNs: isSlowest ? piece.numbers('durationNs', frame)[at]! : 0,
        };
      }
    }
  }
}

const noNumbers: Float64Array | Uint32Array = new Float64Array(0);

function cursorAt(order: CallOrder, lastNumber: number, after?: CallPosition): CallCursor {
  return { order, lastNumber, visitedFrom: lastNumber + 1, found: [], ...(after && { after }) };
}

/** The pieces that hold the calls of these numbers, each with the indexes of its own. */
export function* piecesOf(
  pieces: CallPieces,
  numbers: readonly number[],
): Iterable<{ piece: CallPiece; indexes: number[] }> {
  const ascending = [...numbers].sort((a, b) => a - b);
  for (let next = 0; next < ascending.length; ) {
    const piece = pieces.at(ascending[next]!);
    if (!piece) {
      next += 1;
      continue;
    }
    const indexes: number[] = [];
    const end = piece.first + piece.length;
    for (; next < ascending.length && ascending[next]! < end; next += 1) {
      indexes.push(ascending[next]! - piece.first);
    }
    yield { piece, indexes };
  }
}

/** For each piece the bounds of it and all before it. */
function unions(pieces: readonly CallPiece[]): CallBounds[] {
  let union: CallBounds | undefined;
  return pieces.map(({ bounds }) => {
    union = union
      ? {
          endFromS: Math.min(union.endFromS, bounds.endFromS),
          endToS: Math.max(union.endToS, bounds.endToS),
          durationFromNs: Math.min(union.durationFromNs, bounds.durationFromNs),
          durationToNs: Math.max(union.durationToNs, bounds.durationToNs),
        }
      : bounds;
    return union;
  });
}
