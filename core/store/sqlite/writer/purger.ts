import type { RetentionPeriods } from '../../../config/retention.ts';
import { limits } from '../../../limits.ts';
import type { Database, Statement } from '../database.ts';
import { coarsestMinutes, levels } from '../usage/levels.ts';

/** What one step deletes at the most: a few milliseconds of work, so that commits never wait for it. */
const callsPerStep = 5_000;
const blocksPerStep = 50;
const deliveriesPerStep = 5_000;
const pagesPerStep = 256;
/** Free pages kept in the file for what is written next: giving back and taking again costs twice. */
const freePagesKept = 2_048;

/**
 * Deletes what is older than the retention, a little at a time. Raw calls go by the time of their commit
 * (late spans stay as long as others), usage by its own time; records of endpoints never go.
 */
export class Purger {
  readonly #db: Database;
  readonly #settings: RetentionPeriods;
  readonly #sql: Record<string, Statement>;

  constructor(db: Database, settings: RetentionPeriods) {
    this.#db = db;
    this.#settings = settings;
    this.#sql = {
      oldestCommit: db.prepare(
        'SELECT first_call_id AS first, calls, committed_s AS committedS FROM call_commit ORDER BY first_call_id LIMIT 1',
      ),
      rolledUp: db.prepare("SELECT value FROM meta WHERE key = 'rolled_up_call'").pluck(),
      deleteCalls: db.prepare('DELETE FROM call WHERE id BETWEEN ? AND ?'),
      deleteWeights: db.prepare('DELETE FROM call_weight WHERE call_id BETWEEN ? AND ?'),
      deleteCommit: db.prepare('DELETE FROM call_commit WHERE first_call_id = ?'),
      getMeta: db.prepare('SELECT value FROM meta WHERE key = ?').pluck(),
      setMeta: db.prepare('UPDATE meta SET value = ? WHERE key = ?'),
      oldBlocks: db.prepare(
        'SELECT minute, shard FROM usage_block WHERE level = ? AND minute < ? LIMIT ?',
      ),
      deleteBlock: db.prepare(
        'DELETE FROM usage_block WHERE level = ? AND minute = ? AND shard = ?',
      ),
      changed: db.prepare('UPDATE usage_shard SET version = version + 1'),
      oldestDelivery: db.prepare(
        'SELECT id, received_s AS receivedS FROM delivery ORDER BY id LIMIT 1',
      ),
      deleteDeliveries: db.prepare('DELETE FROM delivery WHERE id < ? AND received_s <= ?'),
    };
  }

  /** Before the first step of a round: names what no longer counts, so that no report relies on it. */
  begin(nowS: number): void {
    const { minutesS, hoursS, daysS } = this.#settings;
    // Whole days (64 for days): a bucket of a coarser level is never torn.
    this.#raise('minutes_from', (nowS - minutesS) / 60, 1440);
    this.#raise('hours_from', (nowS - hoursS) / 60, 1440);
    this.#raise('days_from', (nowS - daysS) / 60, coarsestMinutes);
  }

  /** Deletes a little in one transaction. @returns false when nothing is left to do */
  step(nowS: number): boolean {
    const work = () => this.#calls(nowS) || this.#blocks() || this.#deliveries(nowS);
    return this.#db.immediately(work) || this.#giveBack();
  }

  #calls(nowS: number): boolean {
    const before = nowS - this.#settings.callsS;
    let left = callsPerStep;
    while (left > 0) {
      const oldest = this.#sql.oldestCommit!.get() as
        | { first: number; calls: number; committedS: number }
        | undefined;
      if (!oldest || oldest.committedS > before) break;
      const last = oldest.first + oldest.calls - 1;
      if (last > (this.#sql.rolledUp!.get() as number)) break;
      // A large commit is deleted whole: its trace ids belong to it.
      this.#sql.deleteCalls!.run(oldest.first, last);
      this.#sql.deleteWeights!.run(oldest.first, last);
      this.#sql.deleteCommit!.run(oldest.first);
      left -= oldest.calls;
    }
    return left < callsPerStep;
  }

  #blocks(): boolean {
    for (const [level, { detail }] of levels.entries()) {
      const from = this.#sql.getMeta!.get(`${detail}s_from`) as number;
      const old = this.#sql.oldBlocks!.all(level, from, blocksPerStep) as {
        minute: number;
        shard: number;
      }[];
      for (const { minute, shard } of old) this.#sql.deleteBlock!.run(level, minute, shard);
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

  #raise(key: string, minute: number, unitMinutes: number): void {
    const value = Math.floor(minute / unitMinutes) * unitMinutes;
    if (value > (this.#sql.getMeta!.get(key) as number)) this.#sql.setMeta!.run(value, key);
  }
}
