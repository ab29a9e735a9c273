import { effectiveInventories, type Inventory } from '../../inventory.ts';
import type { Database, Statement } from '../database.ts';
import {
  type InventoryRow,
  type InventoryTable,
  inventoryOfRow,
  newestInventories,
} from '../inventory/inventory-rows.ts';

/** Projects whose inventories are remembered; past it all are forgotten. */
const projectsRemembered = 8;

/** The inventories of a project that apply, decoded again only after a version was added to the store. */
export class InventoryCache {
  readonly #remembered = new Map<string, { newest: string; inventories: readonly Inventory[] }>();
  readonly #newest: Statement;
  readonly #readUploaded: Statement;
  readonly #readOverOtlp: Statement;

  constructor(db: Database) {
    const newest = (table: InventoryTable) => `(SELECT ifnull(max(id), 0) FROM ${table})`;
    this.#newest = db
      .prepare(`SELECT ${newest('inventory')} || ' ' || ${newest('otlp_inventory')}`)
      .pluck();
    this.#readUploaded = db.prepare(newestInventories('inventory'));
    this.#readOverOtlp = db.prepare(newestInventories('otlp_inventory'));
  }

  inventories(project: string): readonly Inventory[] {
    const newest = this.#newest.get() as string;
    const remembered = this.#remembered.get(project);
    if (remembered?.newest === newest) return remembered.inventories;
    const read = (statement: Statement) =>
      (statement.all(project) as InventoryRow[]).map(inventoryOfRow);
    const inventories = effectiveInventories(read(this.#readUploaded), read(this.#readOverOtlp));
    if (this.#remembered.size >= projectsRemembered) this.#remembered.clear();
    this.#remembered.set(project, { newest, inventories });
    return inventories;
  }
}
