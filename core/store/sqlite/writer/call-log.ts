import { type CallColumns, copyCalls, type Delivery } from '../../../call.ts';
import { CallWeights, type WeightColumns } from '../../../weight.ts';
import { encodeCommit } from '../calls/commit-columns.ts';
import type { Database, Statement } from '../database.ts';
import type { CallRows } from '../usage/call-rows.ts';
import type { Dimensions } from './dimensions.ts';
import { SeenRequests } from './seen-requests.ts';

/** Which deliveries are known. */
export type DeliveryMemory = Pick<SeenRequests, 'isNew' | 'write' | 'committed' | 'recover'>;

/** Writes raw calls, one row a commit, leaving out repeated deliveries. */
export class CallLog {
  readonly #dimensions: Dimensions;
  readonly #addCommit: Statement;
  readonly #deliveries: DeliveryMemory;

  constructor(
    db: Database,
    dimensions: Dimensions,
    nowS: number,
    deliveries: DeliveryMemory = new SeenRequests(db, nowS),
  ) {
    this.#dimensions = dimensions;
    this.#deliveries = deliveries;
    this.#addCommit = db.prepare('INSERT INTO commit_calls VALUES (?, ?, ?, ?, ?)');
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
   * Writes the calls of every new delivery, with ids from `firstCallId` on, and adds them to `notRolledUp`. In the
   * columns they move up over the calls of repeated deliveries.
   * Runs in the caller's transaction; then `committed` or `recover` must be called.
   * @param weights of the calls whose weight is not 1
   * @returns for each delivery whether it is new
   */
  append(
    columns: CallColumns,
    weights: WeightColumns | undefined,
    deliveries: readonly Delivery[],
    firstCallId: number,
    nowS: number,
    notRolledUp: CallRows,
  ): boolean[] {
    const stored = deliveries.map((delivery) =>
      this.#deliveries.isNew(this.#dimensions.projectRow(delivery.project), delivery, nowS),
    );
    this.#deliveries.write(nowS);
    const { calls, weights: newWeights } = keepNew(columns, weights, deliveries, stored);
    if (calls === 0) return stored;
    const first = notRolledUp.push(columns, calls);
    const rows = this.#writeRows(columns, calls, notRolledUp, first);
    if (newWeights) {
      for (let i = 0; i < newWeights.length; i++) {
        const { call, weight, copies } = newWeights;
        notRolledUp.setWeight(first + call[i]!, weight[i]!, copies[i]!);
      }
    }
    const bytes = encodeCommit(columns, calls, rows, newWeights);
    const traceIds = columns.traceId.subarray(0, calls * 16);
    this.#addCommit.run(firstCallId, calls, nowS, bytes, traceIds);
    return stored;
  }

  /** Puts the rows of each call's endpoint, client and origin into `notRolledUp`. @returns these parts of it */
  #writeRows(columns: CallColumns, calls: number, notRolledUp: CallRows, first: number) {
    const dimensions = this.#dimensions;
    const endpoint = notRolledUp.endpoint.subarray(first, first + calls);
    const client = notRolledUp.client.subarray(first, first + calls);
    const origin = notRolledUp.origin.subarray(first, first + calls);
    for (let i = 0; i < calls; i++) endpoint[i] = dimensions.endpointRow(columns.endpoint[i]!);
    for (let i = 0; i < calls; i++) client[i] = dimensions.clientRow(columns.client[i]!);
    for (let i = 0; i < calls; i++) origin[i] = dimensions.originRow(columns.origin[i]!);
    return { endpoint, client, origin };
  }
}

/** Moves the calls of new deliveries to the front of the columns. @returns how many they are, and their weights */
function keepNew(
  columns: CallColumns,
  weights: WeightColumns | undefined,
  deliveries: readonly Delivery[],
  stored: readonly boolean[],
): { calls: number; weights: WeightColumns | undefined } {
  let calls = 0;
  let weight = 0;
  const kept = weights && new CallWeights();
  for (const [i, { firstCall, calls: count }] of deliveries.entries()) {
    const end = firstCall + count;
    for (; weights && weight < weights.length && weights.call[weight]! < end; weight++) {
      if (!stored[i]) continue;
      const call = weights.call[weight]! - firstCall + calls;
      kept?.add(call, weights.weight[weight]!, weights.copies[weight]!);
    }
    if (!stored[i]) continue;
    if (firstCall !== calls) copyCalls(columns, firstCall, end, columns, calls);
    calls += count;
  }
  return { calls, weights: kept };
}
