import type { Decision } from '../../decisions.ts';
import type { Database, Statement } from '../database.ts';
import { type DecisionRow, decisionOfRow, newestDecisions } from '../decisions.ts';

/** Projects whose decisions are remembered; past it all are forgotten. */
const projectsRemembered = 8;

/** The decisions of a project that hold, read again only after one was added or a service forgotten. */
export class DecisionCache {
  readonly #remembered = new Map<string, { newest: string; decisions: readonly Decision[] }>();
  readonly #newest: Statement;
  readonly #read: Statement;

  constructor(db: Database) {
    // A service that is forgotten takes its decisions along, and their ids are given again. An address that is
    // forgotten leaves the callers of decisions.
    this.#newest = db
      .prepare(
        `SELECT (SELECT ifnull(max(id), 0) FROM decision) || ' ' ||
          (SELECT sum(value) FROM meta WHERE key IN ('endpoints_forgotten', 'addresses_forgotten'))`,
      )
      .pluck();
    this.#read = db.prepare(newestDecisions);
  }

  decisions(project: string): readonly Decision[] {
    const newest = this.#newest.get() as string;
    const remembered = this.#remembered.get(project);
    if (remembered?.newest === newest) return remembered.decisions;
    const rows = (this.#read.all(project) as DecisionRow[]).map(decisionOfRow);
    const decisions = rows.filter((row): row is Decision => row.action !== null);
    if (this.#remembered.size >= projectsRemembered) this.#remembered.clear();
    this.#remembered.set(project, { newest, decisions });
    return decisions;
  }
}
