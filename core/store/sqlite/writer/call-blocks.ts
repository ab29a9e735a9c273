import type { CallContext } from '../../../call.ts';
import { type CommitRun, encodeBlock, partsPerBlock } from '../calls/call-block.ts';
import { blockCallsMax } from '../calls/coded.ts';
import type { StoredCalls } from '../calls/stored-calls.ts';
import type { Database, Statement } from '../database.ts';

/** Contexts in the cache, 200 bytes each. A full cache is emptied. */
const cachedContexts = 32_768;

/** Calls `from` to `to - 1` of a list, whose ids have no gap. */
export interface CallRun {
  firstId: number;
  from: number;
  to: number;
  /** Their commits, in order. */
  commits: CommitRun[];
}

/** Notes the commit of the next calls of a run. */
export function noteCommit({ commits }: CallRun, calls: number, committedS: number): void {
  const last = commits.at(-1);
  if (last?.committedS === committedS) last.calls += calls;
  else commits.push({ calls, committedS });
}

/** Writes call blocks (calls/call-block.ts). */
export class CallBlocks {
  readonly #contexts = new Map<number, CallContext>();
  readonly #addBlock: Statement;
  readonly #addPart: Statement;
  readonly #context: Statement;

  constructor(db: Database) {
    this.#addBlock = db.prepare('INSERT INTO call_block VALUES (?, ?, ?, ?)');
    this.#addPart = db.prepare('INSERT INTO call_block_part VALUES (?, ?)');
    this.#context = db.prepare(
      `SELECT service_version AS serviceVersion, consumer, agent, bot, error_type AS errorType
       FROM origin WHERE id = ?`,
    );
  }

  /** Writes a run as one block, or as several of about the same size. In the caller's transaction. */
  add(calls: StoredCalls, { firstId, from, to, commits }: CallRun): void {
    const count = to - from;
    const blocks = Math.ceil(count / blockCallsMax);
    const left = commits.map((commit) => ({ ...commit }));
    for (let block = 0; block < blocks; block++) {
      const start = Math.floor((count * block) / blocks);
      const end = Math.floor((count * (block + 1)) / blocks);
      const own = takeCommits(left, end - start);
      this.#write(calls, firstId + start, from + start, from + end, own);
    }
  }

  #write(
    calls: StoredCalls,
    firstId: number,
    from: number,
    to: number,
    commits: readonly CommitRun[],
  ): void {
    const contextOf = (origin: number): CallContext => this.#contextOf(origin);
    const { summary, parts } = encodeBlock({ calls, from, to, commits, contextOf });
    this.#addBlock.run(firstId, to - from, commits.at(-1)!.committedS, summary);
    for (const { part, bytes } of parts) this.#addPart.run(firstId * partsPerBlock + part, bytes);
  }

  #contextOf(origin: number): CallContext {
    let context = this.#contexts.get(origin);
    if (context === undefined) {
      const row = this.#context.get(origin) as ContextRow | undefined;
      context = { ...(row ?? noContext), bot: row?.bot === 1 };
      if (this.#contexts.size === cachedContexts) this.#contexts.clear();
      this.#contexts.set(origin, context);
    }
    return context;
  }
}

type ContextRow = Omit<CallContext, 'bot'> & { bot: number };

const noContext = { serviceVersion: '', consumer: '', agent: '', errorType: '' };

/** Takes the first `calls` calls out of the commits. */
function takeCommits(commits: CommitRun[], calls: number): CommitRun[] {
  const taken: CommitRun[] = [];
  for (let left = calls; left > 0; ) {
    const commit = commits[0]!;
    const part = Math.min(left, commit.calls);
    taken.push({ calls: part, committedS: commit.committedS });
    left -= part;
    commit.calls -= part;
    if (commit.calls === 0) commits.shift();
  }
  return taken;
}
