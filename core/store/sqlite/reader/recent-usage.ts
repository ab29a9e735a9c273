import type { Tally } from '../../../usage/tally.ts';
import type { EndpointRecord } from '../../store.ts';
import { lastCallId } from '../calls/call-tables.ts';
import { readCallsAfter } from '../calls/not-rolled-up.ts';
import type { Database } from '../database.ts';
import type { DamagedError } from '../sealed.ts';
import { CallRows } from '../usage/call-rows.ts';
import { addEncodedFacts } from '../usage/encoded-facts.ts';
import { type EndpointFacts, factsOfCalls } from '../usage/endpoint-facts.ts';
import type { OriginNumbers } from '../usage/origin-numbers.ts';
import { sortBy } from '../usage/radix-sort.ts';
import { BlockWriter } from '../usage/usage-block.ts';
import type { BlockWithDetails } from '../usage/usage-entries.ts';
import { isIntact, runName } from '../usage/usage-rows.ts';
import { addUseOfRun, type UseFacts, useOfCalls } from '../usage/use-facts.ts';
import type { KnownEndpoint } from './endpoint-cache.ts';

/** Usage that is committed and not compacted: of the runs, and of raw calls that are not rolled up. Read only. */
export interface RecentUsage {
  /** Usage blocks: one a run, and one of the raw calls. */
  blocks: readonly BlockWithDetails[];
  /** What these calls add to the endpoints' permanent facts, by endpoint row. */
  facts: ReadonlyMap<number, EndpointFacts>;
  use: Readonly<UseFacts>;
  /** Of endpoints that have such usage, all facts together and the record that was made of them. They go when an
   *  endpoint is read anew (endpoint-cache.ts), or with this usage. */
  made: {
    facts: WeakMap<KnownEndpoint, Readonly<EndpointFacts>>;
    records: WeakMap<KnownEndpoint, EndpointRecord>;
  };
}

interface StoredRun extends BlockWithDetails {
  id: number;
  facts: Buffer;
  use: Buffer | null;
  checksum: number | null;
}

/**
 * The same, kept while nothing is committed, rolled up or compacted: pages ask several queries at a moment, and adding
 * up 50,000 calls takes as long as two reports.
 */
export class RecentUsageCache {
  #state = '';
  #usage: RecentUsage | undefined;

  /** @param rolledUpId the last call that is rolled up @param tally an empty one, which is left empty */
  read(
    db: Database,
    rolledUpId: number,
    origins: OriginNumbers,
    tally: Tally,
    onDamage: (damage: DamagedError) => void,
  ): RecentUsage {
    const runs = db.kept('SELECT count(*), ifnull(max(id), 0) FROM usage_run').raw().get();
    const state = `${rolledUpId} ${lastCallId(db)} ${(runs as number[]).join(' ')}`;
    if (this.#usage === undefined || state !== this.#state) {
      this.#usage = readRecentUsage(db, rolledUpId, origins, tally, onDamage);
      this.#state = state;
    }
    return this.#usage;
  }

  forget(): void {
    this.#usage = undefined;
  }
}

/** @param rolledUpId the last call that is rolled up @param tally an empty one, which is left empty */
function readRecentUsage(
  db: Database,
  rolledUpId: number,
  origins: OriginNumbers,
  tally: Tally,
  onDamage: (damage: DamagedError) => void,
): RecentUsage {
  // At most limits.notRolledUpCalls and one batch.
  const notRolledUp = new CallRows(lastCallId(db) - rolledUpId);
  readCallsAfter(db, rolledUpId, notRolledUp, onDamage);
  const order = sortBy(notRolledUp.length, notRolledUp.endpoint, notRolledUp.minute);
  const facts = factsOfCalls(notRolledUp, order, origins);
  const use = useOfCalls(notRolledUp, order, origins);
  const block = new BlockWriter();
  block.begin();
  block.addCalls(notRolledUp, order, tally, origins);
  const runs = db
    .kept('SELECT id, block, details, facts, use, checksum FROM usage_run ORDER BY id')
    .all() as StoredRun[];
  const intact = runs.filter(({ id, checksum, ...run }) => {
    const blobs = [run.block, run.details, run.facts, run.use];
    return isIntact(blobs, checksum, () => runName(id), onDamage);
  });
  for (const run of intact) {
    addEncodedFacts(facts, run.facts);
    addUseOfRun(use, run);
  }
  const made = { facts: new WeakMap(), records: new WeakMap() };
  return { blocks: [...intact, block.finish()], facts, use, made };
}
