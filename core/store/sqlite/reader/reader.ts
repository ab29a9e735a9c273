import { AppError } from '../../../error.ts';
import { Tally } from '../../../usage/tally.ts';
import type { CallReader, Snapshot } from '../../store.ts';
import { type Database, isSqliteError } from '../database.ts';
import { openDatabase } from '../open.ts';
import { StoredCallSource } from '../search/stored-pieces.ts';
import { StoreFile } from '../store-file.ts';
import { CompactedUsage } from './compacted-usage.ts';
import { damagedRows, noteDamage } from './damage-log.ts';
import { DecisionCache } from './decision-cache.ts';
import { DimensionCache } from './dimension-cache.ts';
import { EndpointCache } from './endpoint-cache.ts';
import { InventoryCache } from './inventory-cache.ts';
import { SqliteSnapshot } from './snapshot.ts';

/**
 * @param path the file, made where absent, with its folder
 * @throws AppError `unavailable` when the file cannot be opened, `conflict` when a newer program wrote it
 */
export async function openSqliteReader(path: string): Promise<CallReader> {
  return new SqliteReader(openDatabase(path, 'read'));
}

class SqliteReader implements CallReader {
  readonly #db: Database;
  readonly #file: StoreFile;
  readonly #endpoints: EndpointCache;
  readonly #dimensions: DimensionCache;
  readonly #compacted: CompactedUsage;
  readonly #inventories: InventoryCache;
  readonly #decisions: DecisionCache;
  readonly #calls: StoredCallSource;
  readonly #tally = new Tally();
  /** One snapshot at a time: they share the connection, its transaction and the tally. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(db: Database) {
    this.#db = db;
    this.#file = new StoreFile(db.path);
    this.#endpoints = new EndpointCache(db);
    this.#dimensions = new DimensionCache(db);
    this.#compacted = new CompactedUsage(db, noteDamage);
    this.#inventories = new InventoryCache(db);
    this.#decisions = new DecisionCache(db);
    this.#calls = new StoredCallSource(db, noteDamage);
    // Level blocks are read again and again.
    db.pragma('cache_size = -32768');
  }

  snapshot<T>(project: string, ask: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const answer = this.#last.then(() => this.#ask(project, ask));
    // Resolves to nothing, so that no answer is held in memory until the next snapshot.
    this.#last = answer.then(ignore, ignore);
    return answer;
  }

  async check(): Promise<void> {
    await this.snapshot('', async () => undefined);
  }

  damagedRows(): number {
    return damagedRows();
  }

  async close(): Promise<void> {
    await this.#last;
    this.#db.close();
  }

  async #ask<T>(project: string, ask: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    try {
      this.#file.check();
      this.#db.exec('BEGIN');
      this.#dimensions.keepUp();
      const caches = [
        this.#endpoints,
        this.#dimensions,
        this.#compacted,
        this.#inventories,
        this.#decisions,
        this.#calls,
      ] as const;
      return await ask(new SqliteSnapshot(this.#db, ...caches, project, this.#tally));
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      throw new AppError('unavailable', `the store cannot be read: ${error.message}`, {
        cause: error,
      });
    } finally {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
    }
  }
}

const ignore = (): void => {};
