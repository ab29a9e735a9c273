import { randomBytes } from 'node:crypto';
import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import { Database, type SqlValue } from '../sqlite/database.ts';
import { migrate } from '../sqlite/schema.ts';
import { decodeCells, encodeCells } from './cells.ts';
import type { Connection } from './connection.ts';
import { type MirroredTable, mirroredTables } from './mirrored-table.ts';
import { type RowBinaryReader, RowBinaryWriter, rowsOf } from './row-binary.ts';
import { stateTables } from './state-table.ts';

/** Bytes of changes in one INSERT. */
const changesBytes = 16 * 1024 * 1024;
/** Steps after which their changes are copied to the state, from which processes start. */
const copyAfterSteps = 32;
/** A replica that is further behind reads the whole state instead of the steps. */
const stepsAtOnce = 128;
/** Steps whose changes are kept after they were copied: for replicas that are behind. */
const stepsKept = 2048;
/** A step is tried again when another process was first. */
const tries = 20;

interface Step {
  n: number;
  nonce: string;
  compactor: string;
  changes: number;
}

/**
 * The state in memory: the tables of the SQLite engine, which every process brings to the same rows. A step is a
 * transaction on these tables. Steps are numbered without a gap; the rows that a step changed are in the table `change`,
 * and its first row in `step` commits it: a process that computed another step of the same number was too late, takes
 * that one over and computes its own again on top.
 */
export class Replica {
  readonly db: Database;
  /** Number of the newest step that the tables hold. */
  head = 0;
  /** The process that wrote the last compaction; empty in a new store. */
  compactor = '';
  readonly #connection: Connection;
  readonly #tables: ReadonlyMap<string, MirroredTable>;
  /** Names of the tables that are kept; undefined for all. */
  readonly #only: readonly string[] | undefined;
  #copied = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param without tables that stay empty */
  constructor(connection: Connection, without?: ReadonlySet<string>) {
    this.#connection = connection;
    this.db = emptyState();
    this.#tables = mirroredTables(this.db);
    this.#only = without && [...this.#tables.keys()].filter((name) => !without.has(name));
  }

  /** Runs `work` alone: one at a time uses the tables. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /**
   * Takes over every step that is committed. Within `exclusively`.
   * @throws AppError `unavailable`
   */
  async sync(): Promise<void> {
    for (;;) {
      const steps = await this.#stepsAfter(this.head);
      if (steps.length === 0) return;
      // A store that was copied begins with a step that has no changes (move-in.ts).
      const isFar = this.head === 0 || steps[0]!.n !== this.head + 1 || steps.length > stepsAtOnce;
      if (isFar) await this.#load();
      else if (!(await this.#apply(steps))) await this.#load();
    }
  }

  /**
   * Runs `work` as one step, or nothing of it when it throws. Within `exclusively`.
   * @param work uses `db`, in a transaction; it runs again when another process was first
   * @param compactor the name of this process when the step compacts
   * @returns when the step is durable and every process will see it
   * @throws AppError `unavailable`: then the step is committed or not
   */
  async commit<T>(work: () => T, compactor = ''): Promise<T> {
    for (let left = tries; left > 0; left -= 1) {
      await this.sync();
      const step = { n: this.head + 1, nonce: randomBytes(12).toString('hex'), compactor };
      this.db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        const changes = await this.#writeChanges(step.n, step.nonce);
        if (changes === 0 || (await this.#claim({ ...step, changes }))) {
          this.#forgetChanges();
          this.db.exec('COMMIT');
          if (changes > 0) await this.#committed(step);
          return result;
        }
      } finally {
        if (this.db.inTransaction) this.db.exec('ROLLBACK');
      }
    }
    throw new AppError('unavailable', `${this.#connection.name}: other processes were faster`);
  }

  /** Copies the changes of all committed steps to the state. Within `exclusively`. @returns the newest step */
  async copyAll(): Promise<number> {
    await this.sync();
    if (this.head > this.#copied) await this.#copy(1);
    return this.head;
  }

  close(): void {
    this.db.close();
  }

  async #stepsAfter(head: number): Promise<Step[]> {
    const first = 'argMin({}, (_block_number, _block_offset))';
    const rows = await this.#connection.rows<Record<keyof Step, string>>(
      `SELECT n, ${first.replace('{}', 'nonce')} AS nonce, ${first.replace('{}', 'compactor')} AS compactor,
         ${first.replace('{}', 'changes')} AS changes
       FROM step WHERE n > {head:UInt64} GROUP BY n ORDER BY n LIMIT ${stepsAtOnce + 1}`.replace(
        /^\s+/gm,
        '',
      ),
      { head },
    );
    return rows.map(({ n, nonce, compactor, changes }) => ({
      n: Number(n),
      nonce,
      compactor,
      changes: Number(changes),
    }));
  }

  /** @returns false when changes of the steps are missing: they were copied to the state, and deleted */
  async #apply(steps: readonly Step[]): Promise<boolean> {
    const nonces = steps.map(({ nonce }) => nonce);
    const first = steps[0]!.n;
    const last = steps.at(-1)!.n;
    const among = this.#only ? ' AND tbl IN {tables:Array(String)}' : '';
    const found = new Map<string, Change[]>();
    const pieces = this.#connection.stream(
      `SELECT nonce, tbl, key, deleted, row FROM change WHERE n BETWEEN {first:UInt64} AND {last:UInt64} AND nonce IN {nonces:Array(String)}${among}`,
      { first, last, nonces, ...(this.#only && { tables: this.#only }) },
    );
    for await (const { nonce, ...change } of rowsOf(pieces, readChange)) {
      const own = found.get(nonce);
      if (own) own.push(change);
      else found.set(nonce, [change]);
    }
    for (const { nonce, changes } of steps) {
      if (!this.#only && (found.get(nonce)?.length ?? 0) !== changes) return false;
    }
    this.#transaction(() => {
      for (const { nonce } of steps) this.#put(found.get(nonce) ?? []);
    });
    this.head = last;
    for (const { compactor } of steps) if (compactor !== '') this.compactor = compactor;
    return true;
  }

