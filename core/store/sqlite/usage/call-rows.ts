import { grown } from '../../../column.ts';
import { limits } from '../../../limits.ts';
import type { Database } from '../database.ts';

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
    // A store of release 0.1.0 may hold a longer one: a call without a latency, as it would be stored now.
    this.durationNs[i] = durationNs > limits.callDurationNs ? -1 : durationNs;
    this.client[i] = client;
    this.origin[i] = origin;
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
    const length = this.endpoint.length * 2;
    this.endpoint = grown(this.endpoint, length);
    this.minute = grown(this.minute, length);
    this.endMs = grown(this.endMs, length);
    this.status = grown(this.status, length);
    this.durationNs = grown(this.durationNs, length);
    this.client = grown(this.client, length);
    this.origin = grown(this.origin, length);
    if (this.weight && this.copies) {
      this.weight = grown(this.weight, length).fill(1, this.length);
      this.copies = grown(this.copies, length).fill(1, this.length);
    }
  }

  get full(): boolean {
    return this.length >= limits.notRolledUpCalls;
  }
}

/** Adds the stored raw calls after a watermark. @param rolledUpId the last call that is rolled up */
export function readCallsAfter(db: Database, rolledUpId: number, into: CallRows): void {
  const first = into.length;
  const calls = db
    .prepare(
      `SELECT endpoint_id, end_s, end_ns, status, min(duration_ns, ${Number.MAX_SAFE_INTEGER}),
         ifnull(client_id, 0), origin_id
       FROM call WHERE id > ? ORDER BY id`,
    )
    .raw();
  type Row = [number, number, number, number, number, number, number];
  for (const row of calls.all(rolledUpId) as Row[]) into.add(...row);
  // Raw calls are deleted only when they are rolled up, so ids after the watermark have no gaps.
  const weights = db.prepare('SELECT call_id, weight, copies FROM call_weight WHERE call_id > ?');
  type Weight = [number, number, number];
  for (const [id, weight, copies] of weights.raw().all(rolledUpId) as Weight[]) {
    into.setWeight(first + id - rolledUpId - 1, weight, copies);
  }
}
