import { existsSync, rmSync, statSync } from 'node:fs';
import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import { renameDurably } from '../sqlite/backup.ts';
import type { Database } from '../sqlite/database.ts';
import { openDatabase } from '../sqlite/open.ts';
import type { CopyProgress } from '../store.ts';
import { decodeCells } from './cells.ts';
import { Compactor, type CompactorOptions } from './compactor.ts';
import { Connection } from './connection.ts';
import { type Change, readChange } from './replica.ts';
import { rowsOf } from './row-binary.ts';
import { type StateTable, stateTables } from './state-table.ts';
import { hasStore } from './tables.ts';

/**
 * Writes a store into a new file of the SQLite engine, piece by piece, into a file beside it that gets its name when it
 * is complete. That file holds how far it is: started again after a crash it goes on from there, unless the store was
 * written to meanwhile; then it begins anew.
 * @returns the bytes of the file
 * @throws AppError `not_found` without a store; `conflict` when the file exists, and when a process wrote the store
 *   meanwhile; `unavailable`
 */
export async function moveOut(
  options: CompactorOptions,
  path: string,
  onProgress: CopyProgress,
): Promise<number> {
  const { url } = options;
  const connection = new Connection(url);
  try {
    if (!(await hasStore(url))) {
      throw new AppError('not_found', `there is no store at ${connection.name}`);
    }
    if (existsSync(path)) throw new AppError('conflict', `${path} exists already`);
    const partial = `${path}.copying`;
    const step = await settled(options);
    const file = new PartialFile(partial, `${connection.name} ${step}`);
    try {
      await file.fill(connection, onProgress);
      if ((await settled(options)) !== step) {
        throw new AppError(
          'conflict',
          `${connection.name} was written to while it was copied: stop its collectors, and copy again`,
        );
      }
      file.finish();
    } finally {
      file.close();
    }
    renameDurably(partial, path);
    return statSync(path).size;
  } finally {
    connection.close();
  }
}

/** Takes all deliveries into the state. @returns the step of which the state is then */
async function settled(options: CompactorOptions): Promise<number> {
  const compactor = new Compactor(options, () => {});
  try {
    return await compactor.settle({ wallS: Date.now() / 1000, uptimeS: performance.now() / 1000 });
  } finally {
    await compactor.close();
  }
}

/** Rows that one query asks for: a copy may take longer than a query. */
const rowsPerQuery = 20_000;

class PartialFile {
  readonly #db: Database;
  readonly #tables: ReadonlyMap<string, StateTable>;
  #reached: { tbl: string; key: string; rows: number };

  /** @param source names the store and its step */
  constructor(path: string, source: string) {
    let db = openDatabase(path, 'write');
    let reached = readReached(db, source);
    if (reached === undefined) {
      db.close();
      removeFile(path);
      db = openDatabase(path, 'write');
      reached = { tbl: '', key: '', rows: 0 };
      db.exec('CREATE TABLE copying (source TEXT, tbl TEXT, key TEXT, rows INTEGER)');
      db.prepare('INSERT INTO copying VALUES (?, ?, ?, ?)').run(source, '', '', 0);
    }
    // Rows come in the order of their tables' names.
    db.pragma('foreign_keys = OFF');
    this.#db = db;
    this.#tables = stateTables(db);
    this.#reached = reached;
  }

  async fill(connection: Connection, onProgress: CopyProgress): Promise<void> {
    const [all] = await connection.rows<{ rows: number }>(
      'SELECT count() AS rows FROM state FINAL',
    );
    const rowsOfAll = Number(all?.rows ?? 0);
    for (let found = rowsPerQuery; found === rowsPerQuery; ) {
      const { tbl, key } = this.#reached;
      const pieces = connection.stream(
        `SELECT '' AS nonce, tbl, key, deleted, row FROM state FINAL WHERE (tbl, key) > ({tbl:String}, unhex({key:String}))
         ORDER BY tbl, key LIMIT ${rowsPerQuery}`,
        { tbl, key },
      );
      found = 0;
      let bytes = 0;
      let rows: Change[] = [];
      for await (const row of rowsOf(pieces, readChange)) {
        found += 1;
        bytes += row.row?.length ?? 0;
        rows.push(row);
        if (bytes < limits.copiedPieceBytes) continue;
        this.#put(rows);
        onProgress(this.#reached.rows, rowsOfAll);
        rows = [];
        bytes = 0;
      }
      if (rows.length > 0) this.#put(rows);
      onProgress(this.#reached.rows, rowsOfAll);
    }
  }

  /** The rows, and how far they are, in one transaction. */
  #put(rows: readonly Change[]): void {
    const last = rows.at(-1)!;
    const reached = {
      tbl: last.table,
      key: last.key.toString('hex'),
      rows: this.#reached.rows + rows.length,
    };
    this.#db.immediately(() => {
      for (const { table, row } of rows) {
        if (row !== undefined) this.#tables.get(table)?.put(decodeCells(row));
      }
      this.#db
        .prepare('UPDATE copying SET tbl = ?, key = ?, rows = ?')
        .run(reached.tbl, reached.key, reached.rows);
    });
    this.#reached = reached;
  }

  /** What is of the log of ClickHouse goes; the file is one file then. */
  finish(): void {
    this.#db.exec("DELETE FROM meta WHERE key = 'delivered'");
    this.#db.exec('DROP TABLE copying');
    this.#db.pragma('journal_mode = DELETE');
  }

  close(): void {
    this.#db.close();
  }
}

/** How far an earlier copy of the same came; undefined without one. */
function readReached(
  db: Database,
  source: string,
): { tbl: string; key: string; rows: number } | undefined {
  const has = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'copying'").get();
  if (has === undefined) return undefined;
  const found = db.prepare('SELECT tbl, key, rows FROM copying WHERE source = ?').get(source);
  return found as { tbl: string; key: string; rows: number } | undefined;
}

function removeFile(path: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm'])
    rmSync(`${path}${suffix}`, { force: true });
}
