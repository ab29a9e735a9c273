import type { CallColumns } from '../../../call.ts';
import { grown } from '../../../column.ts';
import { limits } from '../../../limits.ts';
import type { StoredCalls } from '../calls/stored-calls.ts';

/**
 * Calls in columns, their dimensions as row ids. Holds the calls that are not rolled up: rarely more than two full
 * batches. It grows when the last body of a batch is larger.
 */
export class CallRows {
  length = 0;
  endpoint: Int32Array;
  minute: Int32Array;
  endMs: Float64Array;
  status: Uint16Array;
  durationNs: Float64Array;
  /** 0 when unknown. */
  client: Int32Array;
  origin: Int32Array;
  /** How many of these calls have a weight other than 1 (core/weight.ts). With 0 the next two columns are unused
   *  and may be absent. */
  weighted = 0;
  weight: Float64Array | undefined;
  copies: Float64Array | undefined;

  constructor(capacity: number = limits.notRolledUpCalls + limits.batchCalls) {
    this.endpoint = new Int32Array(capacity);
    this.minute = new Int32Array(capacity);
    this.endMs = new Float64Array(capacity);
    this.status = new Uint16Array(capacity);
    this.durationNs = new Float64Array(capacity);
    this.client = new Int32Array(capacity);
    this.origin = new Int32Array(capacity);
  }

  /**
   * Adds the first `calls` calls of the columns, without their dimensions: the caller writes `endpoint`, `client` and
   * `origin` of each.
   * @returns the index of the first of them
   */
  push(columns: CallColumns, calls: number): number {
    const first = this.length;
    this.length += calls;
    if (this.length > this.endpoint.length) this.#grow();
    const { endS, endNs, durationNs } = columns;
    const { minute, endMs } = this;
    for (let i = 0; i < calls; i++) {
      const s = endS[i]!;
      minute[first + i] = Math.floor(s / 60);
      endMs[first + i] = s * 1000 + Math.floor(endNs[i]! / 1e6);
      const duration = durationNs[i]!;
      // A store of release 0.1.0 may hold a longer one: a call without a latency, as it would be stored now.
      this.durationNs[first + i] = duration > limits.callDurationNs ? -1 : duration;
    }
    this.status.set(columns.status.subarray(0, calls), first);
    return first;
  }

  /** Adds stored calls. */
  pushStored({ columns, length, weights }: StoredCalls): void {
    const first = this.push(columns, length);
    this.endpoint.set(columns.endpoint.subarray(0, length), first);
    this.client.set(columns.client.subarray(0, length), first);
    this.origin.set(columns.origin.subarray(0, length), first);
    for (let i = 0; i < weights.length; i++) {
      this.setWeight(first + weights.call[i]!, weights.weight[i]!, weights.copies[i]!);
    }
  }

  /** @param i index of a call that was added */
  setWeight(i: number, weight: number, copies: number): void {
    const { length } = this.endpoint;
    this.weight ??= new Float64Array(length).fill(1);
    this.copies ??= new Float64Array(length).fill(1);
    this.weight[i] = weight;
    this.copies[i] = copies;
    this.weighted += 1;
  }

  clear(): void {
    if (this.weighted > 0) {
      this.weight!.fill(1, 0, this.length);
      this.copies!.fill(1, 0, this.length);
      this.weighted = 0;
    }
    this.length = 0;
  }

  #grow(): void {
    const before = this.endpoint.length;
    const length = Math.max(this.length, before * 2);
    this.endpoint = grown(this.endpoint, length);
    this.minute = grown(this.minute, length);
    this.endMs = grown(this.endMs, length);
    this.status = grown(this.status, length);
    this.durationNs = grown(this.durationNs, length);
    this.client = grown(this.client, length);
    this.origin = grown(this.origin, length);
    if (this.weight && this.copies) {
      this.weight = grown(this.weight, length).fill(1, before);
      this.copies = grown(this.copies, length).fill(1, before);
    }
  }

  get full(): boolean {
    return this.length >= limits.notRolledUpCalls;
  }
}
