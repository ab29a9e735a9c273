import { AppError } from '../../../error.ts';
import { limits } from '../../../limits.ts';
import type { ConsumerNote, ConsumerStore } from '../../annotations/consumers.ts';
import type { Database, Statement } from '../database.ts';
import { findProject, projectRow } from '../project-row.ts';
import { openRecords, type RowTransactions } from '../short-transactions.ts';

export const consumerNotesOfProject = `
  SELECT n.consumer, n.display_name AS displayName, n.group_name AS "group", n.contact, n.changed_ms AS changedMs
  FROM consumer_note n JOIN project p ON p.id = n.project_id WHERE p.name = ? ORDER BY n.consumer
`;

/**
 * Notes on consumers in the store's file.
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export function openSqliteConsumers(path: string): Promise<ConsumerStore> {
  return openRecords(path, SqliteConsumers, 'notes on consumers');
}

export class SqliteConsumers implements ConsumerStore {
  readonly #rows: RowTransactions;
  readonly #sql: Record<'findProject' | 'put' | 'count' | 'remove' | 'has', Statement>;

  /** @param rows transactions on `db`; `close` closes them */
  constructor(db: Database, rows: RowTransactions) {
    this.#rows = rows;
    this.#sql = {
      findProject: findProject(db),
      put: db.prepare(
        `INSERT OR REPLACE INTO consumer_note (project_id, consumer, display_name, group_name, contact, changed_ms)
          VALUES (?, ?, ?, ?, ?, ?)`,
      ),
      count: db.prepare('SELECT count(*) FROM consumer_note WHERE project_id = ?').pluck(),
      has: db.prepare('SELECT 1 FROM consumer_note WHERE project_id = ? AND consumer = ?').pluck(),
      remove: db.prepare('DELETE FROM consumer_note WHERE project_id = ? AND consumer = ?'),
    };
  }

  async put(project: string, notes: readonly ConsumerNote[]): Promise<void> {
    await this.#rows.write(() => {
      const row = projectRow(this.#sql.findProject, project);
      for (const { consumer, displayName, group, contact, changedMs } of notes) {
        this.#sql.put.run(row, consumer, displayName, group, contact, changedMs);
      }
      const count = this.#sql.count.get(row) as number;
      if (count <= limits.consumerNotes) return;
      const message = `project "${project}" would have notes on ${count} consumers; at most ${limits.consumerNotes} are kept`;
      throw new AppError('conflict', message);
    });
  }

  async remove(project: string, consumer: string): Promise<void> {
    await this.#rows.write(() => {
      const row = projectRow(this.#sql.findProject, project);
      if (this.#sql.has.get(row, consumer) === undefined) {
        throw new AppError('not_found', `there is no note on consumer ${JSON.stringify(consumer)}`);
      }
      this.#sql.remove.run(row, consumer);
    });
  }

  close(): Promise<void> {
    return this.#rows.close();
  }
}
