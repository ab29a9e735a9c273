import type { CallColumns, Delivery } from '../../call.ts';
import { limits } from '../../limits.ts';
import type { WeightColumns } from '../../weight.ts';
import { hourS } from '../../window.ts';
import type { Database, Statement } from './database.ts';
import type { PendingCalls } from './pending-calls.ts';
import type { Words } from './words.ts';

/** Rows one INSERT takes. Measured in one run: 64 rows cost 0.53 to 0.60 µs each, 32 rows 0.66 to 0.70. */
const rowsPerInsert = [64, 8, 1] as const;
const columnsPerRow = 9;

/** Writes raw calls and remembers deliveries. Every method runs in the transaction of its caller. */
export class CallLog {
  readonly #words: Words;
  readonly #inserts: { rows: number; insert: Statement; values: (number | null)[] }[];
  readonly #addWeight: Statement;
  readonly #addCommit: Statement;
  readonly #deliveries: { find: Statement; add: Statement; forgetAll: Statement }[];
  readonly #lastId: Statement;
  /** The hour whose table was emptied for its new use. */
  #deliveryHour = -1;

  constructor(db: Database, words: Words) {
    this.#words = words;
    const row = `(${Array(columnsPerRow).fill('?').join(',')})`;
    this.#inserts = rowsPerInsert.map((rows) => ({
      rows,
      values: Array(rows * columnsPerRow).fill(0),
      insert: db.prepare(
        `INSERT INTO call (endpoint_id, status, end_s, end_ns, duration_ns, client_id, origin_id,
          request_bytes, response_bytes) VALUES ${Array(rows).fill(row).join(',')}`,
      ),
    }));
    this.#addWeight = db.prepare('INSERT INTO call_weight VALUES (?, ?, ?)');
    this.#addCommit = db.prepare(
      'INSERT INTO call_commit (first_call_id, calls, committed_s, trace_ids) VALUES (?, ?, ?, ?)',
    );
    this.#lastId = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'call'").pluck();
    this.#deliveries = ['even', 'odd'].map((parity) => ({
      find: db
        .prepare(`SELECT received_s FROM delivery_${parity} WHERE project_id = ? AND digest = ?`)
        .pluck(),
      add: db.prepare(`INSERT OR REPLACE INTO delivery_${parity} VALUES (?, ?, ?)`),
      forgetAll: db.prepare(`DELETE FROM delivery_${parity} WHERE received_s <= ?`),
    }));
  }

  /** The greatest call id ever given, also when its call is deleted by now. */
  lastCallId(): number {
    return (this.#lastId.get() as number | undefined) ?? 0;
  }

  /**
   * Writes the calls of every delivery that is new, numbered on from `lastId`, and adds them to `pending`.
   * @param weights of those calls that have one
   * @returns for each delivery whether it was new
   */
  append(
    columns: CallColumns,
    weights: WeightColumns | undefined,
    deliveries: readonly Delivery[],
    lastId: number,
    nowS: number,
    pending: PendingCalls,
  ): boolean[] {
    const stored = deliveries.map((delivery) => this.#isNew(delivery, nowS));
    const first = pending.length;
    const traces: Uint8Array[] = [];
    let weight = 0;
    // Neighbouring new deliveries are one run of calls.
    for (let i = 0; i < deliveries.length; ) {
      const from = deliveries[i]!.firstCall;
      let to = from;
      while (i < deliveries.length && stored[i] && deliveries[i]!.firstCall === to) {
        to += deliveries[i]!.calls;
        i += 1;
      }
      if (to === from) {
        i += 1;
        continue;
      }
      const at = pending.length;
      this.#insert(columns, from, to, pending);
      if (weights) {
        const id = lastId + 1 + at - first;
        weight = this.#insertWeights(weights, weight, { from, to, at, id }, pending);
      }
      traces.push(columns.traceId.subarray(from * 16, to * 16));
    }
    const calls = pending.length - first;
    if (calls > 0) {
      const traceIds = traces.length === 1 ? traces[0]! : Buffer.concat(traces);
      this.#addCommit.run(lastId + 1, calls, nowS, traceIds);
    }
    return stored;
  }

  #isNew({ project, digest }: Delivery, nowS: number): boolean {
    const projectRow = this.#words.projectRow(project);
    const hour = Math.floor(nowS / hourS);
    const current = this.#deliveries[hour % 2]!;
    const previous = this.#deliveries[(hour + 1) % 2]!;
    if (hour !== this.#deliveryHour) {
      current.forgetAll.run(nowS - limits.deliveryMemoryS);
      this.#deliveryHour = hour;
    }
    for (const { find } of [current, previous]) {
      const receivedS = find.get(projectRow, digest) as number | undefined;
      if (receivedS !== undefined && receivedS > nowS - limits.deliveryMemoryS) return false;
    }
    current.add.run(projectRow, digest, nowS);
    return true;
  }

  /**
   * @param next the first weight that was not looked at yet
   * @param run calls `from` to `to - 1` of the batch: `at` of the pending ones on, with ids from `id` on
   * @returns what the next run begins with
   */
  #insertWeights(
    weights: WeightColumns,
    next: number,
    { from, to, at, id }: { from: number; to: number; at: number; id: number },
    pending: PendingCalls,
  ): number {
    for (; next < weights.length && weights.call[next]! < to; next++) {
      // Of a delivery that was there before.
      if (weights.call[next]! < from) continue;
      const offset = weights.call[next]! - from;
      const weight = weights.weight[next]!;
      const copies = weights.copies[next]!;
      pending.setWeight(at + offset, weight, copies);
      this.#addWeight.run(id + offset, weight, copies);
    }
    return next;
  }

  #insert(columns: CallColumns, from: number, to: number, pending: PendingCalls): void {
    const words = this.#words;
    let at = from;
    for (const { rows, insert, values } of this.#inserts) {
      for (; at + rows <= to; ) {
        for (let v = 0; v < values.length; v += columnsPerRow, at++) {
          const endpoint = words.endpointRow(columns.endpoint[at]!);
          const origin = words.originRow(columns.origin[at]!);
          const client = words.clientRow(columns.client[at]!);
          const status = columns.status[at]!;
          const endS = columns.endS[at]!;
          const endNs = columns.endNs[at]!;
          const durationNs = columns.durationNs[at]!;
          const requestBytes = columns.requestBytes[at]!;
          const responseBytes = columns.responseBytes[at]!;
          values[v] = endpoint;
          values[v + 1] = status;
          values[v + 2] = endS;
          values[v + 3] = endNs;
          values[v + 4] = durationNs;
          values[v + 5] = client === 0 ? null : client;
          values[v + 6] = origin;
          values[v + 7] = requestBytes < 0 ? null : requestBytes;
          values[v + 8] = responseBytes < 0 ? null : responseBytes;
          pending.add(endpoint, endS, endNs, status, durationNs, client, origin);
        }
        insert.run(...values);
      }
    }
  }
}
