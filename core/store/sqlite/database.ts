import { chmodSync, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import SqliteDatabase from 'better-sqlite3';

/** A value that SQLite stores. Numbers beyond 2^53 are rounded when they are read. */
export type SqlValue = string | number | bigint | Uint8Array | null;

/** The SQLite binding, better-sqlite3, is known to this file only (docs/decisions/0002). */
export class Database {
  readonly path: string;
  readonly #db: SqliteDatabase.Database;
  readonly #kept = new Map<string, Statement>();

  /**
   * @param timeoutMs how long a statement waits for another process's transaction
   * @param exactIntegers every integer is read as a bigint
   */
  constructor(path: string, { timeoutMs = 0, readOnly = false, exactIntegers = false } = {}) {
    this.path = path;
    // An absolute path is a file: the binding reads an empty name as a database in memory.
    const file = path === ':memory:' ? path : resolve(path);
    const isNew = !readOnly && path !== ':memory:' && !existsSync(file);
    this.#db = new SqliteDatabase(file, { timeout: timeoutMs, readonly: readOnly });
    // Empty so far. Its write-ahead log and the log's index get the same mode.
    if (isNew) chmodSync(file, 0o600);
    if (exactIntegers) this.#db.defaultSafeIntegers();
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** Compiles one statement. Its parameters are written `?`; the binding takes `?1` for a name. */
  prepare(sql: string): Statement {
    return new Statement(this.#db.prepare(sql));
  }

  /** The same statement at each call: compiling one takes 0.05 ms. One place uses it, with one way to return rows. */
  kept(sql: string): Statement {
    let statement = this.#kept.get(sql);
    if (statement === undefined) {
      statement = this.prepare(sql);
      this.#kept.set(sql, statement);
    }
    return statement;
  }

  /** Reads or sets a pragma. @returns the first value of the first row, if there is one */
  pragma(text: string): unknown {
    return this.#db.pragma(text, { simple: true });
  }

  /**
   * Defines a kind of virtual table without parameters.
   * @param rows makes the rows anew for each scan; it may not use this connection
   */
  defineTable(kind: string, columns: string[], rows: () => Generator<SqlValue[]>): void {
    // The binding insists on a generator function.
    const generate = function* () {
      yield* rows();
    };
    const define = () => ({ columns, parameters: [], rows: generate });
    // The types know only of tables that need no CREATE VIRTUAL TABLE.
    this.#db.table(kind, define as never);
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  /**
   * Runs `work` in one write transaction, which is rolled back when it throws; in the transaction that is open, if there
   * is one: its beginner commits it or rolls it back.
   */
  immediately<T>(work: () => T): T {
    if (this.inTransaction) return work();
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
   * Copies the database as it is at one moment, while other processes write. The copy is one step, since a commit
   * between two steps would restart it: this thread is blocked for as long.
   */
  async copyTo(path: string): Promise<void> {
    // A first step of no pages is the binding's own; the answer to its progress is the size of the next one.
    await this.#db.backup(path, { progress: () => 2 ** 31 - 1 });
  }

  close(): void {
    this.#db.close();
  }
}

/** A prepared statement. Its rows are objects; arrays after `raw`; only the first values after `pluck`. */
export class Statement {
  readonly #statement: SqliteDatabase.Statement;

  constructor(statement: SqliteDatabase.Statement) {
    this.#statement = statement;
  }

  /** It returns rows, and writes nothing to the database itself. */
  get onlyReads(): boolean {
    return this.#statement.reader && this.#statement.readonly;
  }

  get columns(): string[] {
    return this.#statement.columns().map(({ name }) => name);
  }

  pluck(): this {
    this.#statement.pluck();
    return this;
  }

  raw(): this {
    this.#statement.raw();
    return this;
  }

  get(...values: SqlValue[]): unknown {
    return this.#statement.get(...values);
  }

  all(...values: SqlValue[]): unknown[] {
    return this.#statement.all(...values);
  }

  /** The connection takes no other statement that writes until the iteration has ended. */
  iterate(...values: SqlValue[]): Iterable<unknown> {
    return this.#statement.iterate(...values);
  }

  /** @returns the row id of the last row that was inserted */
  run(...values: SqlValue[]): number {
    return Number(this.#statement.run(...values).lastInsertRowid);
  }
}

/**
 * Whether an error is of SQLite or its file system. Its `code` is the name of SQLite's extended result code, such as
 * `SQLITE_IOERR_WRITE`. Any other error is a mistake of ours.
 */
export function isSqliteError(error: unknown): error is Error & { code: string } {
  return error instanceof SqliteDatabase.SqliteError;
}

/** SQLITE_BUSY and its extended codes: another process holds a lock. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && /^SQLITE_BUSY(_|$)/.test(error.code);
}
