import { callerNumbers } from '../../last-callers.ts';
import type { Database, Statement } from '../database.ts';
import { coarsestMinutes } from '../usage/levels.ts';

/** Bounds of one step. */
const rowsPerStep = 2_000;
const endpointsPerStep = 1_000;

const secondsPerDay = 86_400;

/**
 * Deletes clients, contexts of calls and consumers that nothing refers to any more. A row is referred to by raw calls
 * and usage until their retention ends, and for ever by the last callers in the record of an endpoint. How long ago it
 * was used last is known by day (`client_seen`, `origin_seen`). Calls may be late, never more than the retention: a row
 * that was not used for so long, and for the longest bucket of usage on top, is in no bucket.
 */
export class UnusedDimensions {
  readonly #keptDays: number;
  readonly #sql;
  #pass: Pass | undefined;
  #passedDay = 0;
  /** Rows of clients or origins were deleted since it was last read: rows in memory may be among them. */
  hasDeleted = false;

  /** @param keptS the longest retention, seconds */
  constructor(db: Database, keptS: number) {
    const bucketDays = (coarsestMinutes * 60) / secondsPerDay;
    this.#keptDays = Math.ceil(keptS / secondsPerDay) + bucketDays + 2;
    this.#sql = statements(db);
  }

  /** A client was used. In the caller's transaction. */
  seeClient(row: number, nowS: number): void {
    this.#sql.client.see.run(row, dayOf(nowS));
  }

  seeOrigin(row: number, nowS: number): void {
    this.#sql.origin.see.run(row, dayOf(nowS));
  }

  /** One pass over all rows a day, in small steps. In the caller's transaction. @returns false when nothing is left to do */
  step(nowS: number): boolean {
    const today = dayOf(nowS);
    if (this.#pass === undefined) {
      if (today === this.#passedDay) return false;
      this.#passedDay = today;
      this.#pass = { stage: 'endpoint', after: 0, clients: new Set(), origins: new Set() };
    }
    const pass = this.#pass;
    switch (pass.stage) {
      case 'endpoint':
        this.#readEndpoints(pass);
        break;
      case 'client':
        this.#sweep(pass, this.#sql.client, pass.clients, today, 'origin');
        break;
      case 'origin':
        this.#sweep(pass, this.#sql.origin, pass.origins, today, 'consumer');
        break;
      case 'consumer':
        this.#sql.deleteConsumers.run();
        this.#pass = undefined;
        break;
    }
    return true;
  }

  /** Last callers: client, origin, milliseconds, … */
  #readEndpoints(pass: Pass): void {
    const rows = this.#sql.endpoints.all(pass.after, endpointsPerStep) as [
      number,
      string,
      string,
    ][];
    for (const [, ...lists] of rows) {
      for (const list of lists) {
        const numbers = JSON.parse(list) as number[];
        for (let at = 0; at < numbers.length; at += callerNumbers) {
          pass.clients.add(numbers[at]!);
          pass.origins.add(numbers[at + 1]!);
        }
      }
    }
    advance(pass, rows, endpointsPerStep, 'client');
  }

  #sweep(
    pass: Pass,
    table: SeenTable,
    kept: ReadonlySet<number>,
    today: number,
    next: Stage,
  ): void {
    const rows = table.rows.all(pass.after, rowsPerStep) as [number, number | null][];
    for (const [row, day] of rows) {
      // The file of an earlier release does not say when a row was used.
      if (day === null) table.see.run(row, today);
      else if (today - day > this.#keptDays && !kept.has(row)) {
        table.deleteSeen.run(row);
        table.delete.run(row);
        this.hasDeleted = true;
      }
    }
    advance(pass, rows, rowsPerStep, next);
  }
}

type Stage = 'endpoint' | 'client' | 'origin' | 'consumer';

interface Pass {
  stage: Stage;
  /** The last row of the stage that was looked at. */
  after: number;
  clients: Set<number>;
  origins: Set<number>;
}

function advance(pass: Pass, rows: readonly [number, ...unknown[]][], most: number, next: Stage) {
  pass.after = rows.at(-1)?.[0] ?? 0;
  if (rows.length === most) return;
  pass.stage = next;
  pass.after = 0;
}

const dayOf = (nowS: number): number => Math.floor(nowS / secondsPerDay);

type SeenTable = Record<'see' | 'rows' | 'delete' | 'deleteSeen', Statement>;

function statements(db: Database) {
  // The row with the greatest id stays: its id must not be given to another value, which readers would take for it.
  const seen = (table: 'client' | 'origin'): SeenTable => ({
    see: db.prepare(
      `INSERT INTO ${table}_seen VALUES (?, ?)
       ON CONFLICT DO UPDATE SET day = excluded.day WHERE day < excluded.day`,
    ),
    rows: db
      .prepare(
        `SELECT t.id, s.day FROM ${table} t LEFT JOIN ${table}_seen s ON s.id = t.id
         WHERE t.id > ? AND t.id < (SELECT max(id) FROM ${table}) ORDER BY t.id LIMIT ?`,
      )
      .raw(),
    delete: db.prepare(`DELETE FROM ${table} WHERE id = ?`),
    deleteSeen: db.prepare(`DELETE FROM ${table}_seen WHERE id = ?`),
  });
  return {
    client: seen('client'),
    origin: seen('origin'),
    endpoints: db
      .prepare(
        `SELECT id, last_callers, ifnull(last_answered_callers, '[]') FROM endpoint
         WHERE id > ? ORDER BY id LIMIT ?`,
      )
      .raw(),
    deleteConsumers: db.prepare(
      `DELETE FROM consumer WHERE id < (SELECT max(id) FROM consumer) AND (name, is_agent) NOT IN (
         SELECT iif(consumer = '', agent, consumer), consumer IN ('', agent) FROM origin)`,
    ),
  };
}
