import { limits } from '../../limits.ts';

/** Calls that are committed and not rolled up yet, as row ids and numbers: at most two full batches. */
export class PendingCalls {
  length = 0;
  readonly endpoint: Int32Array;
  readonly minute: Int32Array;
  readonly endMs: Float64Array;
  readonly status: Uint16Array;
  readonly durationNs: Float64Array;
  /** 0 when unknown. */
  readonly client: Int32Array;
  readonly origin: Int32Array;

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
    const i = this.length++;
    this.endpoint[i] = endpoint;
    this.minute[i] = Math.floor(endS / 60);
    this.endMs[i] = endS * 1000 + Math.floor(endNs / 1e6);
    this.status[i] = status;
    this.durationNs[i] = durationNs;
    this.client[i] = client;
    this.origin[i] = origin;
  }

  get full(): boolean {
    return this.length >= limits.unrolledCalls;
  }
}
