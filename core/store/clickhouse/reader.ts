import { CallDictionary } from '../../call.ts';
import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import { isSqliteError } from '../sqlite/database.ts';
import { CompactedUsage } from '../sqlite/reader/compacted-usage.ts';
import { noteDamage } from '../sqlite/reader/damage-log.ts';
import { DecisionCache } from '../sqlite/reader/decision-cache.ts';
import { DimensionCache } from '../sqlite/reader/dimension-cache.ts';
import { EndpointCache } from '../sqlite/reader/endpoint-cache.ts';
import { InventoryCache } from '../sqlite/reader/inventory-cache.ts';
import { SqliteSnapshot } from '../sqlite/reader/snapshot.ts';
import { StoredCallSource } from '../sqlite/search/stored-pieces.ts';
import type { CallReader, Snapshot } from '../store.ts';
import { Connection } from './connection.ts';
import { type Delivered, DeliveryLog } from './delivery-log.ts';
import { Replica } from './replica.ts';
import { makeTables } from './tables.ts';
import { UncompactedCalls } from './uncompacted-calls.ts';
import { readWatermark } from './watermark.ts';

/** @throws AppError `conflict` when another release wrote the store, `unavailable` */
export async function openClickhouseReader(url: string): Promise<CallReader> {
  const connection = new Connection(url);
  try {
    await makeTables(connection);
    const reader = new ClickhouseReader(connection);
    await reader.check();
    return reader;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * Reads the state that a replica holds, with the SQLite engine's reader, and the deliveries that are not compacted yet: a
 * snapshot adds them to the tables as the compactor will, in a transaction that it rolls back.
 */
class ClickhouseReader implements CallReader {
  readonly #connection: Connection;
  readonly #log: DeliveryLog;
  readonly #replica: Replica;
  readonly #uncompacted: UncompactedCalls;
  /** Usage that is compacted is in every snapshot as it is in the state. */
  readonly #compacted: CompactedUsage;
  /** Of the state alone. */
  readonly #caches: Caches;
  /** What the last snapshot added to the state; the next one adds the same while nothing has come. */
  #added: Added | undefined;
  /** Questions that came since the last look at the server began. */
  #asked: Question[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#log = new DeliveryLog(connection);
    this.#replica = new Replica(connection);
    this.#uncompacted = new UncompactedCalls(this.#replica.db);
    this.#compacted = new CompactedUsage(this.#replica.db, noteDamage);
    this.#caches = new Caches(this.#replica);
  }

  /**
   * Questions that wait for one another share what they need: one look at the server, taken after all of them came, and
   * one addition of what is not compacted. A dashboard asks a dozen at once.
   */
  snapshot<T>(project: string, ask: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer = async (snapshot: Snapshot): Promise<void> => resolve(await ask(snapshot));
      this.#asked.push({ project, ask: answer, reject });
      if (this.#asked.length === 1) this.#replica.exclusively(() => this.#answer());
    });
  }

  async #answer(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    try {
      await this.#ask(asked, await this.#read());
    } catch (error) {
      // Of those that are answered already a rejection changes nothing.
      for (const { reject } of asked) reject(error);
    }
  }

  async check(): Promise<void> {
    await this.#replica.exclusively(() => this.#replica.sync());
  }

  close(): Promise<void> {
    return this.#replica.exclusively(async () => {
      this.#replica.close();
      this.#connection.close();
    });
  }

  /** Brings the state and what is added to it up to date: one small query where nothing has changed. */
  async #read(): Promise<Added> {
    const { isBehind, inserted } = await this.#newest();
    const known = this.#added;
    if (known && !isBehind && known.inserted === inserted) return known;
    this.#added = undefined;
    // Deliveries are read after the steps: one that a step takes meanwhile is still in the log.
    if (isBehind) await this.#replica.sync();
    const waiting = await this.#waiting();
    // Rows that the compactor may number otherwise: no cache of theirs outlives them.
    const caches = waiting.length > 0 ? new Caches(this.#replica) : this.#caches;
    this.#added = { inserted, waiting, caches };
    return this.#added;
  }

  /** Whether there are steps that the replica lacks, and the number of the newest INSERT into the log. */
  async #newest(): Promise<{ isBehind: boolean; inserted: number }> {
    const [row] = await this.#connection.rows<{ steps: number; inserted: number }>(
      `SELECT (SELECT count() FROM step WHERE n > {head:UInt64}) AS steps,
       (SELECT max(max_block_number) FROM system.parts WHERE database = {database:String} AND table = 'delivery' AND active) AS inserted`,
      { head: this.#replica.head, database: this.#connection.database },
    );
    return { isBehind: Number(row?.steps) > 0, inserted: Number(row?.inserted ?? 0) };
  }

  /** Everything that is acknowledged and not compacted. */
  async #waiting(): Promise<Delivered[]> {
    const found: Delivered[] = [];
    const dictionary = new CallDictionary();
    let calls = 0;
    for (let at = readWatermark(this.#replica.db), isMore = true; isMore; ) {
      const delivered = await this.#log.after(at, dictionary);
      if (delivered.watermark > at) found.push(delivered);
      calls += delivered.batch.length;
      if (calls > limits.uncompactedCalls) {
        throw new AppError(
          'unavailable',
          `more than ${limits.uncompactedCalls} calls in ${this.#connection.name} wait for compaction: is a collector running?`,
        );
      }
      at = delivered.watermark;
      isMore = delivered.isMore;
    }
    return found;
  }

  /** In one transaction, which is rolled back. */
  async #ask(asked: readonly Question[], { waiting, caches }: Added): Promise<void> {
    const { db } = this.#replica;
    try {
      db.exec('BEGIN');
      // Repeated deliveries are taken out of their batches, which can then not be added again.
      if (waiting.length > 0 && !this.#uncompacted.add(waiting)) this.#added = undefined;
      caches.dimensions.keepUp();
      const { endpoints, dimensions, inventories, decisions, calls } = caches;
      const readers = [
        endpoints,
        dimensions,
        this.#compacted,
        inventories,
        decisions,
        calls,
      ] as const;
      for (const { project, ask, reject } of asked) {
        const snapshot = new SqliteSnapshot(db, ...readers, project);
        await ask(snapshot).catch((error: unknown) => reject(this.#asUnavailable(error)));
      }
    } catch (error) {
      throw this.#asUnavailable(error);
    } finally {
      if (db.inTransaction) db.exec('ROLLBACK');
    }
  }

  /** After an error nothing is kept from snapshot to snapshot. */
  #asUnavailable(error: unknown): unknown {
    this.#added = undefined;
    if (!isSqliteError(error)) return error;
    return new AppError('unavailable', `the state cannot be read: ${error.message}`, {
      cause: error,
    });
  }
}

/** A question that waits for its snapshot. */
interface Question {
  project: string;
  ask: (snapshot: Snapshot) => Promise<void>;
  reject: (error: unknown) => void;
}

interface Added {
  inserted: number;
  waiting: readonly Delivered[];
  caches: Caches;
}

class Caches {
  readonly endpoints: EndpointCache;
  readonly dimensions: DimensionCache;
  readonly inventories: InventoryCache;
  readonly decisions: DecisionCache;
  readonly calls: StoredCallSource;

  constructor({ db }: Replica) {
    this.endpoints = new EndpointCache(db);
    this.dimensions = new DimensionCache(db);
    this.inventories = new InventoryCache(db);
    this.decisions = new DecisionCache(db);
    this.calls = new StoredCallSource(db, noteDamage);
  }
}
