import { AppError } from '../../error.ts';
import { type Database, isSqliteError } from './database.ts';
import { StoreFile } from './store-file.ts';

/**
 * Reads and writes of a few rows beside the collector's writer: WAL lets one process write at a time, each
 * waits for the other's transaction. A failure of SQLite becomes AppError `unavailable`.
 */
export class ShortTransactions {
  readonly #db: Database;
  readonly #file: StoreFile;
  /** What is stored, for messages: `keys`. */
  readonly #rows: string;

  constructor(db: Database, rows: string) {
    this.#db = db;
    this.#file = new StoreFile(db.path);
    this.#rows = rows;
  }

  /** One consistent state. */
  read<T>(work: () => T): T {
    return this.attempt('read', () => {
      this.#db.exec('BEGIN');
      try {
        return work();
      } finally {
        if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      }
    });
  }

  /** All of `work` or, when it throws, nothing. */
  write<T>(work: () => T): T {
    return this.attempt('write', () =>
      this.#db.immediately(() => {
        const result = work();
        this.#file.check();
        return result;
      }),
    );
  }

  /** Without a transaction of its own. */
  attempt<T>(verb: 'read' | 'write', work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      const message = `the store cannot ${verb} ${this.#rows}: ${error.message} (${error.code})`;
      throw new AppError('unavailable', message, { cause: error });
    }
  }
}
