import type { Database, SqlValue, Statement } from '../sqlite/database.ts';

/**
 * A table of the SQLite schema whose changes are noted: triggers write the key of every row that is inserted, changed or
 * deleted into a temporary table, in the same transaction.
 */
export class MirroredTable {
  readonly name: string;
  readonly #changed: Statement;
  readonly #clear: Statement;
  readonly #read: Statement;
  readonly #put: Statement;
  readonly #delete: Statement;
  readonly #all: Statement;
  readonly #deleteAll: Statement;
  /** How many values are the key, before those of the columns. */
  readonly #keyLength: number;

  /** @param isWithoutRowid as the schema says */
  constructor(db: Database, name: string, isWithoutRowid: boolean) {
    this.name = name;
    const columns = columnsOf(db, name);
    const names = columns.map((column) => `"${column.name}"`);
    const primary = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
    const isRowNumber = primary.length === 1 && primary[0]!.type === 'INTEGER' && !isWithoutRowid;
    const isByColumns = isWithoutRowid || isRowNumber;
    const key = isByColumns ? primary.map((column) => `"${column.name}"`) : ['rowid'];
    this.#keyLength = key.length;
    const changed = `changed_${name}`;
    const keyNames = key.map((_, i) => `k${i}`);
    db.exec(
      `CREATE TEMP TABLE ${changed} (${keyNames.join(', ')}, PRIMARY KEY (${keyNames.join(', ')})) WITHOUT ROWID`,
    );
    // INSERT OR IGNORE would not do: a trigger takes the conflict clause of the statement that fires it.
    const note = (row: 'NEW' | 'OLD'): string => {
      const values = key.map((column) => `${row}.${column}`);
      const same = keyNames.map((name, i) => `${name} = ${values[i]}`).join(' AND ');
      return `INSERT INTO ${changed} SELECT ${values.join(', ')} WHERE NOT EXISTS (SELECT 1 FROM ${changed} WHERE ${same});`;
    };
    db.exec(`
      CREATE TEMP TRIGGER insert_${name} AFTER INSERT ON main.${name} BEGIN ${note('NEW')} END;
      CREATE TEMP TRIGGER update_${name} AFTER UPDATE ON main.${name} BEGIN ${note('OLD')} ${note('NEW')} END;
      CREATE TEMP TRIGGER delete_${name} AFTER DELETE ON main.${name} BEGIN ${note('OLD')} END;
    `);
    const where = key.map((column) => `${column} = ?`).join(' AND ');
    const written = isByColumns ? names : ['rowid', ...names];
    const places = written.map(() => '?').join(', ');
    this.#changed = db.prepare(`SELECT * FROM ${changed}`).raw();
    this.#clear = db.prepare(`DELETE FROM ${changed}`);
    this.#read = db.prepare(`SELECT ${written.join(', ')} FROM ${name} WHERE ${where}`).raw();
    this.#put = db.prepare(
      `INSERT OR REPLACE INTO ${name} (${written.join(', ')}) VALUES (${places})`,
    );
    this.#delete = db.prepare(`DELETE FROM ${name} WHERE ${where}`);
    this.#all = db.prepare(`SELECT ${key.join(', ')}, ${written.join(', ')} FROM ${name}`).raw();
    this.#deleteAll = db.prepare(`DELETE FROM ${name}`);
  }

  /** Keys of the rows that were changed since `forgetChanges`, each with the row as it is; undefined when it is deleted. */
  *changes(): Generator<{ key: SqlValue[]; row: SqlValue[] | undefined }> {
    for (const key of this.#changed.all() as SqlValue[][]) {
      yield { key, row: this.#read.get(...key) as SqlValue[] | undefined };
    }
  }

  forgetChanges(): void {
    this.#clear.run();
  }

  *rows(): Generator<{ key: SqlValue[]; row: SqlValue[] }> {
    for (const values of this.#all.iterate() as Iterable<SqlValue[]>) {
      yield { key: values.slice(0, this.#keyLength), row: values.slice(this.#keyLength) };
    }
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

/** Every table of the schema. */
export function mirroredTables(db: Database): Map<string, MirroredTable> {
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
  return new Map(own.map(({ name, wr }) => [name, new MirroredTable(db, name, wr === 1)]));
}
