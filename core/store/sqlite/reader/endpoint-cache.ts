import type { Database, Statement } from '../database.ts';
import type { EndpointFacts } from '../usage/endpoint-facts.ts';
import { type FactsRow, factColumns, factsOfRow } from '../usage/endpoint-records.ts';

/** An endpoint's names and its compacted facts. Read only: reports share one object. */
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

/** Projects in the cache; a full cache is emptied. */
const cachedProjects = 8;

/**
 * The endpoints of a project. They are read again only when a row may have changed: new endpoints get greater row
 * numbers, compaction changes facts and raises its shard's version in the same transaction, and
 * `displays_changed` counts every other change of a row.
 */
export class EndpointCache {
  readonly #cache = new Map<string, { state: string; known: KnownEndpoint[] }>();
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
    const cached = this.#cache.get(project);
    if (cached?.state === state) return cached.known;
    const rows = this.#read.all(project) as (Omit<KnownEndpoint, 'id' | 'facts'> & FactsRow)[];
    const known = rows.map((columns) => {
      const { row, service_id, service, environment, method, route, display } = columns;
      const facts = factsOfRow(columns);
      const id = String(row);
      return { id, row, service_id, service, environment, method, route, display, facts };
    });
    if (this.#cache.size >= cachedProjects) this.#cache.clear();
    this.#cache.set(project, { state, known });
    return known;
  }
}
