import type { Database, SqlValue, Statement } from '../sqlite/database.ts';
import { StateTable, tablesOf } from './state-table.ts';

/**
 * A table whose changes are noted: triggers write the key of every row that is inserted, changed or deleted into a
 * temporary table, in the same transaction.
 */
export class MirroredTable extends StateTable {
  readonly #changed: Statement;
  readonly #clear: Statement;
  readonly #read: Statement;

  constructor(db: Database, name: string, isWithoutRowid: boolean) {
    super(db, name, isWithoutRowid);
    const { key } = this;
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
    this.#changed = db.prepare(`SELECT * FROM ${changed}`).raw();
    this.#clear = db.prepare(`DELETE FROM ${changed}`);
    this.#read = db.prepare(`SELECT ${this.written.join(', ')} FROM ${name} WHERE ${where}`).raw();
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
}

export function mirroredTables(db: Database): Map<string, MirroredTable> {
  return tablesOf(db, (name, isWithoutRowid) => new MirroredTable(db, name, isWithoutRowid));
}
