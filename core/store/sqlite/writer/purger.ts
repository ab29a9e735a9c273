import type { RetentionPeriods } from '../../../config/retention.ts';
import { limits } from '../../../limits.ts';
import { decodeCommits } from '../calls/block-parts.ts';
import { parts, partsPerBlock } from '../calls/call-block.ts';
import { blockName } from '../calls/call-tables.ts';
import type { Database, Statement } from '../database.ts';
import { DamagedError } from '../sealed.ts';
import { coarsestMinutes, isFinest, levels, minutesPerDay } from '../usage/levels.ts';
import type { UnusedDimensions } from './unused-dimensions.ts';

/** Bounds of one step: a few milliseconds of work, so that commits hardly wait for it. */
const callsPerStep = 5_000;
const commitsPerStep = 200;
const blocksPerStep = 50;
const deliveriesPerStep = 5_000;
const pagesPerStep = 256;
/** Free pages that stay in the file for the next writes: to release them and grow again would cost twice. */
const freePagesKept = 2_048;

/**
 * Deletes rows older than their retention, in small transactions. A raw call's age counts from its commit, so that
 * late spans stay as long as others; the age of usage counts from the time of its calls. Endpoint records are
 * permanent.
 */
export class Purger {
  readonly #db: Database;
  readonly #periods: RetentionPeriods;
  readonly #unused: UnusedDimensions;
  readonly #sql: Record<string, Statement>;

