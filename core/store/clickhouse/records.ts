import type { ConsumerStore } from '../annotations/consumers.ts';
import type { EventStore } from '../annotations/events.ts';
import type { ArrivalStore } from '../arrivals.ts';
import type { InternalCallerStore } from '../callers/internal-callers.ts';
import type { DecisionStore } from '../decisions.ts';
import type { InventoryStore } from '../inventory.ts';
import type { KeyStore } from '../keys.ts';
import { SqliteConsumers } from '../sqlite/annotations/consumers.ts';
import { SqliteEvents } from '../sqlite/annotations/events.ts';
import { SqliteArrivals } from '../sqlite/arrivals.ts';
import { SqliteInternalCallers } from '../sqlite/callers/internal-callers.ts';
import { SqliteDecisions } from '../sqlite/decisions.ts';
import { SqliteEndpoints } from '../sqlite/endpoints.ts';
import { SqliteInventories } from '../sqlite/inventory/inventories.ts';
import { SqliteKeys } from '../sqlite/keys.ts';
import type { RowTransactions } from '../sqlite/short-transactions.ts';
import { SqliteVerdicts } from '../sqlite/verdicts.ts';
import type { EndpointStore } from '../store.ts';
import type { VerdictStore } from '../verdicts.ts';
import { Connection } from './connection.ts';
import { Replica } from './replica.ts';
import { makeTables } from './tables.ts';

/** Tables of the state that grow with calls, and that none of these stores uses. */
const tablesOfCalls: ReadonlySet<string> = new Set([
  ...['call', 'call_weight', 'call_commit', 'commit_calls', 'call_block', 'call_block_part'],
  ...['usage_run', 'usage_block', 'usage_shard', 'damaged_usage', 'delivery', 'client', 'origin'],
  ...['delivery_even', 'delivery_odd'],
]);

/** By address: the records that stores of this thread share, and how many stores. */
const shared = new Map<string, { records: Promise<Records>; users: number }>();

/**
 * The same records for every store of this thread, which is one replica instead of one for each; the last store that is
 * closed closes them. Each call is for one store.
 * @throws AppError `conflict` when another release wrote the store, `unavailable`
 */
export async function sharedRecords(url: string): Promise<Records> {
  const known = shared.get(url) ?? { records: openRecords(url, () => release(url)), users: 0 };
  shared.set(url, known);
  known.users += 1;
  try {
    return await known.records;
  } catch (error) {
    if (shared.get(url) === known) shared.delete(url);
    throw error;
  }
}

/** @returns whether nobody uses them any more */
function release(url: string): boolean {
  const known = shared.get(url);
  if (known === undefined) return true;
  known.users -= 1;
  if (known.users > 0) return false;
  shared.delete(url);
  return true;
}

/**
 * @param isLast called when a store is closed: whether the records are closed with it
 * @throws AppError `conflict` when another release wrote the store, `unavailable`
 */
export async function openRecords(url: string, isLast = () => true): Promise<Records> {
  const connection = new Connection(url);
  try {
    await makeTables(connection);
    const records = new Records(connection, isLast);
    await records.read(() => undefined);
    return records;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Keys, inventories, decisions and the like: the stores of the SQLite engine on a replica of their tables. */
class Records implements RowTransactions {
  readonly #connection: Connection;
  readonly #replica: Replica;

  readonly #isLast: () => boolean;

  constructor(connection: Connection, isLast: () => boolean) {
    this.#connection = connection;
    this.#isLast = isLast;
    this.#replica = new Replica(connection, tablesOfCalls);
  }

  read<T>(work: () => T): Promise<T> {
    return this.#replica.exclusively(async () => {
      await this.#replica.sync();
      return work();
    });
  }

  /** A step: durable, and seen by every process, when this resolves. */
  write<T>(work: () => T): Promise<T> {
    return this.#replica.exclusively(() => this.#replica.commit(work));
  }

  glance<T>(work: () => T): Promise<T> {
    return this.read(work);
  }

  keys(): KeyStore {
    return new SqliteKeys(this.#replica.db, this);
  }

  inventories(): InventoryStore {
    return new SqliteInventories(this.#replica.db, this);
  }

  decisions(): DecisionStore {
    return new SqliteDecisions(this.#replica.db, this);
  }

  verdicts(): VerdictStore {
    return new SqliteVerdicts(this.#replica.db, this);
  }

  arrivals(): ArrivalStore {
    return new SqliteArrivals(this.#replica.db, this);
  }

  internalCallers(): InternalCallerStore {
    return new SqliteInternalCallers(this.#replica.db, this);
  }

  consumers(): ConsumerStore {
    return new SqliteConsumers(this.#replica.db, this);
  }

  events(): EventStore {
    return new SqliteEvents(this.#replica.db, this);
  }

  endpoints(): EndpointStore {
    return new SqliteEndpoints(this.#replica.db, this);
  }

  /** Closes what one store used: the connection and the replica with the last of them. */
  close(): Promise<void> {
    return this.#replica.exclusively(async () => {
      if (!this.#isLast()) return;
      this.#connection.close();
      this.#replica.db.close();
    });
  }
}
