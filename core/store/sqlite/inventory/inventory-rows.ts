import { gunzipSync, gzipSync } from 'node:zlib';
import { limits } from '../../../limits.ts';
import {
  type FormerRoute,
  type Inventory,
  type InventoryPlace,
  type InventoryVersion,
  inventoryChange,
  type KnownDeclaration,
  type NewInventory,
} from '../../inventory.ts';
import type { Database, Statement } from '../database.ts';

/** Where inventories lie: those that were uploaded, and those that services declared over OTLP. */
export type InventoryTable = 'inventory' | 'otlp_inventory';

/** A version that says that the inventory was deleted: former routes stay known. */
export const deletedFormat = 'deleted';

/** The row that stands in the place of an inventory that was forgotten, so that its readers notice. Its version is 0. */
const forgottenFormat = 'forgotten';

/** Versions of inventories in one table, its routes compressed in a row. Every method runs in its caller's transaction. */
export class InventoryRows {
  readonly #sql;
  readonly #historyBytes: number;

  constructor(
    db: Database,
    table: InventoryTable,
    historyBytes: number = limits.inventoryHistoryBytes,
  ) {
    this.#sql = statements(db, table);
    this.#historyBytes = historyBytes;
  }

  newest(projectId: number, { service, environment }: InventoryPlace): Inventory | undefined {
    const row = this.#sql.newest.get(projectId, service, environment) as InventoryRow | undefined;
    return row === undefined || row.version === 0 ? undefined : inventoryOfRow(row);
  }

  history(projectId: number, place: InventoryPlace): InventoryVersion[] {
    const rows = this.#sql.history.all(projectId, place.service, place.environment);
    return (rows as VersionRow[]).map((row) => ({ ...place, ...row }));
  }

  /** The id of the newest row of all projects. */
  lastId(): number {
    return this.#sql.lastId.get() as number;
  }

  /** The newest version of each place that was added after a row. */
  changedAfter(id: number): { project: string; inventory: Inventory }[] {
    const rows = this.#sql.changed.all(id) as (InventoryRow & { project: string })[];
    return rows.map(({ project, ...row }) => ({ project, inventory: inventoryOfRow(row) }));
  }

  /** Services and environments of a project. */
  count(projectId: number): number {
    return this.#sql.count.get(projectId) as number;
  }

  /** Environments in which a service has an inventory. */
  environments(projectId: number, service: string): string[] {
    return this.#sql.environments.all(projectId, service) as string[];
  }

  /** Makes `next` the newest version, unless it is the same as the one before. */
  replace(projectId: number, place: InventoryPlace, next: NewInventory): Inventory {
    const before = this.newest(projectId, place);
    return before && isSame(before, next) ? before : this.add(projectId, place, before, next);
  }

  /**
   * Forgets the inventories of a service with all their versions.
   * @param environment null: of every environment, and the one for all of them
   * @returns whether there was any
   */
  forget(projectId: number, service: string, environment: string | null): boolean {
    const places = this.#sql.places.all(projectId, service, environment, environment) as {
      environment: string | null;
    }[];
    const content = gzipSync(JSON.stringify({ routes: [], prefixes: [], former: [] }));
    for (const place of places) {
      // The new row comes first: an id that was deleted is given again.
      const names = [projectId, service, place.environment] as const;
      this.#sql.forgetMark.run(...names);
      const id = this.#sql.add.run(...names, 0, 0, '', forgottenFormat, 0, 0, 0, content);
      this.#sql.forgetBefore.run(...names, id);
    }
    return places.length > 0;
  }

  add(
    projectId: number,
    place: InventoryPlace,
    before: Inventory | undefined,
    next: NewInventory,
  ): Inventory {
    return this.insert(projectId, place, versionAfter(before, next, this.formerMost(projectId)));
  }

  /** Former routes that one inventory of a project may keep. */
  formerMost(projectId: number): number {
    return Math.floor(limits.formerRoutes / Math.max(1, this.count(projectId)));
  }

  /** Routes that the newest versions of a project's other inventories declare. */
  declaredBeside(projectId: number, { service, environment }: InventoryPlace): number {
    return this.#sql.declaredBeside.get(projectId, service, environment) as number;
  }

  insert(
    projectId: number,
    { service, environment }: InventoryPlace,
    made: MadeVersion,
  ): Inventory {
    const { content, next, version, routes, former, prefixes: _same, ...counts } = made;
    const { author, createdMs, format } = next;
    const { addedRoutes, removedRoutes } = counts;
    this.#sql.add.run(
      ...[projectId, service, environment, version, createdMs, author, format],
      ...[routes.length, addedRoutes, removedRoutes, content],
    );
    this.#sql.forget.run(projectId, service, environment, version - limits.inventoryVersions);
    this.#sql.forgetBeyond.run(projectId, this.#historyBytes, projectId);
    return { service, environment, version, ...counts, ...next, routes, former };
  }

  /** The id of the newest row of a place; 0 without one. */
  newestId(projectId: number, { service, environment }: InventoryPlace): number {
    return (this.#sql.newestId.get(projectId, service, environment) as number | null) ?? 0;
  }
}

/** A version that is ready to be stored. */
export interface MadeVersion extends Content {
  next: NewInventory;
  version: number;
  declaredRoutes: number;
  addedRoutes: number;
  removedRoutes: number;
  /** `Content` as it is stored. */
  content: Uint8Array;
}

