import { gunzipSync, gzipSync } from 'node:zlib';
import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import {
  type Authorship,
  type FormerRoute,
  type Inventory,
  type InventoryPlace,
  type InventoryStore,
  type InventoryVersion,
  inventoryChange,
  type KnownDeclaration,
  type NewInventory,
} from '../inventory.ts';
import type { Database, Statement } from './database.ts';
import { openDatabase } from './open.ts';
import { findProject, projectRow } from './project-row.ts';
import { ShortTransactions } from './short-transactions.ts';

/**
 * Declared routes in the store's file: one row a version, its routes compressed in it.
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export async function openSqliteInventories(path: string): Promise<InventoryStore> {
  return new SqliteInventories(openDatabase(path, 'write'));
}

class SqliteInventories implements InventoryStore {
  readonly #db: Database;
  readonly #rows: ShortTransactions;
  readonly #sql;

  constructor(db: Database) {
    this.#db = db;
    this.#rows = new ShortTransactions(db, 'inventories');
    this.#sql = statements(db);
  }

  async replace(project: string, place: InventoryPlace, next: NewInventory): Promise<Inventory> {
    return this.#rows.write(() => {
      const projectId = projectRow(this.#sql.findProject, project);
      const before = this.#newest(projectId, place);
      if (before && isSame(before, next)) return before;
      if (!before) this.#refuseFull(projectId, project);
      return this.#add(projectId, place, before, next);
    });
  }

  async remove(project: string, place: InventoryPlace, by: Authorship): Promise<void> {
    this.#rows.write(() => {
      const projectId = projectRow(this.#sql.findProject, project);
      const before = this.#newest(projectId, place);
      if (!before || before.format === deletedFormat) throw noInventory(place);
      this.#add(projectId, place, before, {
        ...by,
        format: deletedFormat,
        routes: [],
        prefixes: before.prefixes,
      });
    });
  }

  async inventory(project: string, place: InventoryPlace): Promise<Inventory | undefined> {
    return this.#rows.read(() => {
      const found = this.#newest(projectRow(this.#sql.findProject, project), place);
      return found?.format === deletedFormat ? undefined : found;
    });
  }

  async history(project: string, place: InventoryPlace): Promise<InventoryVersion[]> {
    return this.#rows.read(() =>
      (
        this.#sql.history.all(
          projectRow(this.#sql.findProject, project),
          place.service,
          place.environment,
        ) as VersionRow[]
      ).map((row) => ({ ...place, ...row })),
    );
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #newest(projectId: number, place: InventoryPlace): Inventory | undefined {
    const row = this.#sql.newest.get(projectId, place.service, place.environment);
    return row === undefined ? undefined : inventoryOfRow(row as InventoryRow);
  }

  #refuseFull(projectId: number, project: string): void {
    const count = this.#sql.count.get(projectId) as number;
    if (count < limits.inventoriesPerProject) return;
    const message = `there are ${count} inventories in project "${project}"; the bound is ${limits.inventoriesPerProject}`;
    throw new AppError('conflict', message);
  }

  #add(
    projectId: number,
    { service, environment }: InventoryPlace,
    before: Inventory | undefined,
    next: NewInventory,
  ): Inventory {
    const { author, createdMs, format, prefixes } = next;
    const change = inventoryChange(before, next.routes, createdMs);
    const { addedRoutes, removedRoutes, routes, former } = change;
    const version = (before?.version ?? 0) + 1;
    const content = gzipSync(JSON.stringify({ routes, prefixes, former } satisfies Content));
    this.#sql.add.run(
      ...[projectId, service, environment, version, createdMs, author, format],
      ...[routes.length, addedRoutes, removedRoutes, content],
    );
    this.#sql.forget.run(projectId, service, environment, version - limits.inventoryVersions);
    const counts = { declaredRoutes: routes.length, addedRoutes, removedRoutes };
    return { service, environment, version, ...counts, ...next, routes, former };
  }
}

/** A version that says that the inventory was deleted: former routes stay known. */
export const deletedFormat = 'deleted';

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

function isSame(before: Inventory, next: NewInventory): boolean {
  if (before.format === deletedFormat) return false;
  const routes = before.routes.map(({ addedMs: _addedMs, ...route }) => route);
  return JSON.stringify([routes, before.prefixes]) === JSON.stringify([next.routes, next.prefixes]);
}

function noInventory({ service, environment }: InventoryPlace): AppError {
  const where = environment === null ? 'for all environments' : `in environment "${environment}"`;
  return new AppError('not_found', `service "${service}" has no inventory ${where}`);
}

const versionColumns = `version, created_ms AS createdMs, author, format, declared_routes AS declaredRoutes,
  added_routes AS addedRoutes, removed_routes AS removedRoutes`;
/** `IS` takes null for a value. */
const atPlace = 'project_id = ? AND service = ? AND environment IS ?';

/** Of every place of a project its newest version; the project's name is the parameter. */
export const newestInventories = `SELECT service, environment, ${versionColumns}, content
  FROM inventory i JOIN (
    SELECT max(id) AS newest FROM inventory
    WHERE project_id = (SELECT id FROM project WHERE name = ?) GROUP BY service, environment
  ) ON i.id = newest ORDER BY service, environment`;

function statements(db: Database) {
  return {
    findProject: findProject(db),
    newest: db.prepare(
      `SELECT service, environment, ${versionColumns}, content FROM inventory
       WHERE ${atPlace} ORDER BY version DESC LIMIT 1`,
    ),
    history: db.prepare(
      `SELECT ${versionColumns} FROM inventory WHERE ${atPlace} ORDER BY version DESC`,
    ),
    count: db
      .prepare(
        'SELECT count(*) FROM (SELECT DISTINCT service, environment FROM inventory WHERE project_id = ?)',
      )
      .pluck(),
    add: db.prepare(
      `INSERT INTO inventory (project_id, service, environment, version, created_ms, author, format,
         declared_routes, added_routes, removed_routes, content)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    forget: db.prepare(`DELETE FROM inventory WHERE ${atPlace} AND version <= ?`),
  } satisfies Record<string, Statement>;
}
