import type { Database, SqlValue, Statement } from '../sqlite/database.ts';

/** A table of the SQLite schema: its rows by their keys. */
export class StateTable {
  readonly name: string;
  /** The columns of the primary key, or `rowid`: quoted. */
  protected readonly key: readonly string[];
  /** The key's columns as they are named in `written`: what a row's place is. */
  protected readonly written: readonly string[];
  readonly #db: Database;
  readonly #put: Statement;
  readonly #delete: Statement;
  readonly #deleteAll: Statement;

  /** @param isWithoutRowid as the schema says */
  constructor(db: Database, name: string, isWithoutRowid: boolean) {
    this.name = name;
    this.#db = db;
    const columns = columnsOf(db, name);
    const names = columns.map((column) => `"${column.name}"`);
    const primary = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
    const isRowNumber = primary.length === 1 && primary[0]!.type === 'INTEGER' && !isWithoutRowid;
    const isByColumns = isWithoutRowid || isRowNumber;
    this.key = isByColumns ? primary.map((column) => `"${column.name}"`) : ['rowid'];
    this.written = isByColumns ? names : ['rowid', ...names];
    const where = this.key.map((column) => `${column} = ?`).join(' AND ');
    const places = this.written.map(() => '?').join(', ');
    this.#put = db.prepare(
      `INSERT OR REPLACE INTO ${name} (${this.written.join(', ')}) VALUES (${places})`,
    );
    this.#delete = db.prepare(`DELETE FROM ${name} WHERE ${where}`);
    this.#deleteAll = db.prepare(`DELETE FROM ${name}`);
  }

  /** All rows in the order of their keys, or those after a key. */
  *rows(after?: readonly SqlValue[]): Generator<{ key: SqlValue[]; row: SqlValue[] }> {
    const key = this.key.join(', ');
    const where = after ? `WHERE (${key}) > (${this.key.map(() => '?').join(', ')})` : '';
    const all = this.#db
      .prepare(
        `SELECT ${key}, ${this.written.join(', ')} FROM ${this.name} ${where} ORDER BY ${key}`,
      )
      .raw();
    for (const values of all.iterate(...(after ?? [])) as Iterable<SqlValue[]>) {
      yield { key: values.slice(0, this.key.length), row: values.slice(this.key.length) };
    }
  }

  count(): number {
    return this.#db.prepare(`SELECT count(*) FROM ${this.name}`).pluck().get() as number;
  }

  put(row: readonly SqlValue[]): void {
    this.#put.run(...row);
  }

  delete(key: readonly SqlValue[]): void {
    this.#delete.run(...key);
  }

  clear(): void {
    this.#deleteAll.run();
  }
}

interface Column {
  name: string;
  type: string;
  pk: number;
}

function columnsOf(db: Database, table: string): Column[] {
  return db.prepare(`PRAGMA main.table_info("${table}")`).all() as Column[];
}

/** Every table of the schema, each made by `make`. */
export function tablesOf<T>(
  db: Database,
  make: (name: string, isWithoutRowid: boolean) => T,
): Map<string, T> {
  const listed = db.prepare('PRAGMA main.table_list').all() as {
    schema: string;
    name: string;
    type: string;
    wr: number;
  }[];
  const own = listed.filter(
    ({ schema, name, type }) =>
      schema === 'main' && type === 'table' && !name.startsWith('sqlite_'),
  );
  return new Map(own.map(({ name, wr }) => [name, make(name, wr === 1)]));
}

export function stateTables(db: Database): Map<string, StateTable> {
  return tablesOf(db, (name, isWithoutRowid) => new StateTable(db, name, isWithoutRowid));
}
