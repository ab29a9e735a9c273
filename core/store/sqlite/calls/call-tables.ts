import type { Database } from '../database.ts';

/** The greatest call id ever used, also when that call is deleted. */
export function lastCallId(db: Database): number {
  const ids = db.kept(`
    SELECT max(
      (SELECT value FROM meta WHERE key = 'rolled_up_call'),
      ifnull((SELECT max(id) FROM call), 0),
      ifnull((SELECT first_call_id + calls - 1 FROM call_block ORDER BY first_call_id DESC LIMIT 1), 0),
      ifnull((SELECT first_call_id + calls - 1 FROM commit_calls ORDER BY first_call_id DESC LIMIT 1), 0)
    )`);
  return ids.pluck().get() as number;
}

/** Raw calls that the file holds, whatever their form. */
export function countCalls(db: Database): number {
  const count = db.prepare(`
    SELECT (SELECT count(*) FROM call) +
      (SELECT ifnull(sum(calls), 0) FROM call_block) +
      (SELECT ifnull(sum(calls), 0) FROM commit_calls)`);
  return count.pluck().get() as number;
}

/** Names for people: logs, errors, `rollcall check`. */
export function commitName(firstCallId: number): string {
  return `commit of call ${firstCallId}`;
}

export function blockName(firstCallId: number): string {
  return `block of call ${firstCallId}`;
}
