import { decodeCommit } from '../../core/store/sqlite/calls/commit-columns.ts';
import { StoredCalls } from '../../core/store/sqlite/calls/stored-calls.ts';
import { WholeBlocks } from '../../core/store/sqlite/calls/whole-block.ts';
import { Database } from '../../core/store/sqlite/database.ts';

/** A raw call of a store's file, as it lies there. */
export interface RawCall {
  id: number;
  where: 'row' | 'commit' | 'block';
  route: string;
  status: number;
  endNs: bigint;
  durationNs: number;
  /** Empty when unknown. */
  client: string;
  requestBytes: number;
  responseBytes: number;
  traceId: string;
  weight: number;
}

/** Every raw call of a SQLite store, oldest id first. @throws when one is damaged */
export function rawCallsOf(path: string): RawCall[] {
  const db = new Database(path, { readOnly: true });
  try {
    const routes = wordsOf(db, 'SELECT id, route FROM endpoint');
    const clients = wordsOf(db, 'SELECT id, address FROM client');
    const found: RawCall[] = [];
    const add = (where: RawCall['where'], firstId: number, read: (into: StoredCalls) => void) => {
      const calls = new StoredCalls();
      read(calls);
      const { columns, weights } = calls;
      const first = found.length;
      for (let i = 0; i < calls.length; i += 1) {
        found.push({
          id: firstId + i,
          where,
          route: routes.get(columns.endpoint[i]!)!,
          status: columns.status[i]!,
          endNs: BigInt(columns.endS[i]!) * 1_000_000_000n + BigInt(columns.endNs[i]!),
          durationNs: columns.durationNs[i]!,
          client: clients.get(columns.client[i]!) ?? '',
          requestBytes: columns.requestBytes[i]!,
          responseBytes: columns.responseBytes[i]!,
          traceId: Buffer.from(columns.traceId.subarray(i * 16, i * 16 + 16)).toString('hex'),
          weight: 1,
        });
      }
      for (let i = 0; i < weights.length; i += 1) {
        found[first + weights.call[i]!]!.weight = weights.weight[i]!;
      }
    };
    found.push(...oldCalls(db, routes, clients));
    const blocks = new WholeBlocks(db);
    for (const id of db.prepare('SELECT first_call_id FROM call_block').pluck().all() as number[]) {
      add('block', id, (into) => blocks.read(id, into));
    }
    const commits = db.prepare('SELECT first_call_id, columns, trace_ids FROM commit_calls').raw();
    for (const [id, columns, traceIds] of commits.all() as [number, Uint8Array, Uint8Array][]) {
      add('commit', id, (into) => decodeCommit(columns, traceIds, `commit ${id}`, into));
    }
    return found.sort((a, b) => a.id - b.id);
  } finally {
    db.close();
  }
}

function wordsOf(db: Database, sql: string): Map<number, string> {
  return new Map(db.prepare(sql).raw().all() as [number, string][]);
}

type Words = ReadonlyMap<number, string>;

function oldCalls(db: Database, routes: Words, clients: Words): RawCall[] {
  const traceIds = new Map<number, Uint8Array>();
  const commits = db.prepare('SELECT first_call_id, calls, trace_ids FROM call_commit').raw();
  for (const [first, calls, ids] of commits.all() as [number, number, Uint8Array][]) {
    for (let i = 0; i < calls; i += 1) traceIds.set(first + i, ids.subarray(i * 16, i * 16 + 16));
  }
  const rows = db.prepare(
    'SELECT c.*, w.weight FROM call c LEFT JOIN call_weight w ON w.call_id = c.id',
  );
  return (rows.all() as Record<string, number | null>[]).map((row) => ({
    id: row.id!,
    where: 'row' as const,
    route: routes.get(row.endpoint_id!)!,
    status: row.status!,
    endNs: BigInt(row.end_s!) * 1_000_000_000n + BigInt(row.end_ns!),
    durationNs: row.duration_ns!,
    client: clients.get(row.client_id ?? 0) ?? '',
    requestBytes: row.request_bytes ?? -1,
    responseBytes: row.response_bytes ?? -1,
    traceId: Buffer.from(traceIds.get(row.id!) ?? Buffer.alloc(16)).toString('hex'),
    weight: row.weight ?? 1,
  }));
}