/** The version that follows: for 20,000 routes it takes 0.25 s, too long to hold the write lock. */
export function versionAfter(
  before: Inventory | undefined,
  next: NewInventory,
  formerMost: number,
): MadeVersion {
  const { prefixes, createdMs } = next;
  const { addedRoutes, removedRoutes, routes, former } = inventoryChange(
    before,
    next.routes,
    createdMs,
    formerMost,
  );
  const content = { routes, prefixes, former };
  return {
    ...content,
    next,
    version: (before?.version ?? 0) + 1,
    declaredRoutes: routes.length,
    addedRoutes,
    removedRoutes,
    content: gzipSync(JSON.stringify(content satisfies Content)),
  };
}

interface VersionRow {
  version: number;
  createdMs: number;
  author: string;
  format: string;
  declaredRoutes: number;
  addedRoutes: number;
  removedRoutes: number;
}

export interface InventoryRow extends VersionRow {
  service: string;
  environment: string | null;
  content: Uint8Array;
}

interface Content {
  routes: KnownDeclaration[];
  prefixes: string[];
  former: FormerRoute[];
}

export function inventoryOfRow({ content, ...row }: InventoryRow): Inventory {
  return { ...row, ...(JSON.parse(gunzipSync(content).toString()) as Content) };
}

export function isSame(before: Inventory, next: NewInventory): boolean {
  if (before.format === deletedFormat) return false;
  const routes = before.routes.map(
    ({ addedMs: _added, deprecatedMs: _deprecated, ...route }) => route,
  );
  return JSON.stringify([routes, before.prefixes]) === JSON.stringify([next.routes, next.prefixes]);
}

const versionColumns = `version, created_ms AS createdMs, author, format, declared_routes AS declaredRoutes,
  added_routes AS addedRoutes, removed_routes AS removedRoutes`;
/** `IS` takes null for a value. */
const atPlace = 'project_id = ? AND service = ? AND environment IS ?';

/** Of every place of a project its newest version; the project's name is the parameter. */
export const newestInventories = (table: InventoryTable): string =>
  `SELECT service, environment, ${versionColumns}, content
   FROM ${table} i JOIN (
     SELECT max(id) AS newest FROM ${table}
     WHERE project_id = (SELECT id FROM project WHERE name = ?) GROUP BY service, environment
   ) ON i.id = newest ORDER BY service, environment`;

function statements(db: Database, table: InventoryTable) {
  return {
    newest: db.prepare(
      `SELECT service, environment, ${versionColumns}, content FROM ${table}
       WHERE ${atPlace} ORDER BY version DESC LIMIT 1`,
    ),
    newestId: db.prepare(`SELECT max(id) FROM ${table} WHERE ${atPlace}`).pluck(),
    history: db.prepare(
      `SELECT ${versionColumns} FROM ${table} WHERE ${atPlace} AND version > 0 ORDER BY version DESC`,
    ),
    lastId: db.prepare(`SELECT ifnull(max(id), 0) FROM ${table}`).pluck(),
    changed: db.prepare(
      `SELECT p.name AS project, i.service, i.environment, ${versionColumns}, content
       FROM ${table} i JOIN project p ON p.id = i.project_id
       WHERE i.id IN (SELECT max(id) FROM ${table} WHERE id > ? GROUP BY project_id, service, environment)
       ORDER BY i.id`,
    ),
    count: db
      .prepare(
        `SELECT count(*) FROM (
           SELECT DISTINCT service, environment FROM ${table} WHERE project_id = ? AND version > 0)`,
      )
      .pluck(),
    declaredBeside: db
      .prepare(
        `SELECT ifnull(sum(declared_routes), 0) FROM ${table} i JOIN (
           SELECT max(id) AS newest FROM ${table} WHERE project_id = ? GROUP BY service, environment
         ) ON i.id = newest WHERE NOT (service = ? AND environment IS ?)`,
      )
      .pluck(),
    environments: db
      .prepare(
        `SELECT DISTINCT environment FROM ${table} WHERE project_id = ? AND service = ?
           AND environment IS NOT NULL AND version > 0 ORDER BY environment`,
      )
      .pluck(),
    places: db.prepare(
      `SELECT DISTINCT environment FROM ${table} WHERE project_id = ? AND service = ?
         AND version > 0 AND (? IS NULL OR environment = ?)`,
    ),
    forgetMark: db.prepare(`DELETE FROM ${table} WHERE ${atPlace} AND version = 0`),
    forgetBefore: db.prepare(`DELETE FROM ${table} WHERE ${atPlace} AND id < ?`),
    add: db.prepare(
      `INSERT INTO ${table} (project_id, service, environment, version, created_ms, author, format,
         declared_routes, added_routes, removed_routes, content)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    forget: db.prepare(`DELETE FROM ${table} WHERE ${atPlace} AND version <= ?`),
    forgetBeyond: db.prepare(
      `DELETE FROM ${table} WHERE id IN (
         SELECT id FROM (
           SELECT id, sum(length(content)) OVER (ORDER BY id DESC) AS bytes FROM ${table} WHERE project_id = ?
         ) WHERE bytes > ?
       ) AND id NOT IN (
         SELECT max(id) FROM ${table} WHERE project_id = ? GROUP BY service, environment)`,
    ),
  } satisfies Record<string, Statement>;
}
