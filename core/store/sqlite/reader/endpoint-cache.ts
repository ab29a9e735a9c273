import type { Database, Statement } from '../database.ts';
import type { EndpointFacts } from '../usage/endpoint-facts.ts';
import { type FactsRow, factColumns, factsOfRow } from '../usage/endpoint-records.ts';

/** An endpoint's names, and its settled facts: read only, they are shared from report to report. */
export interface KnownEndpoint {
  /** The row's number as text: the endpoint's id outside of this engine. */
  id: string;
  row: number;
  service_id: number;
  service: string;
  environment: string;
  method: string;
  route: string;
  /** The service's own spelling; '' where it is `route`. */
  display: string;
  facts: Readonly<EndpointFacts>;
}

/** Projects whose endpoints are remembered; past it all are forgotten. */
const projectsRemembered = 8;

/**
 * The endpoints of a project, read again only when a row may have changed: rows are added with new ids,
 * their facts change where a shard is settled, which raises its version in the same transaction, and
 * `displays_changed` counts the rest.
 */
export class EndpointCache {
  readonly #remembered = new Map<string, { state: string; known: KnownEndpoint[] }>();
  readonly #state: Statement;
  readonly #read: Statement;

  constructor(db: Database) {
    this.#state = db
      .prepare(
        `SELECT (SELECT ifnull(max(id), 0) FROM endpoint) || ' ' ||
          (SELECT ifnull(sum(version), 0) FROM usage_shard) || ' ' ||
          (SELECT value FROM meta WHERE key = 'displays_changed')`,
      )
      .pluck();
    this.#read = db.prepare(
      `SELECT e.id AS row, e.service_id, s.name AS service, s.environment, e.method, e.route, e.display,
        ${factColumns}
       FROM endpoint e JOIN service s ON s.id = e.service_id JOIN project p ON p.id = s.project_id
       WHERE p.name = ? ORDER BY e.id`,
    );
  }

  /** Ascending by row. */
  known(project: string): readonly KnownEndpoint[] {
    const state = this.#state.get() as string;
    const remembered = this.#remembered.get(project);
    if (remembered?.state === state) return remembered.known;
    const rows = this.#read.all(project) as (Omit<KnownEndpoint, 'id' | 'facts'> & FactsRow)[];
    const known = rows.map((columns) => {
      const { row, service_id, service, environment, method, route, display } = columns;
      const facts = factsOfRow(columns);
      const id = String(row);
      return { id, row, service_id, service, environment, method, route, display, facts };
    });
    if (this.#remembered.size >= projectsRemembered) this.#remembered.clear();
    this.#remembered.set(project, { state, known });
    return known;
  }
}