  constructor(db: Database, periods: RetentionPeriods, unused: UnusedDimensions) {
    this.#db = db;
    this.#unused = unused;
    this.#periods = periods;
    this.#sql = {
      keptBlock: db.prepare(
        'SELECT first_call_id AS firstId, calls FROM call_block WHERE committed_s > ? ORDER BY first_call_id LIMIT 1',
      ),
      keptCommit: db
        .prepare(
          'SELECT first_call_id FROM commit_calls WHERE committed_s > ? ORDER BY first_call_id LIMIT 1',
        )
        .pluck(),
      commitsPart: db.prepare('SELECT bytes FROM call_block_part WHERE id = ?').pluck(),
      oldBlock: db
        .prepare(
          'SELECT first_call_id FROM call_block WHERE committed_s <= ? ORDER BY first_call_id LIMIT 1',
        )
        .pluck(),
      deleteCallBlock: db.prepare('DELETE FROM call_block WHERE first_call_id = ?'),
      deleteParts: db.prepare('DELETE FROM call_block_part WHERE id BETWEEN ? AND ?'),
      oldCommits: db.prepare(
        `SELECT first_call_id AS firstId, calls FROM commit_calls
         WHERE committed_s <= ? AND first_call_id <= (SELECT value FROM meta WHERE key = 'rolled_up_call')
         ORDER BY first_call_id LIMIT ?`,
      ),
      deleteCommitCalls: db.prepare('DELETE FROM commit_calls WHERE first_call_id = ?'),
      oldestCommit: db.prepare(
        'SELECT first_call_id AS first, calls, committed_s AS committedS FROM call_commit ORDER BY first_call_id LIMIT 1',
      ),
      rolledUp: db.prepare("SELECT value FROM meta WHERE key = 'rolled_up_call'").pluck(),
      deleteCalls: db.prepare('DELETE FROM call WHERE id BETWEEN ? AND ?'),
      deleteWeights: db.prepare('DELETE FROM call_weight WHERE call_id BETWEEN ? AND ?'),
      deleteCommit: db.prepare('DELETE FROM call_commit WHERE first_call_id = ?'),
      getMeta: db.prepare('SELECT value FROM meta WHERE key = ?').pluck(),
      setMeta: db.prepare('UPDATE meta SET value = ? WHERE key = ?'),
      raiseMeta: db.prepare('UPDATE meta SET value = max(value, ?) WHERE key = ?'),
      oldBlocks: db.prepare(
        'SELECT minute, shard FROM usage_block WHERE level_minutes = ? AND minute < ? LIMIT ?',
      ),
      deleteBlock: db.prepare(
        'DELETE FROM usage_block WHERE level_minutes = ? AND minute = ? AND shard = ?',
      ),
      changed: db.prepare('UPDATE usage_shard SET version = version + 1'),
      oldestDelivery: db.prepare(
        'SELECT id, received_s AS receivedS FROM delivery ORDER BY id LIMIT 1',
      ),
      deleteDeliveries: db.prepare('DELETE FROM delivery WHERE id < ? AND received_s <= ?'),
    };
  }

  /**
   * Before the first step of a round: sets the marks from which usage is kept, so that no report reads buckets that
   * are about to be deleted. They lie at edges of a coarser bucket (a day; 64 days for days), so that no bucket is
   * deleted in part. After a clock that was ahead was set back, marks come down, to where usage may be missing.
   */
  begin(nowS: number): void {
    const { minutesS, hoursS, daysS } = this.#periods;
    this.#setMark('minutes', nowS - minutesS, minutesPerDay);
    this.#setMark('hours', nowS - hoursS, minutesPerDay);
    this.#setMark('days', nowS - daysS, coarsestMinutes);
    this.#sql.setMeta!.run(this.#keptFrom(nowS), 'calls_from');
  }

  /** Deletes a bounded number of rows in one transaction. @returns false when nothing is left to do */
  step(nowS: number): boolean {
    const work = () =>
      this.#callRows(nowS) ||
      this.#calls(nowS) ||
      this.#blocks() ||
      this.#deliveries(nowS) ||
      this.#unused.step(nowS);
    return this.#db.immediately(work) || this.#giveBack();
  }

  /** Blocks one by one, then commits that are in no block. A block goes when its last commit is old enough; until then
   *  searches leave out its older calls (`calls_from`). */
  #calls(nowS: number): boolean {
    const before = nowS - this.#periods.callsS;
    const block = this.#sql.oldBlock!.get(before) as number | undefined;
    if (block !== undefined) {
      this.#sql.deleteCallBlock!.run(block);
      this.#sql.deleteParts!.run(block * partsPerBlock, (block + 1) * partsPerBlock - 1);
      return true;
    }
    const commits = this.#sql.oldCommits!.all(before, commitsPerStep) as { firstId: number }[];
    for (const { firstId } of commits) this.#sql.deleteCommitCalls!.run(firstId);
    return commits.length > 0;
  }

  /** The first call that is kept; 0 when none is old enough. */
  #keptFrom(nowS: number): number {
    const before = nowS - this.#periods.callsS;
    const block = this.#sql.keptBlock!.get(before) as { firstId: number } | undefined;
    if (block === undefined) return (this.#sql.keptCommit!.get(before) as number | undefined) ?? 0;
    let { firstId } = block;
    const bytes = this.#sql.commitsPart!.get(firstId * partsPerBlock + parts.commits);
    try {
      const runs = decodeCommits((bytes ?? new Uint8Array()) as Uint8Array, blockName(firstId));
      for (const { calls, committedS } of runs) {
        if (committedS > before) break;
        firstId += calls;
      }
    } catch (error) {
      // Searches that read the block report it.
      if (!(error instanceof DamagedError)) throw error;
    }
    return firstId;
  }

  /** Rows of release 0.1.0. */
  #callRows(nowS: number): boolean {
    const before = nowS - this.#periods.callsS;
    let left = callsPerStep;
    while (left > 0) {
      const oldest = this.#sql.oldestCommit!.get() as
        | { first: number; calls: number; committedS: number }
        | undefined;
      if (!oldest || oldest.committedS > before) break;
      const last = oldest.first + oldest.calls - 1;
      if (last > (this.#sql.rolledUp!.get() as number)) break;
      // A large commit is deleted as a whole: one row holds its trace ids.
      this.#sql.deleteCalls!.run(oldest.first, last);
      this.#sql.deleteWeights!.run(oldest.first, last);
      this.#sql.deleteCommit!.run(oldest.first);
      left -= oldest.calls;
    }
    return left < callsPerStep;
  }

  #blocks(): boolean {
    for (const { minutes, detail } of levels) {
      const from = this.#sql.getMeta!.get(`${detail}s_from`) as number;
      const old = this.#sql.oldBlocks!.all(minutes, from, blocksPerStep) as {
        minute: number;
        shard: number;
      }[];
      for (const { minute, shard } of old) {
        this.#sql.deleteBlock!.run(minutes, minute, shard);
        // Coarser blocks of the same detail are deleted after the finest ones.
        if (isFinest(minutes)) this.#sql.raiseMeta!.run(minute + minutes, `${detail}s_purged`);
      }
      if (old.length > 0) {
        this.#sql.changed!.run();
        return true;
      }
    }
    return false;
  }

  #deliveries(nowS: number): boolean {
    const before = nowS - limits.deliveryMemoryS;
    const oldest = this.#sql.oldestDelivery!.get() as { id: number; receivedS: number } | undefined;
    if (oldest === undefined || oldest.receivedS > before) return false;
    this.#sql.deleteDeliveries!.run(oldest.id + deliveriesPerStep, before);
    return true;
  }

  #giveBack(): boolean {
    const free = this.#db.pragma('freelist_count') as number;
    if (free <= freePagesKept) return false;
    this.#db.exec(`PRAGMA incremental_vacuum(${pagesPerStep})`);
    return (this.#db.pragma('freelist_count') as number) < free;
  }

  #setMark(detail: 'minutes' | 'hours' | 'days', fromS: number, unit: number): void {
    const get = (key: string): number => this.#sql.getMeta!.get(key) as number;
    const wanted = Math.floor(fromS / 60 / unit) * unit;
    const possible = Math.ceil(get(`${detail}_purged`) / minutesPerDay) * minutesPerDay;
    const mark = Math.max(wanted, possible);
    if (mark !== get(`${detail}_from`)) this.#sql.setMeta!.run(mark, `${detail}_from`);
  }
}
