import { type CallColumns, callColumns, copyCalls } from '../../../call.ts';
import { CallWeights } from '../../../weight.ts';

/** Calls in columns, read from commits, oldest first. `endpoint`, `origin` and `client` hold row ids. */
export class StoredCalls {
  length = 0;
  columns: CallColumns;
  /** Of the calls whose weight is not 1; `call` is the index here. */
  readonly weights = new CallWeights();

  constructor(capacity = 1024) {
    this.columns = callColumns(capacity);
  }

  /** Makes room for more calls, whose columns the caller fills. @returns the index of the first of them */
  push(calls: number): number {
    const first = this.length;
    this.length += calls;
    if (this.length > this.columns.capacity) this.#grow();
    return first;
  }

  clear(): void {
    this.length = 0;
    this.weights.truncate(0);
  }

  #grow(): void {
    const old = this.columns;
    const next = callColumns(Math.max(this.length, old.capacity * 2));
    copyCalls(old, 0, old.capacity, next, 0);
    this.columns = next;
  }
}
