import { type EndpointTraits, traitsOfText } from '../../../endpoint-traits.ts';
import type { EndpointUse } from '../../../endpoint-use.ts';
import { endpointShape, isBucket, pairKey, type Rival, rivalsOf } from '../../endpoint-identity.ts';
import type { Database, Statement } from '../database.ts';
import type { EndpointFacts } from '../usage/endpoint-facts.ts';
import { type FactsRow, factColumns, factsOfRow } from '../usage/endpoint-records.ts';
import { type UseRow, useColumns, useOfRow } from '../usage/use-facts.ts';

/** One endpoint: the rows of its spellings, the one that gives the id first. Read only: it is shared from report to report. */
export interface KnownEndpoint {
  /** The number of its first row as text: the endpoint's id outside of this engine. */
  id: string;
  service_id: number;
  service: string;
  environment: string;
  method: string;
  spellings: readonly KnownSpelling[];
  /** Spellings of other endpoints that may continue this one; empty for nearly every endpoint. */
  rivals: readonly Rival<KnownSpelling>[];
}

/** One spelling of an endpoint's route, with its settled facts. */
export interface KnownSpelling {
  row: number;
  route: string;
  /** The service's own spelling; '' where it is `route`. */
  display: string;
  templated: boolean;
  facts: Readonly<EndpointFacts>;
  use: Readonly<EndpointUse>;
  /** Undefined when no span said anything. */
  traits: EndpointTraits | undefined;
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
  readonly #pairs: Statement;

  constructor(db: Database) {
    this.#state = db
      .prepare(
        `SELECT (SELECT ifnull(max(id), 0) FROM endpoint) || ' ' ||
          (SELECT ifnull(sum(version), 0) FROM usage_shard) || ' ' ||
          (SELECT value FROM meta WHERE key = 'displays_changed')`,
      )
      .pluck();
    this.#read = db.prepare(
      `SELECT e.id AS row, e.same_as AS sameAs, e.service_id, s.name AS service, s.environment, e.method,
        e.route, e.display, e.templated, t.traits, ${factColumns}, ${useColumns}
       FROM endpoint e LEFT JOIN endpoint_use u ON u.endpoint_id = e.id
       LEFT JOIN endpoint_trait t ON t.endpoint_id = e.id JOIN service s ON s.id = e.service_id JOIN project p ON p.id = s.project_id
       WHERE p.name = ? ORDER BY e.id`,
    );
    this.#pairs = db.prepare('SELECT lower_id, higher_id FROM side_by_side');
  }

  /** Ascending by first row. */
  known(project: string): readonly KnownEndpoint[] {
    const state = this.#state.get() as string;
    const cached = this.#cache.get(project);
    if (cached?.state === state) return cached.known;
    const pairs = (this.#pairs.raw().all() as [number, number][]).map(([a, b]) => pairKey(a, b));
    const known = endpointsOfRows(this.#read.all(project) as EndpointRow[], new Set(pairs));
    if (this.#cache.size >= cachedProjects) this.#cache.clear();
    this.#cache.set(project, { state, known });
    return known;
  }
}

type EndpointRow = Omit<KnownEndpoint, 'id' | 'spellings' | 'rivals'> &
  Omit<KnownSpelling, 'facts' | 'use' | 'traits' | 'templated'> &
  FactsRow &
  UseRow & { sameAs: number; templated: number; traits: string | null };

interface MadeEndpoint extends KnownEndpoint {
  spellings: KnownSpelling[];
}

/** @param rows ascending @param sideBySide pairs of rows (`pairKey`) */
function endpointsOfRows(
  rows: readonly EndpointRow[],
  sideBySide: ReadonlySet<string>,
): KnownEndpoint[] {
  const firstRows = new Set<number>();
  for (const { row, sameAs } of rows) if (sameAs === 0) firstRows.add(row);
  const byFirstRow = new Map<number, MadeEndpoint>();
  for (const columns of rows) {
    const { row, sameAs, service_id, service, environment, method } = columns;
    if (firstRows.has(sameAs)) continue;
    const names = { id: String(row), service_id, service, environment, method };
    byFirstRow.set(row, { ...names, spellings: [spellingOf(columns)], rivals: [] });
  }
  for (const columns of rows) byFirstRow.get(columns.sameAs)?.spellings.push(spellingOf(columns));
  const endpoints = [...byFirstRow.values()];
  // Endpoints of one shape are always found side by side: without a pair there are none.
  if (sideBySide.size > 0) addRivals(endpoints, sideBySide);
  return endpoints;
}

function addRivals(endpoints: readonly MadeEndpoint[], sideBySide: ReadonlySet<string>): void {
  const byShape = Map.groupBy(
    endpoints,
    ({ service_id, method, spellings: [first] }) =>
      `${service_id} ${method} ${endpointShape(first!.route)}`,
  );
  for (const own of byShape.values()) {
    if (own.length < 2 || isBucket(own[0]!.spellings[0]!.route)) continue;
    for (const endpoint of own) {
      const others = own.filter((other) => other !== endpoint);
      const spellings = others.map((other) => other.spellings);
      endpoint.rivals = rivalsOf(endpoint.spellings, spellings, sideBySide);
    }
  }
}

function spellingOf(columns: EndpointRow): KnownSpelling {
  const { row, route, display } = columns;
  const templated = columns.templated === 1;
  const facts = factsOfRow(columns);
  const traits = columns.traits === null ? undefined : traitsOfText(columns.traits);
  return { row, route, display, templated, facts, use: useOfRow(columns), traits };
}
