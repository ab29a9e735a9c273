import type { Tally } from '../../../usage/tally.ts';
import type { Database } from '../database.ts';
import { addEncodedFacts, type EndpointFacts, factsOfCalls } from '../usage/endpoint-facts.ts';
import { PendingCalls, readTail } from '../usage/pending-calls.ts';
import { sortBy } from '../usage/radix-sort.ts';
import { BlockWriter } from '../usage/usage-block.ts';

/** What is committed and not settled into levels yet: runs, and the raw calls that are in no run. */
export interface RecentUsage {
  /** One usage block each. */
  blocks: readonly Uint8Array[];
  /** What these add to the endpoints' records, by endpoint. */
  facts: ReadonlyMap<number, EndpointFacts>;
}

/** @param rolledUpId the last call that is in a run @param tally an empty one, which is left empty */
export function readUnsettled(db: Database, rolledUpId: number, tally: Tally): RecentUsage {
  const lastId = db.prepare('SELECT ifnull(max(id), 0) FROM call').pluck().get() as number;
  // At most limits.unrolledCalls and a batch.
  const calls = new PendingCalls(Math.max(0, lastId - rolledUpId));
  readTail(db, rolledUpId, calls);
  const order = sortBy(calls.length, calls.endpoint, calls.minute);
  const facts = factsOfCalls(calls, order);
  const tail = new BlockWriter();
  tail.begin();
  tail.addCalls(calls, order, tally);
  const runs = db.prepare('SELECT block, facts FROM usage_run ORDER BY id').all() as {
    block: Buffer;
    facts: Buffer;
  }[];
  for (const run of runs) addEncodedFacts(facts, run.facts);
  return { blocks: [...runs.map(({ block }) => block), tail.finish()], facts };
}
