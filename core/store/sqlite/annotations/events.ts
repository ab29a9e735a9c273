import { AppError } from '../../../error.ts';
import { limits } from '../../../limits.ts';
import type { EventStore, ToldEvent } from '../../annotations/events.ts';
import type { Database, Statement } from '../database.ts';
import { findProject, projectRow } from '../project-row.ts';
import { openRecords, type RowTransactions } from '../short-transactions.ts';

interface EventRow {
  id: string;
  atMs: number;
  kind: string;
  title: string;
  service: string | null;
  environment: string | null;
  version: string | null;
  link: string | null;
  toldMs: number;
}

/** All events of a project, oldest first. */
export function eventsOfProject(db: Database, project: string): ToldEvent[] {
  const rows = db
    .prepare(
      `SELECT e.id, e.at_ms AS atMs, e.kind, e.title, e.service, e.environment, e.version, e.link, e.told_ms AS toldMs
        FROM told_event e JOIN project p ON p.id = e.project_id WHERE p.name = ? ORDER BY e.at_ms, e.id`,
    )
    .all(project) as EventRow[];
  return rows.map(({ service, environment, version, link, ...row }) => ({
    ...row,
    ...(service !== null && { service }),
    ...(environment !== null && { environment }),
    ...(version !== null && { version }),
    ...(link !== null && { link }),
  }));
}

/**
 * Events in the store's file.
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export function openSqliteEvents(path: string): Promise<EventStore> {
  return openRecords(path, SqliteEvents, 'events');
}

export class SqliteEvents implements EventStore {
  readonly #rows: RowTransactions;
  readonly #sql: Record<'findProject' | 'add' | 'count' | 'has' | 'remove', Statement>;

  /** @param rows transactions on `db`; `close` closes them */
  constructor(db: Database, rows: RowTransactions) {
    this.#rows = rows;
    this.#sql = {
      findProject: findProject(db),
      add: db.prepare(
        `INSERT INTO told_event (project_id, id, at_ms, kind, title, service, environment, version, link, told_ms)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      count: db.prepare('SELECT count(*) FROM told_event WHERE project_id = ?').pluck(),
      has: db.prepare('SELECT 1 FROM told_event WHERE project_id = ? AND id = ?').pluck(),
      remove: db.prepare('DELETE FROM told_event WHERE project_id = ? AND id = ?'),
    };
  }

  async add(project: string, events: readonly ToldEvent[]): Promise<void> {
    await this.#rows.write(() => {
      const row = projectRow(this.#sql.findProject, project);
      const count = (this.#sql.count.get(row) as number) + events.length;
      if (count > limits.toldEvents) {
        const message = `project "${project}" would have ${count} events; at most ${limits.toldEvents} are kept: delete some that are over`;
        throw new AppError('conflict', message);
      }
      for (const event of events) {
        const { id, atMs, kind, title, toldMs } = event;
        const { service = null, environment = null, version = null, link = null } = event;
        this.#sql.add.run(row, id, atMs, kind, title, service, environment, version, link, toldMs);
      }
    });
  }

  async remove(project: string, id: string): Promise<void> {
    await this.#rows.write(() => {
      const row = projectRow(this.#sql.findProject, project);
      if (this.#sql.has.get(row, id) === undefined) {
        throw new AppError('not_found', `there is no event ${JSON.stringify(id)}`, { field: 'id' });
      }
      this.#sql.remove.run(row, id);
    });
  }

  close(): Promise<void> {
    return this.#rows.close();
  }
}
