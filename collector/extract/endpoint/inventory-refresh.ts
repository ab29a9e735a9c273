import { limits } from '../../../core/limits.ts';
import type { InventoryStore } from '../../../core/store/inventory.ts';
import type { KnownRoutes } from './known-routes.ts';

/** Keeps known routes as the store has them, beside the requests. While the store cannot be read, they stay. */
export class InventoryRefresh {
  readonly #routes: KnownRoutes;
  readonly #inventories: () => Promise<InventoryStore>;
  readonly #timer: NodeJS.Timeout;
  #revision = '';
  #reading: Promise<void> = Promise.resolve();
  #isReading = false;

  constructor(routes: KnownRoutes, inventories: () => Promise<InventoryStore>) {
    this.#routes = routes;
    this.#inventories = inventories;
    this.#timer = setInterval(() => {
      if (!this.#isReading) this.#reading = this.read();
    }, limits.inventoryRefreshMs);
    this.#timer.unref();
  }

  async read(): Promise<void> {
    this.#isReading = true;
    try {
      const store = await this.#inventories();
      const { revision, changed } = await store.changedSince(this.#revision);
      await this.#routes.learnInPieces(changed);
      this.#revision = revision;
    } catch {
      // The next turn tries again; the writer reports a store that fails.
    } finally {
      this.#isReading = false;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
  }
}
