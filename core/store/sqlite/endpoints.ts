import type { EndpointStore } from '../store.ts';
import type { Database } from './database.ts';
import { ForgottenRows } from './forgotten.ts';
import { InventoryRows } from './inventory/inventory-rows.ts';
import { openRecords, type RowTransactions } from './short-transactions.ts';

/**
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export function openSqliteEndpoints(path: string): Promise<EndpointStore> {
  return openRecords(path, SqliteEndpoints, 'endpoints');
}

export class SqliteEndpoints implements EndpointStore {
  readonly #rows: RowTransactions;
  readonly #forgotten: ForgottenRows;
  readonly #uploaded: InventoryRows;
  readonly #overOtlp: InventoryRows;
  readonly #sql;

  /** @param rows transactions on `db`; `close` closes them */
  constructor(db: Database, rows: RowTransactions) {
    this.#rows = rows;
    this.#forgotten = new ForgottenRows(db);
    this.#uploaded = new InventoryRows(db, 'inventory');
    this.#overOtlp = new InventoryRows(db, 'otlp_inventory');
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
    declared: readonly string[] = [],
  ): Promise<number | undefined> {
    return this.#rows.write(() => {
      const projectId = this.#sql.project.get(project) as number | undefined;
      if (projectId === undefined) return undefined;
      const place = [projectId, service, environment ?? null, environment ?? null] as const;
      const services = this.#sql.services.all(...place) as number[];
      const isTold = this.#forgetTold(place);
      if (services.length === 0 && !isTold) return undefined;
      for (const id of declared) this.#forgotten.forgetVerdicts(projectId, id);
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

  /** Deletes inventories, decisions, declarations, events and arrivals of the service, and its calls of others. @returns whether it had any */
  #forgetTold(place: readonly [number, string, string | null, string | null]): boolean {
    const [projectId, service, environment] = place;
    let isTold = this.#uploaded.forget(projectId, service, environment);
    if (this.#overOtlp.forget(projectId, service, environment)) isTold = true;
    // What arrived is counted over all environments
    if (environment === null && this.#sql.arrived.get(projectId, service) !== undefined) {
      this.#sql.deleteArrivals.run(projectId, service);
      isTold = true;
    }
    if (this.#sql.called.get(...place) !== undefined) {
      this.#sql.deleteInternalCalls.run(...place);
      this.#sql.deleteInternalCaller.run(...place);
      isTold = true;
    }
    for (const [find, remove] of this.#sql.told) {
      if (find.get(...place) === undefined) continue;
      remove.run(...place);
      isTold = true;
    }
    return isTold;
  }

  close(): Promise<void> {
    return this.#rows.close();
  }
}

const ofService = 'project_id = ? AND service = ? AND (? IS NULL OR environment = ?)';

function statements(db: Database) {
  return {
    first: db
      .prepare(
        `SELECT iif(e.same_as = 0, e.id, e.same_as) FROM endpoint e
         JOIN service s ON s.id = e.service_id JOIN project p ON p.id = s.project_id
         WHERE e.id = ? AND p.name = ?`,
      )
      .pluck(),
    project: db.prepare('SELECT id FROM project WHERE name = ?').pluck(),
    services: db
      .prepare(
        'SELECT id FROM service WHERE project_id = ? AND name = ? AND (? IS NULL OR environment = ?)',
      )
      .pluck(),
    told: ['decision', 'declaration', 'declaration_part', 'told_event'].map(
      (table) =>
        [
          db.prepare(`SELECT 1 FROM ${table} WHERE ${ofService} LIMIT 1`),
          db.prepare(`DELETE FROM ${table} WHERE ${ofService}`),
        ] as const,
    ),
    arrived: db.prepare('SELECT 1 FROM arrival WHERE project_id = ? AND service = ? LIMIT 1'),
    deleteArrivals: db.prepare('DELETE FROM arrival WHERE project_id = ? AND service = ?'),
    called: db.prepare(`SELECT 1 FROM internal_caller WHERE ${ofService} LIMIT 1`),
    deleteInternalCalls: db.prepare(
      `DELETE FROM internal_call WHERE caller_id IN (SELECT id FROM internal_caller WHERE ${ofService})`,
    ),
    deleteInternalCaller: db.prepare(`DELETE FROM internal_caller WHERE ${ofService}`),
    endpoints: db.prepare('SELECT id FROM endpoint WHERE service_id = ? AND same_as = 0').pluck(),
    deleteDays: db.prepare('DELETE FROM service_day WHERE service_id = ?'),
    deleteService: db.prepare('DELETE FROM service WHERE id = ?'),
    count: db.prepare("UPDATE meta SET value = value + 1 WHERE key = 'endpoints_forgotten'"),
  };
}
