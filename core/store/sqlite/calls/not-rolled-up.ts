import { limits } from '../../../limits.ts';
import type { Database } from '../database.ts';
import { DamagedError } from '../sealed.ts';
import type { CallRows } from '../usage/call-rows.ts';
import { commitName } from './call-tables.ts';
import { decodeCommit } from './commit-columns.ts';
import { readOldCalls } from './old-calls.ts';
import { StoredCalls } from './stored-calls.ts';

/** One megabyte for one commit after the other: new memory for each report costs as much as 50 endpoints of it. */
let decoded: StoredCalls | undefined;

/**
 * Adds the committed calls after a watermark: the calls that are not rolled up. Commits that are damaged are left out.
 * @param rolledUpId the last call that is rolled up; the last one of its commit
 * @param onDamage called with each damaged commit, which is left out
 */
export function readCallsAfter(
  db: Database,
  rolledUpId: number,
  into: CallRows,
  onDamage: (damage: DamagedError) => void,
): void {
  readOldCalls(db, rolledUpId, into);
  const commits = db
    .kept('SELECT first_call_id, columns FROM commit_calls WHERE first_call_id > ? ORDER BY 1')
    .raw();
  for (const [firstCallId, columns] of commits.all(rolledUpId) as [number, Uint8Array][]) {
    decoded ??= new StoredCalls(limits.batchCalls);
    const calls = decoded;
    calls.clear();
    try {
      decodeCommit(columns, undefined, commitName(firstCallId), calls);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      onDamage(error);
      continue;
    }
    into.pushStored(calls);
  }
}
