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
import { type BlockWithDetails, UsageEntries } from '../usage/usage-entries.ts';
import { isIntact, runName } from '../usage/usage-rows.ts';
import { addUseOfRun, type UseFacts, useOfCalls } from '../usage/use-facts.ts';
import type { KnownEndpoint } from './endpoint-cache.ts';
import { type MergedUsage, mergedByShard } from './merged-usage.ts';

/** Usage that is committed and not compacted: of the runs, and of raw calls that are not rolled up. Read only. */
export interface RecentUsage {
  /** Usage blocks: one a run, and one of the raw calls. */
  blocks: readonly BlockWithDetails[];
  /** What these calls add to the endpoints' permanent facts, by endpoint row. */
  facts: ReadonlyMap<number, EndpointFacts>;
  use: Readonly<UseFacts>;
  /** The blocks' usage in all, for windows that hold all of it. */
  whole: WholeRecentUsage;
  /** Of endpoints that have such usage, all facts together and the record that was made of them. They go when an
   *  endpoint is read anew (endpoint-cache.ts), or with this usage. */
  made: {
    facts: WeakMap<KnownEndpoint, Readonly<EndpointFacts>>;
    records: WeakMap<KnownEndpoint, EndpointRecord>;
  };
}

/** Usage blocks merged over all their minutes: 50,000 calls are added up once, however many reports follow. */
class WholeRecentUsage {
  readonly #blocks: readonly BlockWithDetails[];
  #minutes: { first: number; last: number } | undefined;
  #merged: ReadonlyMap<number, MergedUsage> | undefined;

  constructor(blocks: readonly BlockWithDetails[]) {
    this.#blocks = blocks;
  }

  /**
   * @param tally an empty one, which is left empty
   * @returns by shard; undefined when some of the usage lies outside the minutes [from, to)
   */
  within(from: number, to: number, tally: Tally): ReadonlyMap<number, MergedUsage> | undefined {
    const entries = this.#minutes === undefined ? this.#entries() : undefined;
    this.#minutes ??= minutesOf(entries!);
    if (this.#minutes.first < from || this.#minutes.last >= to) return undefined;
    this.#merged ??= mergedByShard(entries ?? this.#entries(), tally);
    return this.#merged;
  }

  #entries(): UsageEntries {
    const entries = new UsageEntries();
    for (const { block } of this.#blocks) entries.addBlock(block);
    return entries;
  }
}

function minutesOf({ minute, length }: UsageEntries): { first: number; last: number } {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < length; i++) {
    first = Math.min(first, minute[i]!);
    last = Math.max(last, minute[i]!);
  }
  return { first, last };
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
  const blocks = [...intact, block.finish()];
  return { blocks, facts, use, whole: new WholeRecentUsage(blocks), made };
}
