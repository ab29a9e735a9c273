import { type CallOrder, type CallPosition, compareCalls } from '../../calls.ts';
import type { CallBounds } from './call-pieces.ts';

/**
 * The first `capacity` of many positions. Collects twice as many, then drops the later half: a position behind the
 * last of the rest is passed over.
 */
export class FirstCalls {
  readonly #order: CallOrder;
  readonly #capacity: number;
  #positions: CallPosition[] = [];
  #last: CallPosition | undefined;

  constructor(order: CallOrder, capacity: number) {
    this.#order = order;
    this.#capacity = capacity;
  }

  /** The last position that can still be among the first; undefined while there is room for any. */
  get last(): CallPosition | undefined {
    return this.#last;
  }

  add(position: CallPosition): void {
    if (this.#last !== undefined && compareCalls(this.#order, position, this.#last) > 0) return;
    this.#positions.push(position);
    if (this.#positions.length >= 2 * this.#capacity) this.cut();
  }

  /** Ascending in the order. */
  sorted(): readonly CallPosition[] {
    this.cut();
    return this.#positions;
  }

  /** Drops the calls that are no longer among the first. */
  cut(): void {
    this.#positions.sort((a, b) => compareCalls(this.#order, a, b));
    if (this.#positions.length < this.#capacity) return;
    this.#positions.length = this.#capacity;
    this.#last = this.#positions.at(-1);
  }
}

/** Whether a call within the bounds may come before the position. */
export function mayComeBefore(
  order: CallOrder,
  bounds: CallBounds,
  { endS, durationNs }: CallPosition,
): boolean {
  if (order === 'slowest' && bounds.durationToNs !== durationNs) {
    return bounds.durationToNs > durationNs;
  }
  return bounds.endToS >= endS;
}

/** Whether a call within the bounds may come behind the position. */
export function mayComeBehind(
  order: CallOrder,
  bounds: CallBounds,
  { endS, durationNs }: CallPosition,
): boolean {
  if (order === 'slowest' && bounds.durationFromNs !== durationNs) {
    return bounds.durationFromNs < durationNs;
  }
  return bounds.endFromS <= endS;
}
