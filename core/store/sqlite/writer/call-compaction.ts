import type { CallContext } from '../../../call.ts';
import { type CommitRun, encodeBlock, partsPerBlock } from '../calls/call-block.ts';
import { commitName } from '../calls/call-tables.ts';
import { blockCallsMax } from '../calls/coded.ts';
import { decodeCommit } from '../calls/commit-columns.ts';
import { StoredCalls } from '../calls/stored-calls.ts';
import type { Database, Statement } from '../database.ts';
import { DamagedError } from '../sealed.ts';

/**
 * Commits wait this long at most until they become a block: a search reads all their columns. Longer, and a service
 * with few calls gets larger blocks; 96 blocks a day are few.
 */
const compactAfterS = 900;

/** Contexts in the cache, 200 bytes each. A full cache is emptied. */
const cachedContexts = 32_768;

/**
 * Rewrites the calls of many commits into blocks (calls/call-block.ts), in the order of their ids, in one
 * transaction a step: every call is in its commit or in a block. Commits that are not rolled up stay as they are.
 */
export class CallCompaction {
  readonly #onDamage: (damage: DamagedError) => void;
  readonly #calls = new StoredCalls();
  readonly #contexts = new Map<number, CallContext>();
  /** Calls of commits that are rolled up and wait, and when the oldest commit began to wait. */
  #waitingCalls = 0;
  #waitingSinceS = 0;
  /** Every commit up to this id is compacted, or damaged: a damaged commit stays until its retention ends. */
  #doneCallId = 0;
  readonly #sql: Record<string, Statement>;

  constructor(db: Database, nowS: number, onDamage: (damage: DamagedError) => void) {
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
      addBlock: db.prepare('INSERT INTO call_block VALUES (?, ?, ?, ?)'),
      addPart: db.prepare('INSERT INTO call_block_part VALUES (?, ?)'),
      context: db.prepare(
        `SELECT service_version AS serviceVersion, consumer, agent, bot, error_type AS errorType
         FROM origin WHERE id = ?`,
      ),
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
      this.#writeBlocks(segment);
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
  #gather(lastCallId: number): Segment[] {
    const calls = this.#calls;
    const segments: Segment[] = [];
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
        segment = { firstId: id, from, to: from, runs: [] };
        segments.push(segment);
      }
      segment.to = calls.length;
      const run = segment.runs.at(-1);
      if (run?.committedS === committedS) run.calls += count;
      else segment.runs.push({ calls: count, committedS });
    }
    return segments;
  }

  /** Writes the calls of a segment as blocks of about the same size. */
  #writeBlocks({ firstId, from, to, runs }: Segment): void {
    const blocks = Math.ceil((to - from) / blockCallsMax);
    const left = runs.map((run) => ({ ...run }));
    for (let block = 0; block < blocks; block++) {
      const start = from + Math.floor(((to - from) * block) / blocks);
      const end = from + Math.floor(((to - from) * (block + 1)) / blocks);
      this.#writeBlock(firstId + start - from, start, end, takeRuns(left, end - start));
    }
  }

  #writeBlock(firstId: number, from: number, to: number, commits: readonly CommitRun[]): void {
    const calls = this.#calls;
    const contextOf = (origin: number): CallContext => this.#contextOf(origin);
    const { summary, parts } = encodeBlock({ calls, from, to, commits, contextOf });
    this.#sql.addBlock!.run(firstId, to - from, commits.at(-1)!.committedS, summary);
    for (const { part, bytes } of parts) {
      this.#sql.addPart!.run(firstId * partsPerBlock + part, bytes);
    }
  }

  #contextOf(origin: number): CallContext {
    let context = this.#contexts.get(origin);
    if (context === undefined) {
      const row = this.#sql.context!.get(origin) as ContextRow | undefined;
      context = { ...(row ?? noContext), bot: row?.bot === 1 };
      if (this.#contexts.size === cachedContexts) this.#contexts.clear();
      this.#contexts.set(origin, context);
    }
    return context;
  }
}

/** Id of the first call, calls, time of the commit, columns, trace ids. */
type CommitRow = [number, number, number, Uint8Array, Uint8Array];

type ContextRow = Omit<CallContext, 'bot'> & { bot: number };

const noContext = { serviceVersion: '', consumer: '', agent: '', errorType: '' };

/** Calls of neighbouring commits that were gathered: their ids have no gap. */
interface Segment {
  firstId: number;
  from: number;
  to: number;
  runs: CommitRun[];
}

/** Takes the first `calls` calls out of the runs. */
function takeRuns(runs: CommitRun[], calls: number): CommitRun[] {
  const taken: CommitRun[] = [];
  let left = calls;
  while (left > 0) {
    const run = runs[0]!;
    const part = Math.min(left, run.calls);
    taken.push({ calls: part, committedS: run.committedS });
    left -= part;
    run.calls -= part;
    if (run.calls === 0) runs.shift();
  }
  return taken;
}
