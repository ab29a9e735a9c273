import { decodeCommit } from '../../core/store/sqlite/calls/commit-columns.ts';
import { readOldRows } from '../../core/store/sqlite/calls/old-calls.ts';
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
    const oldFirst = db.prepare('SELECT ifnull(min(id), 0) FROM call').pluck().get() as number;
    add('row', oldFirst, (into) => readOldRows(db, 0, Number.MAX_SAFE_INTEGER, into));
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
