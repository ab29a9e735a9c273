import type { CallColumns, Delivery } from '../../../call.ts';
import type { WeightColumns } from '../../../weight.ts';
import type { Database, Statement } from '../database.ts';
import type { CallRows } from '../usage/call-rows.ts';
import type { Dimensions } from './dimensions.ts';
import { SeenRequests } from './seen-requests.ts';

/** Rows of one INSERT. Measured in one run: 0.53 to 0.60 µs a row with 64 rows, 0.66 to 0.70 with 32. */
const rowsPerInsert = [64, 8, 1] as const;
const columnsPerRow = 9;

/** Writes raw calls, leaving out repeated deliveries. */
export class CallLog {
  readonly #dimensions: Dimensions;
  readonly #inserts: { rows: number; insert: Statement; values: (number | null)[] }[];
  readonly #addWeight: Statement;
  readonly #addCommit: Statement;
  readonly #addFirst: Statement;
  readonly #first: (number | null)[] = Array(columnsPerRow).fill(0);
  readonly #lastId: Statement;
  readonly #deliveries: SeenRequests;

  constructor(db: Database, dimensions: Dimensions, nowS: number) {
    this.#dimensions = dimensions;
    this.#deliveries = new SeenRequests(db, nowS);
    const row = `(${Array(columnsPerRow).fill('?').join(',')})`;
    const columns =
      'endpoint_id, status, end_s, end_ns, duration_ns, client_id, origin_id, request_bytes, response_bytes';
    this.#addFirst = db.prepare(`INSERT INTO call (id, ${columns}) VALUES (?, ${row.slice(1)}`);
    this.#inserts = rowsPerInsert.map((rows) => ({
      rows,
      values: Array(rows * columnsPerRow).fill(0),
      insert: db.prepare(`INSERT INTO call (${columns}) VALUES ${Array(rows).fill(row).join(',')}`),
    }));
    this.#addWeight = db.prepare('INSERT INTO call_weight VALUES (?, ?, ?)');
    this.#addCommit = db.prepare(
      'INSERT INTO call_commit (first_call_id, calls, committed_s, trace_ids) VALUES (?, ?, ?, ?)',
    );
    this.#lastId = db
      .prepare(
        "SELECT max(value, ifnull((SELECT max(id) FROM call), 0)) FROM meta WHERE key = 'rolled_up_call'",
      )
      .pluck();
  }

  /** The greatest call id ever used, also when that call is deleted. */
  lastCallId(): number {
    return this.#lastId.get() as number;
  }

  /** To be called after the transaction was committed. */
  committed(nowS: number): void {
    this.#deliveries.committed(nowS);
  }

  /** To be called after a transaction was rolled back. */
  recover(nowS: number): void {
    this.#deliveries.recover(nowS);
  }

  /**
   * Writes the calls of every new delivery, with ids from `lastId + 1` on, and adds them to `notRolledUp`.
   * Runs in the caller's transaction; then `committed` or `recover` must be called.
   * @param weights of the calls whose weight is not 1
   * @returns for each delivery whether it is new
   */
  append(
    columns: CallColumns,
    weights: WeightColumns | undefined,
    deliveries: readonly Delivery[],
    lastId: number,
    nowS: number,
    notRolledUp: CallRows,
  ): boolean[] {
    const stored = deliveries.map((delivery) =>
      this.#deliveries.isNew(this.#dimensions.projectRow(delivery.project), delivery, nowS),
    );
    this.#deliveries.write(nowS);
    const first = notRolledUp.length;
    const traces: Uint8Array[] = [];
    let weight = 0;
    // Neighbouring new deliveries are written as one run of calls.
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
      const at = notRolledUp.length;
      const id = lastId + 1 + at - first;
      this.#insert(columns, from, to, id, notRolledUp);
      if (weights) {
        weight = this.#insertWeights(weights, weight, { from, to, at, id }, notRolledUp);
      }
      traces.push(columns.traceId.subarray(from * 16, to * 16));
    }
    const calls = notRolledUp.length - first;
    if (calls > 0) {
      const traceIds = traces.length === 1 ? traces[0]! : Buffer.concat(traces);
      this.#addCommit.run(lastId + 1, calls, nowS, traceIds);
    }
    return stored;
  }

  /**
   * @param next index of the first weight that no earlier run used
   * @param run calls `from` to `to - 1` of the batch; the first one has index `at` in `notRolledUp` and the id `id`
   * @returns `next` for the next run
   */
  #insertWeights(
    weights: WeightColumns,
    next: number,
    { from, to, at, id }: { from: number; to: number; at: number; id: number },
    notRolledUp: CallRows,
  ): number {
    for (; next < weights.length && weights.call[next]! < to; next++) {
      // The weight of a call of a repeated delivery.
      if (weights.call[next]! < from) continue;
      const offset = weights.call[next]! - from;
      const weight = weights.weight[next]!;
      const copies = weights.copies[next]!;
      notRolledUp.setWeight(at + offset, weight, copies);
      this.#addWeight.run(id + offset, weight, copies);
    }
    return next;
  }

  /** @param firstId given to the first call; SQLite numbers the others after it. Without it, SQLite would use the ids
   *  of deleted calls again. */
  #insert(
    columns: CallColumns,
    from: number,
    to: number,
    firstId: number,
    notRolledUp: CallRows,
  ): void {
    this.#bind(columns, from, this.#first, 0, notRolledUp);
    this.#addFirst.run(firstId, ...this.#first);
    let at = from + 1;
    for (const { rows, insert, values } of this.#inserts) {
      for (; at + rows <= to; ) {
        for (let v = 0; v < values.length; v += columnsPerRow, at++) {
          this.#bind(columns, at, values, v, notRolledUp);
        }
        insert.run(...values);
      }
    }
  }

  #bind(
    columns: CallColumns,
    at: number,
    values: (number | null)[],
    v: number,
    notRolledUp: CallRows,
  ): void {
    const dimensions = this.#dimensions;
    const endpoint = dimensions.endpointRow(columns.endpoint[at]!);
    const origin = dimensions.originRow(columns.origin[at]!);
    const client = dimensions.clientRow(columns.client[at]!);
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
    notRolledUp.add(endpoint, endS, endNs, status, durationNs, client, origin);
  }
}
