import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import { type Database, isBusy, isSqliteError } from './database.ts';
import { openDatabase } from './open.ts';
import { StoreFile } from './store-file.ts';

/** SQLite blocks the calling thread while it waits for a lock: only this long, since that thread answers requests. */
const lockTimeoutMs = 20;
const retryMs = 25;

/** Transactions of a few rows, on tables that several processes share. */
export interface RowTransactions {
  /** One consistent state. */
  read<T>(work: () => T): Promise<T>;
  /**
   * All of `work` or, when it throws, nothing. `work` may run several times.
   * @param waitMs until it is given up
   */
  write<T>(work: () => T, waitMs?: number): Promise<T>;
  /** One statement that reads, cheaply. */
  glance<T>(work: () => T): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens a store of records in the store's file.
 * @param path of the file, made where absent, with its folder
 * @param rows what is stored, for messages: `keys`
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export async function openRecords<T>(
  path: string,
  Records: new (db: Database, transactions: RowTransactions) => T,
  rows: string,
): Promise<T> {
  const db = openDatabase(path, 'write');
  return new Records(db, new ShortTransactions(db, rows));
}

/**
 * Reads and writes of a few rows beside the collector's writer: WAL lets one process write at a time, each
 * waits for the other's transaction, without blocking this thread. A failure of SQLite becomes AppError
 * `unavailable`.
 */
export class ShortTransactions implements RowTransactions {
  readonly #db: Database;
  readonly #file: StoreFile;
  /** What is stored, for messages: `keys`. */
  readonly #rows: string;

  /** @param db used for nothing else; `close` closes it */
  constructor(db: Database, rows: string) {
    this.#db = db;
    this.#file = new StoreFile(db.path);
    this.#rows = rows;
    db.pragma(`busy_timeout = ${lockTimeoutMs}`);
  }

  read<T>(work: () => T): Promise<T> {
    return this.#whenFree('read', limits.lockWaitMs, () => {
      this.#db.exec('BEGIN');
      try {
        return work();
      } finally {
        if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      }
    });
  }

  /** `work` runs again while another process writes. */
  write<T>(work: () => T, waitMs: number = limits.lockWaitMs): Promise<T> {
    return this.#whenFree('write', waitMs, () =>
      this.#db.immediately(() => {
        const result = work();
        this.#file.check();
        return result;
      }),
    );
  }

  /** Without a transaction of its own, at once or not at all. */
  async glance<T>(work: () => T): Promise<T> {
    return this.#attempt('read', work);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #attempt<T>(verb: 'read' | 'write', work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      const message = `the store cannot ${verb} ${this.#rows}: ${error.message} (${error.code})`;
      throw new AppError('unavailable', message, { cause: error });
    }
  }

  async #whenFree<T>(verb: 'read' | 'write', waitMs: number, work: () => T): Promise<T> {
    const untilMs = performance.now() + waitMs;
    for (;;) {
      try {
        return this.#attempt(verb, work);
      } catch (error) {
        const isLocked = error instanceof AppError && isBusy(error.cause);
        if (!isLocked || performance.now() >= untilMs) throw error;
      }
      await pause(retryMs);
    }
  }
}