  /** Reads the state, and the steps since. */
  async #load(): Promise<void> {
    const copied = await this.#readCopied();
    const among = this.#only ? ' WHERE tbl IN {tables:Array(String)}' : '';
    const rows: Change[] = [];
    const pieces = this.#connection.stream(
      `SELECT '' AS nonce, tbl, key, deleted, row FROM state FINAL${among}`,
      this.#only && { tables: this.#only },
    );
    const seed = emptyState();
    this.db.exec('BEGIN IMMEDIATE');
    try {
      const seeds = stateTables(seed);
      for (const [name, table] of this.#tables) {
        table.clear();
        for (const { row } of seeds.get(name)!.rows()) table.put(row);
      }
      for await (const row of rowsOf(pieces, readChange)) {
        rows.push(row);
        if (rows.length === 1000) this.#put(rows.splice(0));
      }
      this.#put(rows);
      this.#forgetChanges();
      this.db.exec('COMMIT');
    } finally {
      if (this.db.inTransaction) this.db.exec('ROLLBACK');
      seed.close();
    }
    this.head = copied;
    this.#copied = copied;
    this.compactor = unknownCompactor;
    for (;;) {
      const steps = (await this.#stepsAfter(this.head)).slice(0, stepsAtOnce);
      if (steps.length === 0) return;
      if (steps[0]!.n === this.head + 1 && (await this.#apply(steps))) continue;
      throw new AppError('unavailable', `${this.#connection.name} lacks step ${this.head + 1}`);
    }
  }

  /** Deleted rows first: another row may have their place. */
  #put(changes: readonly Change[]): void {
    for (const { table, key, row } of changes) {
      if (row === undefined) this.#tables.get(table)?.delete(decodeCells(key));
    }
    for (const { table, row } of changes) {
      if (row !== undefined) this.#tables.get(table)?.put(decodeCells(row));
    }
  }

  #transaction(work: () => void): void {
    this.db.immediately(() => {
      work();
      this.#forgetChanges();
    });
  }

  #forgetChanges(): void {
    for (const table of this.#tables.values()) table.forgetChanges();
  }

  /** @returns how many rows the transaction in hand changed */
  async #writeChanges(n: number, nonce: string): Promise<number> {
    let rows = 0;
    let writer = new RowBinaryWriter();
    const send = async (): Promise<void> => {
      if (writer.length === 0) return;
      await this.#connection.insert('change', changeColumns, writer.bytes);
      writer = new RowBinaryWriter();
    };
    for (const table of this.#tables.values()) {
      for (const { key, row } of table.changes()) {
        writer.uint64(n);
        writer.text(nonce);
        writer.text(table.name);
        writer.text(encodeCells(key));
        writer.uint8(row === undefined ? 1 : 0);
        writer.text(row === undefined ? '' : encodeCells(row as SqlValue[]));
        rows += 1;
        if (writer.length >= changesBytes) await send();
      }
    }
    await send();
    return rows;
  }

  /** Commits a step. @returns whether it is the first of its number */
  async #claim({ n, nonce, compactor, changes }: Step): Promise<boolean> {
    const row = new RowBinaryWriter();
    row.uint64(n);
    row.text(nonce);
    row.text(compactor);
    row.uint32(changes);
    await this.#connection.insert('step', ['n', 'nonce', 'compactor', 'changes'], row.bytes);
    const [first] = await this.#stepsAfter(n - 1);
    return first?.nonce === nonce;
  }

  async #committed({ n, compactor }: { n: number; compactor: string }): Promise<void> {
    this.head = n;
    if (compactor !== '') this.compactor = compactor;
    if (n - this.#copied < copyAfterSteps) return;
    try {
      await this.#copy();
    } catch {
      // The next step tries it again; until then a process that starts reads more steps.
    }
  }

  /** Copies the changes of all committed steps to the state. Doing it twice changes nothing. */
  async #copy(least = copyAfterSteps): Promise<void> {
    const from = await this.#readCopied();
    this.#copied = from;
    if (this.head - from < least) return;
    const to = this.head;
    await this.#connection.run(
      `INSERT INTO state (tbl, key, n, deleted, row)
       SELECT tbl, key, max(n) AS newest, argMax(deleted, change.n), argMax(row, change.n) FROM change
       WHERE n > {from:UInt64} AND n <= {to:UInt64} AND nonce IN (
         SELECT argMin(nonce, (_block_number, _block_offset)) FROM step
         WHERE n > {from:UInt64} AND n <= {to:UInt64} GROUP BY n)
       GROUP BY tbl, key`,
      { from, to },
    );
    const row = new RowBinaryWriter();
    row.uint64(to);
    await this.#connection.insert('copied', ['n'], row.bytes);
    this.#copied = to;
    const old = Math.floor((to - stepsKept) / 1024) - 1;
    for (const { partition_id: id } of await this.#oldPartitions(old)) {
      await this.#connection.run(`ALTER TABLE change DROP PARTITION ID {id:String}`, { id });
    }
  }

  #oldPartitions(before: number): Promise<{ partition_id: string }[]> {
    return this.#connection.rows(
      `SELECT DISTINCT partition_id FROM system.parts WHERE database = {database:String} AND table = 'change' AND active AND toInt64OrZero(partition) < {before:Int64}`,
      { database: this.#connection.database, before },
    );
  }

  async #readCopied(): Promise<number> {
    const [row] = await this.#connection.rows<{ n: number | string }>(
      'SELECT max(n) AS n FROM copied',
    );
    return Number(row?.n ?? 0);
  }
}

/** `Replica.compactor` after the state was read: it does not say who compacted last. */
export const unknownCompactor = '?';

const changeColumns = ['n', 'nonce', 'tbl', 'key', 'deleted', 'row'] as const;

export interface Change {
  table: string;
  key: Buffer;
  /** Undefined when the row is deleted. */
  row: Buffer | undefined;
}

/** Nonce, table, key, whether it is deleted, and the row. */
export function readChange(reader: RowBinaryReader): Change & { nonce: string } {
  const nonce = reader.text().toString();
  const table = reader.text().toString();
  const key = Buffer.from(reader.text());
  const isDeleted = reader.uint8() === 1;
  const row = Buffer.from(reader.text());
  return { nonce, table, key, row: isDeleted ? undefined : row };
}

/** A new store's tables. */
function emptyState(): Database {
  const db = new Database(':memory:');
  db.pragma('temp_store = MEMORY');
  // Rows of one step come in any order.
  db.pragma('foreign_keys = OFF');
  // A row that another one replaces is a deleted row.
  db.pragma('recursive_triggers = ON');
  db.pragma(`cache_size = -${limits.clickhouseCacheKiB}`);
  migrate(db);
  return db;
}
