import type { CallColumns, Delivery, NewDimensions } from '../../../call.ts';
import type { RetentionPeriods } from '../../../config/retention.ts';
import { AppError } from '../../../error.ts';
import type { WeightColumns } from '../../../weight.ts';
import { type Database, isSqliteError } from '../database.ts';
import { lockStore, openDatabase } from '../open.ts';
import { forgetAddresses } from './address-removal.ts';
import { CallLog } from './call-log.ts';
import { Dimensions } from './dimensions.ts';
import { Purger } from './purger.ts';
import { Rollup } from './rollup.ts';

/** Pending calls are rolled up when the oldest has waited this long: a report's raw tail stays small. */
const rollUpAfterS = 2;

/**
 * The one writer of a store, without a thread: writer-thread.ts runs it. Every public method is a whole
 * transaction that either happened or did not.
 */
export class StoreTransactions {
  readonly #db: Database;
  readonly #lock: Database;
  readonly #words: Dimensions;
  readonly #log: CallLog;
  readonly #rollup: Rollup;
  readonly #purger: Purger;
  #lastCallId: number;
  #pendingSinceS = 0;
  /** A transaction failed: what is in memory may say more than the file. */
  #stale = false;

  /** @param keepsAddresses false: those of earlier times are taken out of the file */
  constructor(path: string, retention: RetentionPeriods, nowS: number, keepsAddresses = true) {
    this.#lock = lockStore(path);
    try {
      this.#db = openDatabase(path, 'write');
      // 16 MiB of WAL between checkpoints: pages that change with every commit are copied once for many.
      this.#db.pragma('wal_autocheckpoint = 4000');
      this.#db.pragma('cache_size = -16384');
      if (!keepsAddresses) forgetAddresses(this.#db);
      this.#words = new Dimensions(this.#db);
      this.#log = new CallLog(this.#db, this.#words, nowS);
      this.#rollup = new Rollup(this.#db, nowS);
      this.#purger = new Purger(this.#db, retention);
      this.#lastCallId = this.#log.lastCallId();
      this.#pendingSinceS = nowS;
      this.#write(() => this.#purger.begin(nowS));
    } catch (error) {
      this.#lock.close();
      throw error;
    }
  }

  /**
   * @returns for each delivery whether it was new, and how many calls went to `{other}`
   * @throws AppError `unavailable`: nothing was written
   */
  append(
    columns: CallColumns,
    weights: WeightColumns | undefined,
    deliveries: readonly Delivery[],
    words: NewDimensions,
    nowS: number,
  ): { stored: boolean[]; otherCalls: number } {
    this.#words.learn(words);
    const { stored, otherCalls, lastCallId } = this.#write(() => {
      const { pending } = this.#rollup;
      if (pending.length === 0) this.#pendingSinceS = nowS;
      const before = pending.length;
      const stored = this.#log.append(
        columns,
        weights,
        deliveries,
        this.#lastCallId,
        nowS,
        pending,
      );
      const otherCalls = this.#words.othersAmong(pending.endpoint, before, pending.length);
      const lastCallId = this.#lastCallId + pending.length - before;
      if (pending.full || nowS - this.#pendingSinceS >= rollUpAfterS) {
        this.#rollup.rollUp(lastCallId, nowS);
      }
      return { stored, otherCalls, lastCallId };
    });
    this.#log.committed(nowS);
    this.#lastCallId = lastCallId;
    return { stored, otherCalls };
  }

  /** Rolls up what waits long enough. */
  rollUpIfDue(nowS: number): void {
    const { pending } = this.#rollup;
    if (pending.length > 0 && nowS - this.#pendingSinceS >= rollUpAfterS) this.rollUp(nowS);
  }

  rollUp(nowS: number): void {
    this.#write(() => this.#rollup.rollUp(this.#lastCallId, nowS));
  }

  /** Settles one shard that is due, or any with `all`. @returns false when there is none */
  settleOne(nowS: number, all = false): boolean {
    const shard = this.#rollup.dueShard(all ? Number.MAX_SAFE_INTEGER : nowS);
    if (shard === undefined) return false;
    this.#write(() => this.#rollup.settle(shard));
    return true;
  }

  beginPurge(nowS: number): void {
    this.#write(() => this.#purger.begin(nowS));
  }

  /** Deletes a little. @returns false when nothing is left to do */
  purgeStep(nowS: number): boolean {
    try {
      return this.#purger.step(nowS);
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Proves that a commit is possible. SQLite writes nothing for a value that stays: this one changes. */
  check(): void {
    this.#write(() => this.#db.exec("UPDATE meta SET value = value + 1 WHERE key = 'checks'"));
  }

  close(): void {
    this.#db.close();
    this.#lock.close();
  }

  #write<T>(work: () => T): T {
    try {
      if (this.#stale) this.#readAgain();
      return this.#db.immediately(work);
    } catch (error) {
      this.#stale = true;
      throw unavailable(error);
    }
  }

  /** After a rollback rows that were made do not exist, and calls wait that were thought rolled up. */
  #readAgain(): void {
    this.#words.forgetRows();
    this.#log.recover(this.#pendingSinceS);
    this.#rollup.recover(this.#pendingSinceS);
    this.#stale = false;
  }
}

/** Errors of the file system and of SQLite (full, read-only, busy, I/O) pass; everything else is ours. */
function unavailable(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const { message, errcode } = error;
  return new AppError('unavailable', `the store cannot write: ${message} (SQLite ${errcode})`, {
    cause: error,
  });
}
