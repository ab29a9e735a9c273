import type { EndpointStore } from '../store.ts';
import type { Database } from './database.ts';
import { ForgottenRows } from './forgotten.ts';
import { openDatabase } from './open.ts';
import { ShortTransactions } from './short-transactions.ts';

/**
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export async function openSqliteEndpoints(path: string): Promise<EndpointStore> {
  return new SqliteEndpoints(openDatabase(path, 'write'));
}

class SqliteEndpoints implements EndpointStore {
  readonly #db: Database;
  readonly #rows: ShortTransactions;
  readonly #forgotten: ForgottenRows;
  readonly #sql;

  constructor(db: Database) {
    this.#db = db;
    this.#rows = new ShortTransactions(db, 'endpoints');
    this.#forgotten = new ForgottenRows(db);
    this.#sql = statements(db);
  }

  async forgetEndpoint(project: string, id: string): Promise<boolean> {
    return this.#rows.write(() => {
      const row = Number(id);
      // A row of any spelling is an id of its endpoint.
      const found = this.#sql.first.get(row, project) as number | undefined;
      if (String(row) !== id || found === undefined) return false;
      this.#forgotten.forget([found]);
      return true;
    });
  }

  async forgetService(
    project: string,
    service: string,
    environment: string | undefined,
  ): Promise<number | undefined> {
    return this.#rows.write(() => {
      const place = [project, service, environment ?? null, environment ?? null];
      const services = this.#sql.services.all(...place) as number[];
      if (services.length === 0) return undefined;
      const endpoints = services.flatMap((id) => this.#sql.endpoints.all(id) as number[]);
      this.#forgotten.forget(endpoints);
      for (const id of services) {
        this.#sql.deleteDays.run(id);
        this.#sql.deleteService.run(id);
      }
      this.#sql.count.run();
      return endpoints.length;
    });
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}

function statements(db: Database) {
  return {
    first: db
      .prepare(
        `SELECT iif(e.same_as = 0, e.id, e.same_as) FROM endpoint e
         JOIN service s ON s.id = e.service_id JOIN project p ON p.id = s.project_id
         WHERE e.id = ? AND p.name = ?`,
      )
      .pluck(),
    services: db
      .prepare(
        `SELECT s.id FROM service s JOIN project p ON p.id = s.project_id
         WHERE p.name = ? AND s.name = ? AND (? IS NULL OR s.environment = ?)`,
      )
      .pluck(),
    endpoints: db.prepare('SELECT id FROM endpoint WHERE service_id = ? AND same_as = 0').pluck(),
    deleteDays: db.prepare('DELETE FROM service_day WHERE service_id = ?'),
    deleteService: db.prepare('DELETE FROM service WHERE id = ?'),
    count: db.prepare("UPDATE meta SET value = value + 1 WHERE key = 'endpoints_forgotten'"),
  };
}
