import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { limits } from '../../../limits.ts';
import type { Conversion } from '../../notices.ts';
import { readOldRows } from '../calls/old-calls.ts';
import { StoredCalls } from '../calls/stored-calls.ts';
import type { Database, Statement } from '../database.ts';
import { type CallBlocks, type CallRun, noteCommit } from './call-blocks.ts';

/** Calls of one step: 50 ms on a quiet machine, for which a commit may have to wait. */
const callsPerStep = 16_384;
/** A full disk is looked at again after so long. */
const retryAfterS = 60;

/**
 * Turns the rows in which release 0.1.0 stored raw calls into blocks, in the background: whole commits, the newest
 * first, some thousand calls a step. A step is one transaction, so every call is at any moment in its row or in a
 * block, and a process that is killed goes on where the last step ended. A step needs room for one block more than
 * the file has; the rows that it deletes give room to the next one. Rows that are not rolled up wait: reports read them.
 */
export class CallConversion {
  readonly #db: Database;
  readonly #blocks: CallBlocks;
  readonly #calls = new StoredCalls();
  readonly #freeBytes: () => number;
  readonly #sql: Record<string, Statement>;
  #total = 0;
  #left = 0;
  #isFull = false;
  #triedS = 0;

  /** @param freeBytes of the disk @throws nothing */
  constructor(db: Database, blocks: CallBlocks, freeBytes = () => freeBytesAt(db.path)) {
    this.#db = db;
    this.#blocks = blocks;
    this.#freeBytes = freeBytes;
    this.#sql = {
      left: db.prepare('SELECT ifnull(sum(calls), 0) FROM call_commit').pluck(),
      commits: db
        .prepare(
          `SELECT first_call_id, calls, committed_s, trace_ids FROM call_commit
           WHERE first_call_id <= (SELECT value FROM meta WHERE key = 'rolled_up_call')
           ORDER BY first_call_id DESC LIMIT 1 OFFSET ?`,
        )
        .raw(),
      deleteCalls: db.prepare('DELETE FROM call WHERE id BETWEEN ? AND ?'),
      deleteWeights: db.prepare('DELETE FROM call_weight WHERE call_id BETWEEN ? AND ?'),
      deleteCommits: db.prepare('DELETE FROM call_commit WHERE first_call_id BETWEEN ? AND ?'),
      waiting: db.prepare('SELECT count(*) FROM call_commit').pluck(),
    };
    this.recover();
    this.#total = this.#left;
  }

  /** Undefined when nothing is left. */
  get state(): Conversion | undefined {
    if (this.#left === 0) return undefined;
    const state = { left: this.#left, total: this.#total };
    return this.#isFull ? { ...state, needsBytes: limits.conversionFreeBytes } : state;
  }

  isDue(nowS: number): boolean {
    if (this.#left === 0) return false;
    return !this.#isFull || Math.abs(nowS - this.#triedS) >= retryAfterS;
  }

  /** Converts the newest rows. In the caller's transaction. @returns false when none could be converted now */
  step(nowS: number): boolean {
    this.#triedS = nowS;
    this.#isFull = this.#freeBytes() < limits.conversionFreeBytes;
    if (this.#isFull) return false;
    const commits = this.#newest();
    if (commits.length === 0) return false;
    const first = commits[0]!.firstId;
    const newest = commits.at(-1)!;
    const last = newest.firstId + newest.calls - 1;
    const calls = this.#calls;
    calls.clear();
    const ids = readOldRows(this.#db, first, last, calls);
    for (const run of runsOf(ids, commits, calls)) this.#blocks.add(calls, run);
    this.#sql.deleteCalls!.run(first, last);
    this.#sql.deleteWeights!.run(first, last);
    this.#sql.deleteCommits!.run(first, last);
    this.#left -= commits.reduce((sum, commit) => sum + commit.calls, 0);
    calls.clear();
    return true;
  }

  /** Reads from the file what is left: at the start, after a rollback, after a purge. */
  recover(): void {
    this.#left = this.#sql.left!.get() as number;
  }

  /** The newest commits, ascending, that have as many calls as one step takes, or one that has more. */
  #newest(): OldCommit[] {
    const found: OldCommit[] = [];
    let calls = 0;
    for (;;) {
      const row = this.#sql.commits!.get(found.length) as OldCommitRow | undefined;
      if (row === undefined) break;
      const [firstId, count, committedS, traceIds] = row;
      if (calls > 0 && calls + count > callsPerStep) break;
      found.push({ firstId, calls: count, committedS, traceIds });
      calls += count;
    }
    return found.reverse();
  }
}

type OldCommitRow = [number, number, number, Uint8Array];

interface OldCommit {
  firstId: number;
  calls: number;
  committedS: number;
  traceIds: Uint8Array;
}

/** Gives the calls their trace ids, and parts them where an id is missing. @param ids of the calls, ascending */
function runsOf(
  ids: readonly number[],
  commits: readonly OldCommit[],
  calls: StoredCalls,
): CallRun[] {
  const runs: CallRun[] = [];
  let next = 0;
  for (const { firstId, calls: count, committedS, traceIds } of commits) {
    for (; next < ids.length && ids[next]! < firstId + count; next += 1) {
      const id = ids[next]!;
      const at = (id - firstId) * 16;
      calls.columns.traceId.set(traceIds.subarray(at, at + 16), next * 16);
      let run = runs.at(-1);
      if (run === undefined || run.firstId + run.to - run.from !== id) {
        run = { firstId: id, from: next, to: next, commits: [] };
        runs.push(run);
      }
      run.to += 1;
      noteCommit(run, 1, committedS);
    }
  }
  return runs;
}

function freeBytesAt(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}
