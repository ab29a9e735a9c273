import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import {
  type Decision,
  type DecisionAuthor,
  type DecisionPlace,
  type DecisionRecord,
  type DecisionStore,
  placeShape,
} from '../decisions.ts';
import type { Database, Statement } from './database.ts';
import { findProject, projectRow } from './project-row.ts';
import { openRecords, type RowTransactions } from './short-transactions.ts';

/**
 * Decisions in the store's file: one row each, the newest of a place holds.
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export function openSqliteDecisions(path: string): Promise<DecisionStore> {
  return openRecords(path, SqliteDecisions, 'decisions');
}

export class SqliteDecisions implements DecisionStore {
  readonly #rows: RowTransactions;
  readonly #sql;

  /** @param rows transactions on `db`; `close` closes them */
  constructor(db: Database, rows: RowTransactions) {
    this.#rows = rows;
    this.#sql = statements(db);
  }

  async decide(project: string, decisions: readonly Decision[]): Promise<void> {
    await this.#rows.write(() => {
      const projectId = projectRow(this.#sql.findProject, project);
      for (const decision of decisions) this.#add(projectId, decision);
      const places = this.#sql.places.get(projectId) as number;
      if (places <= limits.decidedEndpoints) return;
      const message = `there would be decisions on ${places} endpoints in project "${project}"; the bound is ${limits.decidedEndpoints}`;
      throw new AppError('conflict', message);
    });
  }

  async withdraw(
    project: string,
    places: readonly DecisionPlace[],
    { by, decidedMs }: DecisionAuthor,
  ): Promise<number> {
    return this.#rows.write(() => {
      const projectId = projectRow(this.#sql.findProject, project);
      let withdrawn = 0;
      for (const place of places) {
        const [newest] = this.#history(projectId, place);
        if (!newest || newest.action === null) continue;
        this.#add(projectId, { ...newest, action: null, reason: '', untilMs: null, by, decidedMs });
        withdrawn += 1;
      }
      return withdrawn;
    });
  }

  async history(project: string, place: DecisionPlace): Promise<DecisionRecord[]> {
    return this.#rows.read(() => this.#history(projectRow(this.#sql.findProject, project), place));
  }

  close(): Promise<void> {
    return this.#rows.close();
  }

  #history(projectId: number, place: DecisionPlace): DecisionRecord[] {
    const { service, environment } = place;
    const rows = this.#sql.history.all(projectId, service, environment, placeShape(place));
    return (rows as DecisionRow[]).map(decisionOfRow);
  }

  #add(projectId: number, decision: DecisionRecord): void {
    const { service, environment, method, route, action, reason, untilMs } = decision;
    const { by, decidedMs, lastAnsweredMs, callers } = decision;
    const place = [projectId, service, environment, placeShape(decision)] as const;
    const evidence = [lastAnsweredMs, JSON.stringify(callers)] as const;
    this.#sql.add.run(...place, method, route, action, reason, untilMs, by, decidedMs, ...evidence);
    this.#sql.forget.run(...place, limits.decisionHistory);
  }
}

export type DecisionRow = Omit<DecisionRecord, 'callers'> & { callers: string };

export function decisionOfRow({ callers, ...row }: DecisionRow): DecisionRecord {
  return { ...row, callers: JSON.parse(callers) as string[] };
}

const columns = `service, environment, method, route, action, reason, until_ms AS untilMs, decided_by AS "by",
  decided_ms AS decidedMs, last_answered_ms AS lastAnsweredMs, callers`;
/** `IS` takes null for a value. */
const atPlace = 'project_id = ? AND service = ? AND environment IS ? AND shape = ?';

/** The newest row of each place of a project, withdrawn ones too; the project's name is the parameter. */
export const newestDecisions = `SELECT ${columns} FROM decision d JOIN (
    SELECT max(id) AS newest FROM decision
    WHERE project_id = (SELECT id FROM project WHERE name = ?) GROUP BY service, environment, shape
  ) ON d.id = newest ORDER BY service, environment, route, method`;

function statements(db: Database) {
  return {
    findProject: findProject(db),
    history: db.prepare(`SELECT ${columns} FROM decision WHERE ${atPlace} ORDER BY id DESC`),
    places: db
      .prepare(
        'SELECT count(*) FROM (SELECT DISTINCT service, environment, shape FROM decision WHERE project_id = ?)',
      )
      .pluck(),
    add: db.prepare(
      `INSERT INTO decision (project_id, service, environment, shape, method, route, action, reason, until_ms,
         decided_by, decided_ms, last_answered_ms, callers)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    forget: db.prepare(
      `DELETE FROM decision WHERE id IN (
         SELECT id FROM decision WHERE ${atPlace} ORDER BY id DESC LIMIT -1 OFFSET ?)`,
    ),
  } satisfies Record<string, Statement>;
}
