import type { Database, Statement } from './database.ts';

/**
 * Forgets rows of `endpoint` in the caller's transaction. Usage blocks and raw calls name an endpoint by its row, and
 * stay until their retention ends. A row that is forgotten therefore stays too, without any fact, under a service that
 * no project has: no reader selects it, and its number is given to no other endpoint.
 */
export class ForgottenRows {
  readonly #sql: Record<string, Statement>;

  constructor(db: Database) {
    this.#sql = {
      addProject: db.prepare("INSERT OR IGNORE INTO project (name) VALUES ('')"),
      addService: db.prepare(
        `INSERT OR IGNORE INTO service (project_id, name, environment)
         SELECT id, '', '' FROM project WHERE name = ''`,
      ),
      service: db
        .prepare(
          "SELECT s.id FROM service s JOIN project p ON p.id = s.project_id WHERE p.name = ''",
        )
        .pluck(),
      spellings: db.prepare('SELECT id FROM endpoint WHERE id = ? OR same_as = ?').pluck(),
      deletePairs: db.prepare('DELETE FROM side_by_side WHERE lower_id = ? OR higher_id = ?'),
      deleteUse: db.prepare('DELETE FROM endpoint_use WHERE endpoint_id = ?'),
      deleteTraits: db.prepare('DELETE FROM endpoint_trait WHERE endpoint_id = ?'),
      project: db
        .prepare(
          'SELECT s.project_id FROM endpoint e JOIN service s ON s.id = e.service_id WHERE e.id = ?',
        )
        .pluck(),
      deleteVerdicts: db.prepare(
        'DELETE FROM verdict_change WHERE project_id = ? AND endpoint = ?',
      ),
      deleteEvidence: db.prepare('DELETE FROM evidence WHERE project_id = ? AND endpoint = ?'),
      deleteInternalCalls: db.prepare('DELETE FROM internal_call WHERE endpoint_id = ?'),
      deleteRow: db.prepare('DELETE FROM endpoint WHERE id = ?'),
      addRow: db.prepare(
        "INSERT INTO endpoint (id, service_id, method, route, templated) VALUES (?, ?, '', ?, 0)",
      ),
      count: db.prepare(
        "UPDATE meta SET value = value + 1 WHERE key IN ('endpoints_forgotten', 'displays_changed')",
      ),
    };
  }

  /** @param endpoints first rows of endpoints; their other spellings go with them */
  forget(endpoints: readonly number[]): void {
    if (endpoints.length === 0) return;
    this.#sql.addProject!.run();
    this.#sql.addService!.run();
    const nowhere = this.#sql.service!.get() as number;
    for (const endpoint of endpoints) {
      for (const row of this.#sql.spellings!.all(endpoint, endpoint) as number[]) {
        this.forgetVerdicts(this.#sql.project!.get(row) as number, String(row));
        this.#sql.deletePairs!.run(row, row);
        this.#sql.deleteUse!.run(row);
        this.#sql.deleteTraits!.run(row);
        this.#sql.deleteInternalCalls!.run(row);
        this.#sql.deleteRow!.run(row);
        this.#sql.addRow!.run(row, nowhere, String(row));
      }
    }
    this.#sql.count!.run();
  }

  /** @param id of the endpoint outside of this engine */
  forgetVerdicts(projectId: number, id: string): void {
    this.#sql.deleteVerdicts!.run(projectId, id);
    this.#sql.deleteEvidence!.run(projectId, id);
  }
}
