import type { Database } from '../database.ts';
import type { CallRows } from '../usage/call-rows.ts';
import { StoredCalls } from './stored-calls.ts';

/** Raw calls as release 0.1.0 stored them: one row each, weights and trace ids in tables of their own. */

const columns =
  'endpoint_id, status, end_s, end_ns, min(duration_ns, 9007199254740991), ifnull(client_id, 0), origin_id, ifnull(request_bytes, -1), ifnull(response_bytes, -1)';

type Row = [number, number, number, number, number, number, number, number, number, number];

/** Adds the calls after a watermark. */
export function readOldCalls(db: Database, rolledUpId: number, into: CallRows): void {
  const calls = new StoredCalls();
  readOldRows(db, rolledUpId + 1, Number.MAX_SAFE_INTEGER, calls);
  into.pushStored(calls);
}

/** Adds the calls with ids from `first` to `last`, without trace ids. @returns their ids, ascending */
export function readOldRows(
  db: Database,
  first: number,
  last: number,
  into: StoredCalls,
): number[] {
  const ids: number[] = [];
  type Weight = [number, number, number];
  const weights = db
    .kept('SELECT call_id, weight, copies FROM call_weight WHERE call_id BETWEEN ? AND ?')
    .raw()
    .all(first, last) as Weight[];
  const weightOf = new Map(weights.map((weight) => [weight[0], weight]));
  const rows = db.kept(`SELECT id, ${columns} FROM call WHERE id BETWEEN ? AND ? ORDER BY id`);
  for (const row of rows.raw().all(first, last) as Row[]) {
    const [id, endpoint, status, endS, endNs, durationNs, client, origin, request, response] = row;
    ids.push(id);
    const i = into.push(1);
    const { columns } = into;
    columns.endpoint[i] = endpoint;
    columns.status[i] = status;
    columns.endS[i] = endS;
    columns.endNs[i] = endNs;
    columns.durationNs[i] = durationNs;
    columns.client[i] = client;
    columns.origin[i] = origin;
    columns.requestBytes[i] = request;
    columns.responseBytes[i] = response;
    columns.traceId.fill(0, i * 16, i * 16 + 16);
    const weight = weightOf.get(id);
    if (weight) into.weights.add(i, weight[1], weight[2]);
  }
  return ids;
}
