import { indexOfLeast } from '../../../column.ts';
import { limits } from '../../../limits.ts';
import { type CallOrder, type CallPosition, type CallRequest, compareCalls } from '../../calls.ts';
import type { CallCursor } from './call-cursor.ts';
import { CallMatch } from './call-match.ts';
import type { CallBounds, CallPiece, CallPieces, WantedCalls } from './call-pieces.ts';
import { CandidateCalls } from './candidate-calls.ts';
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
    const pieces = this.#pieces.between(0, visitedFrom - 1, this.#visitMost, this.#wanted);
    const rest = this.#inOrderOfVisits(
      order === 'slowest'
        ? this.#visitSlowest(first, pieces, visitedFrom, after)
        : pieces.map((piece) => ({ piece, bounds: piece.bounds })),
    );
    const boundsOfRest = unions(rest);
    const candidates = new CandidateCalls(first, limit + 1, after);
    /** The page is full, and pieces that were not visited may hold calls behind it. */
    let isFullEarly = false;
    for (let at = rest.length - 1; at >= 0; at -= 1) {
      const { piece, visited } = rest[at]!;
      const { last } = candidates;
      if (last && !mayComeBefore(order, boundsOfRest[at]!, last)) break;
      if (!this.#canBeOn(last, rest[at]!, after)) continue;
      const end = Math.min(visitedFrom, piece.first + piece.length);
      if (this.#mayVisit(piece)) {
        if (order === 'slowest' && piece.durationClasses) {
          this.#addCandidates(candidates, piece, end, visited);
        } else this.#visitFor(first, piece, end, after);
        continue;
      }
      candidates.settle();
      const found = first.sorted();
      const uncertain = found.findIndex((one) => mayComeBefore(order, boundsOfRest[at]!, one));
      const certain = uncertain === -1 ? found : found.slice(0, uncertain);
      isFullEarly = certain.length >= limit;
      if (isFullEarly) break;
      return {
        positions: certain,
        lastNumber,
        cursor: {
          ...cursorAt(order, lastNumber, certain.at(-1) ?? after),
          visitedFrom: end,
          // Longest calls of pieces that the next page visits are found again.
          found: found
            .slice(certain.length)
            .map(({ number }) => number)
            .filter((number) => number >= end),
          ...(first.last && { limit: limit - certain.length }),
        },
      };
    }
    candidates.settle();
    const found = first.sorted();
    const positions = found.slice(0, limit);
    const hasMore = isFullEarly || found.length > limit;
    return {
      positions,
      lastNumber,
      ...(hasMore && { cursor: cursorAt(order, lastNumber, positions.at(-1)) }),
    };
  }

  /** Last first. Where all may be visited, those that may hold the slowest calls come first: few of the others are. */
  #inOrderOfVisits(rest: readonly Rest[]): readonly Rest[] {
    const calls = rest.reduce((sum, { piece }) => sum + piece.length, 0);
    if (this.#order !== 'slowest' || calls > this.#visitMost) return rest;
    return rest.toSorted((a, b) => a.bounds.durationToNs - b.bounds.durationToNs);
  }

  /** @param last nothing that comes behind it is on the page */
  #canBeOn(
    last: CallPosition | undefined,
    { piece, bounds }: Rest,
    after: CallPosition | undefined,
  ): boolean {
    return (
      (!last || mayComeBefore(this.#order, bounds, last)) &&
      (!after || mayComeBehind(this.#order, bounds, after)) &&
      piece.mayHold(this.#wanted)
    );
  }

  /**
   * Adds the wanted ones of each piece's longest calls: they mostly are the page. They do not count as visited: for each
   * piece they are few.
   * @returns the pieces with the bounds of what is left of them
   */
  #visitSlowest(
    first: FirstCalls,
    pieces: readonly CallPiece[],
    visitedFrom: number,
    after: CallPosition | undefined,
  ): Rest[] {
    const rest: Rest[] = pieces.map((piece) => ({ piece, bounds: piece.bounds }));
    const longestFirst = rest.toSorted((a, b) => b.bounds.durationToNs - a.bounds.durationToNs);
    for (const one of longestFirst) {
      const { piece, bounds } = one;
      const slowest = this.#canBeOn(first.last, one, after) ? piece.slowest?.() : undefined;
      if (!slowest) continue;
      const { indexes, leastNs } = slowest;
      const numbers = Float64Array.from(indexes, (index) => piece.first + index);
      const from = indexOfLeast(numbers, this.#pieces.keptFrom);
      const to = indexOfLeast(numbers, visitedFrom);
      for (const i of this.#match.between(slowest.piece, from, to)) {
        const position = {
          number: numbers[i]!,
          endS: slowest.piece.numbers('endS', 0)[i]!,
          endNs: slowest.piece.numbers('endNs', 0)[i]!,
          durationNs: slowest.piece.numbers('durationNs', 0)[i]!,
        };
        if (!after || compareCalls(this.#order, after, position) < 0) first.add(position);
      }
      one.visited = indexes;
      one.bounds = { ...bounds, durationToNs: Math.min(bounds.durationToNs, leastNs) };
      first.cut();
    }
    return rest;
  }

  /** One piece may be visited however large it is: every request gets further. */
  #mayVisit({ length }: CallPiece): boolean {
    if (this.#visited > 0 && this.#visited + length > this.#visitMost) return false;
    this.#visited += length;
    return true;
  }

  /**
   * Adds the wanted calls with a number below `end`.
   * @param visited indexes of calls that were added before
   */
  #addCandidates(
    candidates: CandidateCalls,
    piece: CallPiece,
    end: number,
    visited: Int32Array | undefined,
  ): void {
    const isVisited = visited && new Set(visited);
    const { frameCalls } = piece;
    const from = Math.max(0, this.#pieces.keptFrom - piece.first);
    let frame = -1;
    let classes: Uint8Array | undefined;
    for (const i of this.#match.between(piece, from, end - piece.first)) {
      const frameOfCall = Math.floor(i / frameCalls);
      if (frameOfCall !== frame) {
        frame = frameOfCall;
        classes = piece.durationClasses!(frame);
      }
      const classOfCall = classes![i - frame * frameCalls]!;
      if (classOfCall >= candidates.leastClass && !isVisited?.has(i)) {
        candidates.add(piece, i, classOfCall);
      }
    }
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

/** A piece, and what a search has not visited of it. */
interface Rest {
  piece: CallPiece;
  bounds: CallBounds;
  visited?: Int32Array;
}

/** For each piece the bounds of it and all before it. */
function unions(rest: readonly Rest[]): CallBounds[] {
  let union: CallBounds | undefined;
  return rest.map(({ bounds }) => {
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
