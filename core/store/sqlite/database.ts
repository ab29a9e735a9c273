import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

/**
 * The SQLite binding, known to this file only: Node's own. It needs no package and no compiler, and binds a row's
 * values in half the time of better-sqlite3 13 (docs/decisions/0002).
 */
export class Database {
  readonly path: string;
  readonly #db: DatabaseSync;

  /** @param timeoutMs how long a statement waits for another process's transaction */
  constructor(path: string, { timeoutMs = 0, readOnly = false } = {}) {
    this.path = path;
    this.#db = new DatabaseSync(path, { timeout: timeoutMs, readOnly });
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  prepare(sql: string): Statement {
    return new Statement(this.#db.prepare(sql));
  }

  /** Reads or sets a pragma. @returns the first value of the first row, if there is one */
  pragma(text: string): unknown {
    return this.prepare(`PRAGMA ${text}`).pluck().get();
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  /** Runs `work` in one write transaction, which is rolled back when it throws. */
  immediately<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.inTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  /**
   * Copies the database as it is at one moment, off the event loop, while other processes write. All pages in one
   * step: a commit between two steps would restart the copy.
   */
  async copyTo(path: string): Promise<void> {
    await backup(this.#db, path, { rate: 2 ** 31 - 1 });
  }

  close(): void {
    this.#db.close();
  }
}

/** A prepared statement. Its rows are objects; arrays after `raw`; only the first values after `pluck`. */
export class Statement {
  readonly #statement: StatementSync;
  #plucks = false;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  pluck(): this {
    this.#plucks = true;
    return this.raw();
  }

  raw(): this {
    this.#statement.setReturnArrays(true);
    return this;
  }

  get(...values: SQLInputValue[]): unknown {
    const row = this.#statement.get(...values) as unknown;
    return this.#plucks ? (row as unknown[] | undefined)?.[0] : row;
  }

  all(...values: SQLInputValue[]): unknown[] {
    const rows = this.#statement.all(...values) as unknown[];
    return this.#plucks ? (rows as unknown[][]).map((row) => row[0]) : rows;
  }

  iterate(...values: SQLInputValue[]): Iterable<unknown> {
    return this.#statement.iterate(...values) as Iterable<unknown>;
  }

  /** @returns the row id of the last row that was inserted */
  run(...values: SQLInputValue[]): number {
    return Number(this.#statement.run(...values).lastInsertRowid);
  }
}

/** Whether an error is of SQLite or its file system. Any other error is a mistake of ours. */
export function isSqliteError(error: unknown): error is Error & { errcode: number } {
  return (error as { code?: string } | undefined)?.code === 'ERR_SQLITE_ERROR';
}

/** SQLITE_BUSY and its extended codes: another process holds a lock. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === 5;
}
