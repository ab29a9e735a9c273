import type { EndpointRecord } from '../../store.ts';
import type { Database, Statement } from '../database.ts';
import { OriginNumbers } from '../usage/origin-numbers.ts';
import type { KnownEndpoint } from './endpoint-cache.ts';
import { RecentUsageCache } from './recent-usage.ts';

/** Rows of each kind in the cache; a full cache is emptied, since reading a row again is cheap. */
const cachedRows = 200_000;

/** What reports show of an origin row. */
export interface CallContextValues {
  serviceVersion: string;
  consumer: string;
  agent: string;
  bot: 0 | 1;
  errorType: string;
}

export interface ConsumerName {
  name: string;
  /** 1 when the name is the product of a user agent. */
  isAgent: number;
}

/**
 * Values of client and origin rows, cached from report to report. A row changes only when ROLLCALL_CLIENT_PRIVACY
 * is switched on and full addresses are taken out (writer/address-removal.ts), or when ROLLCALL_IGNORE_CONSUMERS
 * changes; each raises a counter in `meta`.
 */
export class DimensionCache {
  readonly origins: OriginNumbers;
  readonly recentUsage = new RecentUsageCache();
  /** Records that were made of these values. They go when an endpoint is read anew (endpoint-cache.ts). */
  records = new WeakMap<KnownEndpoint, EndpointRecord>();
  readonly #clients = new Map<number, string>();
  readonly #versions = new Map<number, string>();
  readonly #consumers = new Map<number, ConsumerName>();
  readonly #origins = new Map<number, CallContextValues>();
  readonly #readClient: Statement;
  readonly #readOrigin: Statement;
  readonly #readVersion: Statement;
  readonly #readConsumer: Statement;
  readonly #readForgotten: Statement;
  #forgotten: unknown;

  constructor(db: Database) {
    this.#readClient = db.prepare('SELECT address FROM client WHERE id = ?').pluck();
    this.#readOrigin = db.prepare(
      'SELECT service_version AS serviceVersion, consumer, agent, bot, error_type AS errorType FROM origin WHERE id = ?',
    );
    this.origins = new OriginNumbers(db);
    this.#readVersion = db.prepare('SELECT name FROM service_version WHERE id = ?').pluck();
    this.#readConsumer = db.prepare('SELECT name, is_agent AS isAgent FROM consumer WHERE id = ?');
    this.#readForgotten = db
      .prepare("SELECT value FROM meta WHERE key = 'addresses_forgotten'")
      .pluck();
  }

  /** Empties the cache when rows have changed. Called at the beginning of a snapshot. */
  keepUp(): void {
    const forgotten = this.#readForgotten.get();
    if (forgotten === this.#forgotten) return;
    this.#forgotten = forgotten;
    this.records = new WeakMap();
    this.#clients.clear();
    this.#origins.clear();
    this.origins.forget();
    this.recentUsage.forget();
    this.#consumers.clear();
  }

  /** The address of a client row; empty for 0, the unknown client. */
  client(row: number): string {
    if (row === 0) return '';
    return cached(this.#clients, row, this.#readClient);
  }

  origin(row: number): CallContextValues {
    return cached(this.#origins, row, this.#readOrigin);
  }

  version(row: number): string {
    return cached(this.#versions, row, this.#readVersion);
  }

  consumer(row: number): ConsumerName {
    return cached(this.#consumers, row, this.#readConsumer);
  }
}

function cached<T>(cache: Map<number, T>, row: number, read: Statement): T {
  let value = cache.get(row);
  if (value === undefined) {
    value = read.get(row) as T;
    if (cache.size >= cachedRows) cache.clear();
    cache.set(row, value);
  }
  return value;
}
