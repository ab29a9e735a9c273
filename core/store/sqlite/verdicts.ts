import { gunzipSync, gzipSync } from 'node:zlib';
import { limits } from '../../limits.ts';
import {
  type DailyTotals,
  type DailyVerdict,
  isChanged,
  type KeptEvidence,
  type VerdictChange,
  type VerdictStore,
} from '../verdicts.ts';
import type { Database, Statement } from './database.ts';
import { findProject, projectRow } from './project-row.ts';
import { openRecords, type RowTransactions } from './short-transactions.ts';

/**
 * @param path of the store's file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export function openSqliteVerdicts(path: string): Promise<VerdictStore> {
  return openRecords(path, SqliteVerdicts, 'verdicts');
}

export class SqliteVerdicts implements VerdictStore {
  readonly #rows: RowTransactions;
  readonly #sql;

  /** @param rows transactions on `db`; `close` closes them */
  constructor(db: Database, rows: RowTransactions) {
    this.#rows = rows;
    this.#sql = statements(db);
  }

  async newestDay(project: string): Promise<number | undefined> {
    return this.#rows.read(() => {
      const day = this.#sql.newestDay.get(this.#project(project)) as number | null;
      return day ?? undefined;
    });
  }

  async record(project: string, day: number, verdicts: readonly DailyVerdict[]): Promise<void> {
    await this.#rows.write(() => {
      const projectId = this.#project(project);
      const newest = this.#sql.newestDay.get(projectId) as number | null;
      if (newest === day || newest === day + 1) return;
      if (newest !== null && newest > day) {
        this.#sql.forgetLaterDays.run(projectId, day);
        this.#sql.forgetLaterChanges.run(projectId, day);
      }
      const before = new Map(
        (this.#sql.latest.all(projectId) as (VerdictChange & { endpoint: string })[]).map((row) => [
          row.endpoint,
          row,
        ]),
      );
      const counts: Record<string, number> = {};
      for (const verdict of verdicts) {
        const { endpoint, status, confidence } = verdict;
        counts[status] = (counts[status] ?? 0) + 1;
        const known = before.get(endpoint);
        before.delete(endpoint);
        if (!isChanged(known, verdict)) continue;
        this.#sql.addChange.run(projectId, endpoint, day, status, confidence);
      }
      for (const { endpoint, status } of before.values()) {
        if (status !== null) this.#sql.addChange.run(projectId, endpoint, day, null, null);
      }
      this.#sql.addDay.run(projectId, day, JSON.stringify(counts));
      this.#sql.forgetDays.run(projectId, day - limits.verdictDays);
    });
  }

  async totals(project: string): Promise<DailyTotals[]> {
    return this.#rows.read(() =>
      (this.#sql.totals.all(this.#project(project)) as { day: number; counts: string }[]).map(
        ({ day, counts }) => ({ day, counts: JSON.parse(counts) as Record<string, number> }),
      ),
    );
  }

  async history(project: string, endpoint: string): Promise<VerdictChange[]> {
    return this.#rows.read(() =>
      (this.#sql.history.all(this.#project(project), endpoint) as VerdictChange[]).reverse(),
    );
  }

  async keepEvidence(project: string, { endpoint, asOfMs, body }: KeptEvidence): Promise<void> {
    await this.#rows.write(() => {
      const projectId = this.#project(project);
      this.#sql.addEvidence.run(projectId, endpoint, asOfMs, gzipSync(body));
      this.#sql.forgetEvidence.run(projectId, projectId, limits.evidences);
    });
  }

  async evidence(
    project: string,
    endpoint: string,
    asOfMs: number,
  ): Promise<KeptEvidence | undefined> {
    return this.#rows.read(() => {
      const body = this.#sql.evidence.get(this.#project(project), endpoint, asOfMs);
      if (body === undefined) return undefined;
      return { endpoint, asOfMs, body: gunzipSync(body as Uint8Array).toString() };
    });
  }

  close(): Promise<void> {
    return this.#rows.close();
  }

  #project(name: string): number {
    return projectRow(this.#sql.findProject, name);
  }
}

function statements(db: Database) {
  return {
    findProject: findProject(db),
    newestDay: db.prepare('SELECT max(day) FROM verdict_day WHERE project_id = ?').pluck(),
    latest: db.prepare(
      `SELECT endpoint, max(day) AS day, status, confidence FROM verdict_change
       WHERE project_id = ? GROUP BY endpoint`,
    ),
    addChange: db.prepare('INSERT OR REPLACE INTO verdict_change VALUES (?, ?, ?, ?, ?)'),
    addDay: db.prepare('INSERT INTO verdict_day VALUES (?, ?, ?)'),
    forgetDays: db.prepare('DELETE FROM verdict_day WHERE project_id = ? AND day <= ?'),
    forgetLaterDays: db.prepare('DELETE FROM verdict_day WHERE project_id = ? AND day > ?'),
    forgetLaterChanges: db.prepare('DELETE FROM verdict_change WHERE project_id = ? AND day > ?'),
    totals: db.prepare('SELECT day, counts FROM verdict_day WHERE project_id = ? ORDER BY day'),
    history: db.prepare(
      `SELECT day, status, confidence FROM verdict_change WHERE project_id = ? AND endpoint = ?
       ORDER BY day DESC LIMIT ${limits.verdictChanges}`,
    ),
    addEvidence: db.prepare(
      'INSERT OR REPLACE INTO evidence (project_id, endpoint, as_of_ms, body) VALUES (?, ?, ?, ?)',
    ),
    forgetEvidence: db.prepare(
      `DELETE FROM evidence WHERE project_id = ? AND id <= (
         SELECT id FROM evidence WHERE project_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    ),
    evidence: db
      .prepare('SELECT body FROM evidence WHERE project_id = ? AND endpoint = ? AND as_of_ms = ?')
      .pluck(),
  } satisfies Record<string, Statement>;
}
