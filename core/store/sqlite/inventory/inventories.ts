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
import { deletedFormat, InventoryRows, isSame, versionAfter } from './inventory-rows.ts';

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
    return this.#store(project, place, (before) =>
      before && isSame(before, next) ? undefined : next,
    );
  }

  async remove(project: string, place: InventoryPlace, by: Authorship): Promise<void> {
    await this.#store(project, place, (before) => {
      if (!before || before.format === deletedFormat) throw noInventory(place);
      return { ...by, format: deletedFormat, routes: [], prefixes: before.prefixes };
    });
  }

  /**
   * Stores the version that follows the newest one. It is made outside the transaction, which would keep calls from
   * being committed meanwhile, and made again when another version came first.
   * @param nextOf undefined: the newest one stays
   */
  async #store(
    project: string,
    place: InventoryPlace,
    nextOf: (before: Inventory | undefined) => NewInventory | undefined,
  ): Promise<Inventory> {
    for (let attempt = 1; ; attempt += 1) {
      const { id, before, formerMost } = await this.#rows.read(() => {
        const projectId = projectRow(this.#findProject, project);
        const newest = this.#uploaded.newest(projectId, place);
        const formerMost = this.#uploaded.formerMost(projectId);
        return { id: this.#uploaded.newestId(projectId, place), before: newest, formerMost };
      });
      const next = nextOf(before);
      if (next === undefined) return before!;
      const made = versionAfter(before, next, formerMost);
      const stored = await this.#rows.write(() => {
        const projectId = projectRow(this.#findProject, project);
        if (this.#uploaded.newestId(projectId, place) !== id) return undefined;
        if (!before) this.#refuseFull(projectId, project);
        this.#refuseMany(projectId, project, place, made.declaredRoutes);
        return this.#uploaded.insert(projectId, place, made);
      });
      if (stored !== undefined) return stored;
      if (attempt === attemptsMost) {
        const message = `the inventory of service "${place.service}" was replaced ${attempt} times meanwhile; try again`;
        throw new AppError('conflict', message);
      }
    }
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

  #refuseMany(projectId: number, project: string, place: InventoryPlace, routes: number): void {
    if (routes === 0) return;
    const all = this.#uploaded.declaredBeside(projectId, place) + routes;
    if (all <= limits.declaredRoutesPerProject) return;
    const message = `the inventories of project "${project}" would declare ${all} routes; the bound is ${limits.declaredRoutesPerProject}`;
    throw new AppError('conflict', message);
  }

  #refuseFull(projectId: number, project: string): void {
    const count = this.#uploaded.count(projectId);
    if (count < limits.inventoriesPerProject) return;
    const message = `there are ${count} inventories in project "${project}"; the bound is ${limits.inventoriesPerProject}`;
    throw new AppError('conflict', message);
  }
}

/** Uploads of one service at once; each makes the others' attempts fail once. */
const attemptsMost = 10;

function noInventory({ service, environment }: InventoryPlace): AppError {
  const where = environment === null ? 'for all environments' : `in environment "${environment}"`;
  return new AppError('not_found', `service "${service}" has no inventory ${where}`);
}
