import { type CallPosition, compareCalls } from '../../calls.ts';
import type { CallPiece } from './call-pieces.ts';
import { durationClass, leastOfClass } from './duration-class.ts';
import type { FirstCalls } from './first-calls.ts';

/** More candidates than this are looked at before the search goes on. */
const candidatesMost = 65_536;

/**
 * Wanted calls of a search for the slowest ones, of which only the classes of their durations are known. Where enough
 * others are longer by class, a call is on no page, and its frame need not be decoded: of ten thousand wanted calls in
 * as many frames, a hundred frames are.
 */
export class CandidateCalls {
  readonly #first: FirstCalls;
  readonly #capacity: number;
  readonly #after: CallPosition | undefined;
  readonly #classOfAfter: number;
  #pieces: CallPiece[] = [];
  #indexes: number[] = [];
  #classes: number[] = [];
  /** Candidates by class that are certain to come behind `after`. */
  readonly #certain = new Uint32Array(256);
  #certainAtLeast = 0;
  #leastClass = 0;

  /** @param capacity of `first` @param after only calls behind it are wanted */
  constructor(first: FirstCalls, capacity: number, after: CallPosition | undefined) {
    this.#first = first;
    this.#capacity = capacity;
    this.#after = after;
    this.#classOfAfter = after ? durationClass(after.durationNs) : 256;
  }

  /** Calls of lesser classes are on no page. */
  get leastClass(): number {
    const { last } = this.#first;
    return last ? Math.max(this.#leastClass, durationClass(last.durationNs)) : this.#leastClass;
  }

  /** No call that comes behind this position is on the page; undefined while that is not known. */
  get last(): CallPosition | undefined {
    const { last } = this.#first;
    const leastNs = leastOfClass(this.#leastClass);
    if (this.#leastClass === 0 || (last && last.durationNs >= leastNs)) return last;
    return { number: 0, endS: 0, endNs: 0, durationNs: leastNs };
  }

  add(piece: CallPiece, index: number, classOfCall: number): void {
    if (classOfCall < this.#leastClass || classOfCall > this.#classOfAfter) return;
    this.#pieces.push(piece);
    this.#indexes.push(index);
    this.#classes.push(classOfCall);
    if (classOfCall < this.#classOfAfter) {
      this.#certain[classOfCall]! += 1;
      this.#certainAtLeast += 1;
    }
    while (this.#certainAtLeast - this.#certain[this.#leastClass]! >= this.#capacity) {
      this.#certainAtLeast -= this.#certain[this.#leastClass]!;
      this.#leastClass += 1;
    }
    if (this.#pieces.length === candidatesMost) this.settle();
  }

  /** Decodes the candidates that may be on the page, and adds them. */
  settle(): void {
    const { leastClass } = this;
    for (let i = 0; i < this.#pieces.length; i += 1) {
      if (this.#classes[i]! >= leastClass) this.#settleOne(this.#pieces[i]!, this.#indexes[i]!);
    }
    this.#pieces = [];
    this.#indexes = [];
    this.#classes = [];
    this.#certain.fill(0);
    this.#certainAtLeast = 0;
    this.#leastClass = 0;
    this.#first.cut();
  }

  #settleOne(piece: CallPiece, index: number): void {
    const frame = Math.floor(index / piece.frameCalls);
    const at = index - frame * piece.frameCalls;
    const durationNs = piece.numbers('durationNs', frame)[at]!;
    const { last } = this.#first;
    if (last && durationNs < last.durationNs) return;
    const position = {
      number: piece.first + index,
      endS: piece.numbers('endS', frame)[at]!,
      endNs: piece.numbers('endNs', frame)[at]!,
      durationNs,
    };
    const isBehind = !this.#after || compareCalls('slowest', this.#after, position) < 0;
    if (isBehind) this.#first.add(position);
  }
}
