import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import { Database, type SqlValue } from '../sqlite/database.ts';
import { schemaVersion } from '../sqlite/schema.ts';
import { WriterLock } from '../sqlite/writer-lock.ts';
import type { CopyProgress } from '../store.ts';
import { decodeCells, encodeCells } from './cells.ts';
import { Connection } from './connection.ts';
import { DeliveryLog } from './delivery-log.ts';
import { RowBinaryWriter } from './row-binary.ts';
import { type StateTable, stateTables } from './state-table.ts';
import { makeTablesToFill } from './tables.ts';

/**
 * Makes a file of the SQLite engine the beginning of a new store. The rows go to the state piece by piece, and after
 * each piece how far they are: started again after a crash it goes on from there, unless the file was written to
 * meanwhile; then it begins anew. Until the end every other process refuses the store. Step 1, which is the last thing
 * that is written, commits the whole.
 * @throws AppError `not_found` without the file; `conflict` for one of another schema, while a collector writes it, and
 *   when the store is not empty; `unavailable`
 */
export async function moveIn(path: string, url: string, onProgress: CopyProgress): Promise<void> {
  if (!existsSync(path)) throw new AppError('not_found', `there is no store at ${path}`);
  // No collector writes the file meanwhile; inventories and the like are read as they are at one moment.
  const lock = new WriterLock(path);
  const connection = new Connection(url);
  const source = new Database(path, { readOnly: true, timeoutMs: 10_000 });
  try {
    refuseOtherSchema(source, path);
    source.exec('BEGIN');
    await new MoveIn(connection, source, onProgress).run();
  } finally {
    source.close();
    connection.close();
    lock.close();
  }
}

/** Tables that only a collector writes: when the others are as they were, these are too (a collector that starts writes
 *  its number into `meta`). */
const tablesOfCollector: ReadonlySet<string> = new Set([
  ...['call', 'call_weight', 'call_commit', 'commit_calls', 'call_block', 'call_block_part'],
  ...['usage_run', 'usage_block', 'usage_shard', 'delivery', 'delivery_even', 'delivery_odd'],
]);

/** Rows of `meta` that say who writes a SQLite file, and how much of a ClickHouse log it holds. */
const metaOfFile: ReadonlySet<SqlValue> = new Set([
  ...['writer', 'writer_lock', 'writer_challenge', 'delivered'],
]);

const stateColumns = ['tbl', 'key', 'n', 'deleted', 'row'] as const;
/** Of all rows that are copied. */
const firstStep = 1;

class MoveIn {
  readonly #connection: Connection;
  readonly #tables: ReadonlyMap<string, StateTable>;
  /** Identifies what is copied. */
  readonly #mark: string;
  readonly #onProgress: CopyProgress;
  readonly #rowsOfAll: number;
  #rowsCopied = 0;

  constructor(connection: Connection, source: Database, onProgress: CopyProgress) {
    this.#connection = connection;
    this.#tables = stateTables(source);
    this.#mark = markOf(this.#tables);
    this.#onProgress = onProgress;
    this.#rowsOfAll = [...this.#tables.values()].reduce((sum, table) => sum + table.count(), 0);
  }

  async run(): Promise<void> {
    const connection = this.#connection;
    await makeTablesToFill(connection);
    const before = await this.#progress();
    if (!(await this.#isCommitted())) {
      let reached = before.get(this.#mark);
      if (reached === undefined) {
        reached = new Map();
        await this.#begin(before.size > 0);
      }
      for (const { rows } of reached.values()) this.#rowsCopied += rows;
      for (const table of this.#tables.values()) {
        const { after, rows } = reached.get(table.name) ?? { after: undefined, rows: 0 };
        await this.#copy(table, after, rows);
      }
      await this.#commit();
    }
    await this.#insert('copied', ['n'], (row) => row.uint64(firstStep));
    await connection.run('TRUNCATE TABLE moving');
  }

  /** By mark of the source and by table: the last key that is copied, and how many rows. */
  async #progress(): Promise<Map<string, Map<string, { after: SqlValue[]; rows: number }>>> {
    const found = new Map<string, Map<string, { after: SqlValue[]; rows: number }>>();
    const rows = await this.#connection.rows<Record<'source' | 'tbl' | 'last' | 'copied', string>>(
      'SELECT source, tbl, hex(argMax(after, rows)) AS last, max(rows) AS copied FROM moving GROUP BY source, tbl',
    );
    for (const { source, tbl, last, copied } of rows) {
      const own = found.get(source) ?? new Map();
      found.set(source, own);
      if (tbl === '') continue;
      own.set(tbl, { after: decodeCells(Buffer.from(last, 'hex')), rows: Number(copied) });
    }
    return found;
  }

