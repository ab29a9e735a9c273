import type { Inventory } from '../../inventory.ts';
import type { Database, Statement } from '../database.ts';
import { type InventoryRow, inventoryOfRow, newestInventories } from '../inventories.ts';

/** Projects whose inventories are remembered; past it all are forgotten. */
const projectsRemembered = 8;

/** The newest inventories of a project, decoded again only after a version was added to the store. */
export class InventoryCache {
  readonly #remembered = new Map<string, { newest: number; inventories: readonly Inventory[] }>();
  readonly #newest: Statement;
  readonly #read: Statement;

  constructor(db: Database) {
    this.#newest = db.prepare('SELECT ifnull(max(id), 0) FROM inventory').pluck();
    this.#read = db.prepare(newestInventories);
  }

  inventories(project: string): readonly Inventory[] {
    const newest = this.#newest.get() as number;
    const remembered = this.#remembered.get(project);
    if (remembered?.newest === newest) return remembered.inventories;
    const inventories = (this.#read.all(project) as InventoryRow[]).map(inventoryOfRow);
    if (this.#remembered.size >= projectsRemembered) this.#remembered.clear();
    this.#remembered.set(project, { newest, inventories });
    return inventories;
  }
}
