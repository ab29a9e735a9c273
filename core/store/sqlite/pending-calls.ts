import { limits } from '../../limits.ts';

/**
 * Calls that are committed and not rolled up yet, as row ids and numbers. Mostly less than two full
 * batches; it grows for more, because the last body of a batch may be of any size.
 */
export class PendingCalls {
  length = 0;
  endpoint: Int32Array;
  minute: Int32Array;
  endMs: Float64Array;
  status: Uint16Array;
  durationNs: Float64Array;
  /** 0 when unknown. */
  client: Int32Array;
  origin: Int32Array;

  constructor(capacity: number = limits.unrolledCalls + limits.batchCalls) {
    this.endpoint = new Int32Array(capacity);
    this.minute = new Int32Array(capacity);
    this.endMs = new Float64Array(capacity);
    this.status = new Uint16Array(capacity);
    this.durationNs = new Float64Array(capacity);
    this.client = new Int32Array(capacity);
    this.origin = new Int32Array(capacity);
  }

  add(
    endpoint: number,
    endS: number,
    endNs: number,
    status: number,
    durationNs: number,
    client: number,
    origin: number,
  ): void {
    if (this.length === this.endpoint.length) this.#grow();
    const i = this.length++;
    this.endpoint[i] = endpoint;
    this.minute[i] = Math.floor(endS / 60);
    this.endMs[i] = endS * 1000 + Math.floor(endNs / 1e6);
    this.status[i] = status;
    this.durationNs[i] = durationNs;
    this.client[i] = client;
    this.origin[i] = origin;
  }

  #grow(): void {
    const next = new PendingCalls(this.endpoint.length * 2);
    next.endpoint.set(this.endpoint);
    next.minute.set(this.minute);
    next.endMs.set(this.endMs);
    next.status.set(this.status);
    next.durationNs.set(this.durationNs);
    next.client.set(this.client);
    next.origin.set(this.origin);
    const { length } = this;
    Object.assign(this, next, { length });
  }

  get full(): boolean {
    return this.length >= limits.unrolledCalls;
  }
}