  /** @param isAnew an earlier copy, of other rows, was broken off */
  async #begin(isAnew: boolean): Promise<void> {
    const connection = this.#connection;
    const steps = await connection.rows('SELECT n FROM step LIMIT 1');
    if (steps.length > 0 || (await new DeliveryLog(connection).waiting(0)) > 0) {
      throw new AppError('conflict', `${connection.name} is not empty: name another database`);
    }
    if (isAnew) {
      await connection.run('TRUNCATE TABLE moving');
      await connection.run('TRUNCATE TABLE state');
    }
    await this.#reached('', [], 0);
  }

  async #copy(table: StateTable, after: SqlValue[] | undefined, before: number): Promise<void> {
    let writer = new RowBinaryWriter();
    let rows = before;
    let last: SqlValue[] = [];
    const send = async (): Promise<void> => {
      if (writer.length === 0) return;
      await this.#connection.insert('state', stateColumns, writer.bytes);
      await this.#reached(table.name, last, rows);
      this.#onProgress(this.#rowsCopied, this.#rowsOfAll);
      writer = new RowBinaryWriter();
    };
    for (const { key, row } of table.rows(after)) {
      last = key;
      rows += 1;
      this.#rowsCopied += 1;
      if (table.name === 'meta' && metaOfFile.has(key[0]!)) continue;
      writer.text(table.name);
      writer.text(encodeCells(key));
      writer.uint64(firstStep);
      writer.uint8(0);
      writer.text(encodeCells(row));
      if (writer.length >= limits.copiedPieceBytes) await send();
    }
    await send();
  }

  /** The first of its number, as every step: a process that used the store before it was marked is noticed here. */
  async #commit(): Promise<void> {
    const nonce = `copy ${this.#mark}`;
    await this.#insert('step', ['n', 'nonce', 'compactor', 'changes'], (row) => {
      row.uint64(firstStep);
      row.text(nonce);
      row.text('');
      // Not zero, and there are none: whoever reads the step reads the state.
      row.uint32(1);
    });
    if (await this.#isCommitted()) return;
    throw new AppError(
      'conflict',
      `${this.#connection.name} was in use when the copy began: drop the database, and copy again`,
    );
  }

  async #isCommitted(): Promise<boolean> {
    const [first] = await this.#connection.rows<{ nonce: string }>(
      'SELECT nonce FROM step WHERE n = {n:UInt64} ORDER BY _block_number, _block_offset LIMIT 1',
      { n: firstStep },
    );
    return first?.nonce === `copy ${this.#mark}`;
  }

  async #reached(tbl: string, last: readonly SqlValue[], rows: number): Promise<void> {
    await this.#insert('moving', ['source', 'tbl', 'after', 'rows'], (row) => {
      row.text(this.#mark);
      row.text(tbl);
      row.text(encodeCells(last));
      row.uint64(rows);
    });
  }

  async #insert(
    table: string,
    columns: readonly string[],
    fill: (row: RowBinaryWriter) => void,
  ): Promise<void> {
    const row = new RowBinaryWriter();
    fill(row);
    await this.#connection.insert(table, columns, row.bytes);
  }
}

function refuseOtherSchema(source: Database, path: string): void {
  const version = source.pragma('user_version');
  if (version === schemaVersion) return;
  const versions = `schema version ${version}, this program has ${schemaVersion}`;
  throw new AppError('conflict', `${path} has ${versions}: start its collector once`);
}

/** Changes with every row that any process but a running collector can have written. */
function markOf(tables: ReadonlyMap<string, StateTable>): string {
  const hash = createHash('sha256');
  for (const [name, table] of tables) {
    hash.update(`${name}\n`);
    if (tablesOfCollector.has(name)) continue;
    for (const { row } of table.rows()) hash.update(encodeCells(row));
  }
  return hash.digest('hex').slice(0, 32);
}
