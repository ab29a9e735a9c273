import { limits, specialRoutes } from '../../limits.ts';
import type { Arrival, ArrivalStore, ArrivalSum } from '../arrivals.ts';
import type { Database, Statement } from './database.ts';
import { findProject } from './project-row.ts';
import { openRecords, type RowTransactions } from './short-transactions.ts';

/**
 * Arrivals in the store's file: one row for each project, day, service, outcome and reason.
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export function openSqliteArrivals(path: string): Promise<ArrivalStore> {
  return openRecords(path, SqliteArrivals, 'arrivals');
}

export class SqliteArrivals implements ArrivalStore {
  readonly #rows: RowTransactions;
  readonly #sql;

  /** @param rows transactions on `db`; `close` closes them */
  constructor(db: Database, rows: RowTransactions) {
    this.#rows = rows;
    this.#sql = statements(db);
  }

  async add(day: number, arrivals: readonly Arrival[]): Promise<void> {
    await this.#rows.write(() => {
      for (const arrival of arrivals) {
        const projectId = this.#sql.findProject.get(arrival.project) as number | undefined;
        if (projectId === undefined) continue;
        const service = this.#serviceOf(projectId, day, arrival.service);
        const { outcome, reason, count, lastMs } = arrival;
        this.#sql.add.run(projectId, day, service, outcome, reason, count, lastMs);
      }
      this.#sql.forget.run(day - limits.arrivalDays);
    });
  }

  async since(project: string, day: number): Promise<ArrivalSum[]> {
    return this.#rows.read(() => {
      const projectId = this.#sql.findProject.get(project) as number | undefined;
      return projectId === undefined ? [] : (this.#sql.sums.all(projectId, day) as ArrivalSum[]);
    });
  }

  close(): Promise<void> {
    return this.#rows.close();
  }

  #serviceOf(projectId: number, day: number, service: string): string {
    if (this.#sql.has.get(projectId, day, service) !== undefined) return service;
    const known = this.#sql.services.get(projectId, day) as number;
    return known < limits.arrivalServices ? service : specialRoutes.other;
  }
}

function statements(db: Database) {
  return {
    findProject: findProject(db),
    has: db
      .prepare('SELECT 1 FROM arrival WHERE project_id = ? AND day = ? AND service = ? LIMIT 1')
      .pluck(),
    services: db
      .prepare('SELECT count(DISTINCT service) FROM arrival WHERE project_id = ? AND day = ?')
      .pluck(),
    add: db.prepare(
      `INSERT INTO arrival (project_id, day, service, outcome, reason, count, last_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET count = count + excluded.count, last_ms = max(last_ms, excluded.last_ms)`,
    ),
    forget: db.prepare('DELETE FROM arrival WHERE day <= ?'),
    sums: db.prepare(
      `SELECT service, outcome, reason, sum(count) AS count, max(last_ms) AS lastMs FROM arrival
        WHERE project_id = ? AND day >= ? GROUP BY service, outcome, reason ORDER BY service, outcome, reason`,
    ),
  } satisfies Record<string, Statement>;
}
