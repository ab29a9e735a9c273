import { AppError } from '../../../error.ts';
import { limits } from '../../../limits.ts';
import type {
  Authorship,
  ChangedInventory,
  Inventory,
  InventoryPlace,
  InventoryStore,
  InventoryVersion,
  NewInventory,
} from '../../inventory.ts';
import type { Database } from '../database.ts';
import { findProject, projectRow } from '../project-row.ts';
import { openRecords, type RowTransactions } from '../short-transactions.ts';
import { deletedFormat, InventoryRows, isSame } from './inventory-rows.ts';

/**
 * Declared routes in the store's file.
 * @param path of the file, made where absent, with its folder
 * @throws AppError `unavailable` when it cannot be opened, `conflict` when a newer program wrote it
 */
export function openSqliteInventories(path: string): Promise<InventoryStore> {
  return openRecords(path, SqliteInventories, 'inventories');
}

export class SqliteInventories implements InventoryStore {
  readonly #rows: RowTransactions;
  readonly #findProject;
  readonly #uploaded: InventoryRows;
  readonly #overOtlp: InventoryRows;

  /** @param rows transactions on `db`; `close` closes them */
  constructor(db: Database, rows: RowTransactions) {
    this.#rows = rows;
    this.#findProject = findProject(db);
    this.#uploaded = new InventoryRows(db, 'inventory');
    this.#overOtlp = new InventoryRows(db, 'otlp_inventory');
  }

  async replace(project: string, place: InventoryPlace, next: NewInventory): Promise<Inventory> {
    return this.#rows.write(() => {
      const projectId = projectRow(this.#findProject, project);
      const before = this.#uploaded.newest(projectId, place);
      if (before && isSame(before, next)) return before;
      if (!before) this.#refuseFull(projectId, project);
      return this.#uploaded.add(projectId, place, before, next);
    });
  }

  async remove(project: string, place: InventoryPlace, by: Authorship): Promise<void> {
    await this.#rows.write(() => {
      const projectId = projectRow(this.#findProject, project);
      const before = this.#uploaded.newest(projectId, place);
      if (!before || before.format === deletedFormat) throw noInventory(place);
      this.#uploaded.add(projectId, place, before, {
        ...by,
        format: deletedFormat,
        routes: [],
        prefixes: before.prefixes,
      });
    });
  }

  async inventory(project: string, place: InventoryPlace): Promise<Inventory | undefined> {
    return this.#rows.read(() => {
      const projectId = projectRow(this.#findProject, project);
      const uploaded = this.#uploaded.newest(projectId, place);
      if (uploaded && uploaded.format !== deletedFormat) return uploaded;
      return this.#overOtlp.newest(projectId, this.#otlpPlace(projectId, place));
    });
  }

  async history(project: string, place: InventoryPlace): Promise<InventoryVersion[]> {
    return this.#rows.read(() => {
      const projectId = projectRow(this.#findProject, project);
      const uploaded = this.#uploaded.history(projectId, place);
      if (uploaded.length > 0 && uploaded[0]!.format !== deletedFormat) return uploaded;
      const declared = this.#overOtlp.history(projectId, this.#otlpPlace(projectId, place));
      return declared.length > 0 ? declared : uploaded;
    });
  }

  async changedSince(revision: string): Promise<{ revision: string; changed: ChangedInventory[] }> {
    return this.#rows.read(() => {
      const [uploaded = 0, overOtlp = 0] = revision.split(' ').map(Number);
      const sources = [
        { source: 'upload', rows: this.#uploaded, after: uploaded },
        { source: 'otlp', rows: this.#overOtlp, after: overOtlp },
      ] as const;
      const changed = sources.flatMap(({ source, rows, after }) =>
        rows.lastId() === after
          ? []
          : rows.changedAfter(after).map((change) => ({ ...change, source })),
      );
      return { revision: sources.map(({ rows }) => rows.lastId()).join(' '), changed };
    });
  }

  close(): Promise<void> {
    return this.#rows.close();
  }

  /** A service declares its routes in its own environment: that one is shown for all when there is no other. */
  #otlpPlace(projectId: number, place: InventoryPlace): InventoryPlace {
    if (place.environment !== null) return place;
    const [only, ...others] = this.#overOtlp.environments(projectId, place.service);
    return only === undefined || others.length > 0 ? place : { ...place, environment: only };
  }

  #refuseFull(projectId: number, project: string): void {
    const count = this.#uploaded.count(projectId);
    if (count < limits.inventoriesPerProject) return;
    const message = `there are ${count} inventories in project "${project}"; the bound is ${limits.inventoriesPerProject}`;
    throw new AppError('conflict', message);
  }
}

function noInventory({ service, environment }: InventoryPlace): AppError {
  const where = environment === null ? 'for all environments' : `in environment "${environment}"`;
  return new AppError('not_found', `service "${service}" has no inventory ${where}`);
}
