import { commitName } from '../calls/call-tables.ts';
import { blockCallsMax } from '../calls/coded.ts';
import { decodeCommit } from '../calls/commit-columns.ts';
import { StoredCalls } from '../calls/stored-calls.ts';
import type { Database, Statement } from '../database.ts';
import { DamagedError } from '../sealed.ts';
import { type CallBlocks, type CallRun, noteCommit } from './call-blocks.ts';

/**
 * Commits wait this long at most until they become a block: a search reads all their columns. Longer, and a service
 * with few calls gets larger blocks; 96 blocks a day are few.
 */
const compactAfterS = 900;

/**
 * Rewrites the calls of many commits into blocks (calls/call-block.ts), in the order of their ids, in one
 * transaction a step: every call is in its commit or in a block. Commits that are not rolled up stay as they are.
 */
export class CallCompaction {
  readonly #onDamage: (damage: DamagedError) => void;
  readonly #calls = new StoredCalls();
  readonly #blocks: CallBlocks;
  /** Calls of commits that are rolled up and wait, and when the oldest commit began to wait. */
  #waitingCalls = 0;
  #waitingSinceS = 0;
  /** Every commit up to this id is compacted, or damaged: a damaged commit stays until its retention ends. */
  #doneCallId = 0;
  readonly #sql: Record<string, Statement>;

  constructor(
    db: Database,
    blocks: CallBlocks,
    nowS: number,
    onDamage: (damage: DamagedError) => void,
  ) {
    this.#blocks = blocks;
    this.#onDamage = onDamage;
    const isWaiting = `first_call_id > ? AND
      first_call_id <= (SELECT value FROM meta WHERE key = 'rolled_up_call')`;
    this.#sql = {
      waiting: db
        .prepare(`SELECT ifnull(sum(calls), 0) FROM commit_calls WHERE ${isWaiting}`)
        .pluck(),
      sizes: db
        .prepare(
          `SELECT first_call_id, calls FROM commit_calls WHERE ${isWaiting}
           ORDER BY first_call_id LIMIT ${blockCallsMax}`,
        )
        .raw(),
      commits: db
        .prepare(
          `SELECT first_call_id, calls, committed_s, columns, trace_ids FROM commit_calls
           WHERE first_call_id BETWEEN ? AND ? ORDER BY first_call_id`,
        )
        .raw(),
      deleteCommits: db.prepare('DELETE FROM commit_calls WHERE first_call_id BETWEEN ? AND ?'),
    };
    this.recover(nowS);
  }

  /** Calls were rolled up: they wait for their block. */
  rolledUp(calls: number, nowS: number): void {
    if (this.#waitingCalls === 0) this.#waitingSinceS = nowS;
    this.#waitingCalls += calls;
  }

  /** Whether a step has something to do; the smallest one a block of the calls that wait. */
  isDue(nowS: number): boolean {
    const waitedS = nowS - this.#waitingSinceS;
    return (
      this.#waitingCalls >= blockCallsMax || (this.#waitingCalls > 0 && waitedS >= compactAfterS)
    );
  }

  /**
   * Makes blocks of the oldest commits: in nearly every case one, of at most `blockCallsMax` calls. In the caller's
   * transaction.
   */
  compact(nowS: number): void {
    const lastCallId = this.#lastOfBlock();
    for (const segment of this.#gather(lastCallId)) {
      this.#blocks.add(this.#calls, segment);
      const { firstId, from, to } = segment;
      this.#sql.deleteCommits!.run(firstId, firstId + to - from - 1);
    }
    this.#doneCallId = lastCallId;
    this.#waitingCalls = this.#sql.waiting!.get(lastCallId) as number;
    this.#waitingSinceS = nowS;
    this.#calls.clear();
  }

  /** Reads from the file what waits: at the start, and after a rollback. */
  recover(nowS: number): void {
    this.#doneCallId = 0;
    this.#waitingCalls = this.#sql.waiting!.get(0) as number;
    this.#waitingSinceS = nowS;
  }

  /** The last call of the oldest commits that fit in a block, or of the oldest one when it is larger. */
  #lastOfBlock(): number {
    let calls = 0;
    let last = this.#doneCallId;
    for (const [id, count] of this.#sql.sizes!.all(this.#doneCallId) as [number, number][]) {
      if (calls > 0 && calls + count > blockCallsMax) break;
      calls += count;
      last = id + count - 1;
    }
    return last;
  }

  /** Decodes the commits up to a call. */
  #gather(lastCallId: number): CallRun[] {
    const calls = this.#calls;
    const segments: CallRun[] = [];
    const rows = this.#sql.commits!.all(this.#doneCallId + 1, lastCallId) as CommitRow[];
    for (const [id, count, committedS, columns, traceIds] of rows) {
      const from = calls.length;
      try {
        decodeCommit(columns, traceIds, commitName(id), calls);
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        this.#onDamage(error);
        continue;
      }
      let segment = segments.at(-1);
      if (segment === undefined || segment.firstId + segment.to - segment.from !== id) {
        segment = { firstId: id, from, to: from, commits: [] };
        segments.push(segment);
      }
      segment.to = calls.length;
      noteCommit(segment, count, committedS);
    }
    return segments;
  }
}

/** Id of the first call, calls, time of the commit, columns, trace ids. */
type CommitRow = [number, number, number, Uint8Array, Uint8Array];
