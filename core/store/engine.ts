import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import type { RetentionPeriods } from '../config/retention.ts';
import { AppError } from '../error.ts';
import type { ConsumerStore } from './annotations/consumers.ts';
import type { EventStore } from './annotations/events.ts';
import type { ArrivalStore } from './arrivals.ts';
import type { InternalCallerStore } from './callers/internal-callers.ts';
import type { DecisionStore } from './decisions.ts';
import type { InventoryStore } from './inventory.ts';
import type { KeyStore } from './keys.ts';
import type { StoreNotice } from './notices.ts';
import type { SqlAnswer, SqlBounds } from './sql.ts';
import type { CallReader, CallWriter, CopyProgress, EndpointStore } from './store.ts';
import type { StoreCheck } from './store-check.ts';
import type { HeldStep } from './store-clock.ts';
import type { VerdictStore } from './verdicts.ts';

/**
 * A store that ROLLCALL_STORE names, and everything that can be opened there. No file outside an engine's own
 * folder imports an engine, except this one; an engine's code is loaded when something of it is first opened.
 */
export interface StorePlace {
  /** How messages and log lines name the store. Holds no password. */
  readonly name: string;
  /** File of the key that hashes clients' addresses (ROLLCALL_CLIENT_PRIVACY=hash); it lies beside the store. Undefined
   *  where several collectors share a store: they would need one key. */
  readonly clientKeyPath: string | undefined;
  /** Whether there is a store already. */
  exists(): Promise<boolean>;
  /** Makes what a new store needs to be made in: for SQLite its folder. @throws AppError `unavailable` */
  prepare(): Promise<void>;
  /**
   * @throws AppError `conflict` when the engine has one writer only and another process is it, or when a newer
   *   program wrote the store; `unavailable` when it cannot be opened
   */
  openWriter(options: WriterOptions): Promise<CallWriter>;
  /** @throws AppError `conflict` when a newer program wrote the store, `unavailable` */
  openReader(): Promise<CallReader>;
  /** @throws AppError `conflict` when a newer program wrote the store, `unavailable` */
  openKeys(): Promise<KeyStore>;
  /** @throws AppError `conflict` when a newer program wrote the store, `unavailable` */
  openInventories(): Promise<InventoryStore>;
  /** @throws AppError `conflict` when a newer program wrote the store, `unavailable` */
  openDecisions(): Promise<DecisionStore>;
  /** @throws AppError `conflict` when a newer program wrote the store, `unavailable` */
  openVerdicts(): Promise<VerdictStore>;
  /** @throws AppError `conflict` when a newer program wrote the store, `unavailable` */
  openArrivals(): Promise<ArrivalStore>;
  openInternalCallers(): Promise<InternalCallerStore>;
  /** @throws AppError `conflict` when a newer program wrote the store, `unavailable` */
  openConsumers(): Promise<ConsumerStore>;
  /** @throws AppError `conflict` when a newer program wrote the store, `unavailable` */
  openEvents(): Promise<EventStore>;
  /** @throws AppError `conflict` when a newer program wrote the store, `unavailable` */
  openEndpoints(): Promise<EndpointStore>;
  /**
   * Reads the whole store, also while services use it, and changes nothing.
   * @throws AppError `not_found` without a store, `conflict` for one of another release, `unavailable`
   */
  check(): Promise<StoreCheck>;
  /**
   * Copies the store as it is at one moment into one new file.
   * @returns the bytes of the copy
   * @throws AppError `not_found` without a store, `conflict` when the target exists, `unavailable`
   */
  backUp(target: string, rules: StoreRules): Promise<number>;
  /**
   * Makes a file of the SQLite engine this new store. Broken off and called again, it goes on.
   * @throws AppError `not_found` without the file, `conflict` when a collector writes it and when the store is not empty,
   *   `unavailable`; `unsupported` where `restore` does it
   */
  moveIn(source: string, onProgress: CopyProgress): Promise<void>;
  /**
   * Makes this store a new file of the SQLite engine. Broken off and called again, it goes on. No collector may run.
   * @throws AppError `not_found` without a store, `conflict` when the file exists and when the store was written to
   *   meanwhile, `unavailable`; `unsupported` where `backUp` does it
   */
  moveOut(target: string, rules: StoreRules, onProgress: CopyProgress): Promise<void>;
  /**
   * Asks a question in the engine's SQL, which cannot change the store.
   * @throws AppError `not_found` without a store, `invalid` for a question that the engine refuses, `conflict` for a
   *   store of another version, `too_large` beyond the time or memory that a question may take
   */
  ask(text: string, bounds: SqlBounds): Promise<SqlAnswer>;
  /**
   * Takes one client's address out of the store, at once and everywhere, also while services run. Its calls stay, under
   * a random name. Calls that come later are stored as the configuration says.
   * @returns false when the store does not hold it
   * @throws AppError `not_found` without a store, `unavailable`
   */
  forgetClient(address: string): Promise<boolean>;
  /**
   * Puts a backup in the store's place.
   * @param replace whether a store that is there may be deleted
   * @throws AppError `not_found` without a backup, `invalid` when it is none, `conflict`, `unavailable`
   */
  restore(source: string, replace: boolean): Promise<void>;
}

/** What of the configuration decides what a store holds. */
export interface StoreRules {
  retention: RetentionPeriods;
  /** Globs over the consumers whose calls keep no endpoint alive. */
  ignoreConsumers: readonly string[];
}

export interface WriterOptions extends StoreRules {
  /** False: full addresses of clients that the store holds from earlier times are taken out of it. */
  keepsAddresses: boolean;
  /** Called when the machine's clock steps ahead of the store's time (core/store/store-clock.ts), and when the store
   *  has taken the step or the clock came back. */
  onHeldStep: (held: HeldStep | undefined) => void;
  /** Called for each row that is damaged, once, and as the conversion of an older release's calls goes on. */
  onNotice: (notice: StoreNotice) => void;
}

/** @param store of the configuration. Nothing is opened yet. */
export function storePlace(store: Config['store']): StorePlace {
  return store.engine === 'sqlite' ? sqlitePlace(store.path) : clickhousePlace(store.url);
}

function sqlitePlace(path: string): StorePlace {
  return {
    name: path,
    clientKeyPath: `${path}.client-key`,
    exists: async () => existsSync(path),
    prepare: () => makeFolder(dirname(path)),
    async openWriter(options) {
      const { openSqliteWriter } = await import('./sqlite/writer/writer.ts');
      return openSqliteWriter({ path, ...options });
    },
    async openReader() {
      const { openSqliteReader } = await import('./sqlite/reader/reader.ts');
      return openSqliteReader(path);
    },
    async openKeys() {
      const { openSqliteKeys } = await import('./sqlite/keys.ts');
      return openSqliteKeys(path);
    },
    async openConsumers() {
      const { openSqliteConsumers } = await import('./sqlite/annotations/consumers.ts');
      return openSqliteConsumers(path);
    },
    async openEvents() {
      const { openSqliteEvents } = await import('./sqlite/annotations/events.ts');
      return openSqliteEvents(path);
    },
    async openInventories() {
      const { openSqliteInventories } = await import('./sqlite/inventory/inventories.ts');
      return openSqliteInventories(path);
    },
    async openDecisions() {
      const { openSqliteDecisions } = await import('./sqlite/decisions.ts');
      return openSqliteDecisions(path);
    },
    async openVerdicts() {
      const { openSqliteVerdicts } = await import('./sqlite/verdicts.ts');
      return openSqliteVerdicts(path);
    },
    async openArrivals() {
      const { openSqliteArrivals } = await import('./sqlite/arrivals.ts');
      return openSqliteArrivals(path);
    },
    async openInternalCallers() {
      const { openSqliteInternalCallers } = await import('./sqlite/callers/internal-callers.ts');
      return openSqliteInternalCallers(path);
    },
    async openEndpoints() {
      const { openSqliteEndpoints } = await import('./sqlite/endpoints.ts');
      return openSqliteEndpoints(path);
    },
    async check() {
      const { checkStore } = await import('./sqlite/check.ts');
      return checkStore(path);
    },
    async backUp(target) {
      const { backUpStore } = await import('./sqlite/backup.ts');
      return backUpStore(path, target);
    },
    moveIn: async () => {
      throw new AppError('unsupported', 'a file becomes the store of a file by restore');
    },
    moveOut: async () => {
      throw new AppError('unsupported', 'a file becomes another file by backup');
    },
    async ask(text, bounds) {
      const { askSqlite } = await import('./sqlite/sql/query.ts');
      return askSqlite(path, text, bounds);
    },
    async forgetClient(address) {
      if (!existsSync(path)) throw new AppError('not_found', `there is no store at ${path}`);
      const { openDatabase } = await import('./sqlite/open.ts');
      const { forgetClient, spelled } = await import('./sqlite/writer/address-removal.ts');
      const db = openDatabase(path, 'write');
      try {
        return await forgetClient(db, spelled(address));
      } finally {
        db.close();
      }
    },
    async restore(source, replace) {
      const { restoreStore } = await import('./sqlite/backup.ts');
      return restoreStore(source, path, replace);
    },
  };
}

/** Every process may write at the same time. */
function clickhousePlace(url: string): StorePlace {
  const name = nameOf(url);
  const records = async () => {
    const { sharedRecords } = await import('./clickhouse/records.ts');
    return sharedRecords(url);
  };
  const refuse = (what: string) => async (): Promise<never> => {
    throw new AppError('unsupported', `${what} is not there yet with ClickHouse (${name})`);
  };
  return {
    name,
    clientKeyPath: undefined,
    async exists() {
      const { hasStore } = await import('./clickhouse/tables.ts');
      return hasStore(url);
    },
    prepare: async () => {},
    async openWriter(options) {
      const { openClickhouseWriter } = await import('./clickhouse/writer.ts');
      return openClickhouseWriter({ url, ...options });
    },
    async openReader() {
      const { openClickhouseReader } = await import('./clickhouse/reader.ts');
      return openClickhouseReader(url);
    },
    openKeys: async () => (await records()).keys(),
    openInventories: async () => (await records()).inventories(),
    openDecisions: async () => (await records()).decisions(),
    openVerdicts: async () => (await records()).verdicts(),
    openArrivals: async () => (await records()).arrivals(),
    openInternalCallers: async () => (await records()).internalCallers(),
    openConsumers: async () => (await records()).consumers(),
    openEvents: async () => (await records()).events(),
    openEndpoints: async () => (await records()).endpoints(),
    check: refuse('a check of the whole store'),
    async backUp(target, rules) {
      const { backUpToFile } = await import('./clickhouse/whole-store.ts');
      const { retention, ignoreConsumers } = rules;
      return backUpToFile({ url, keepsAddresses: true, retention, ignoreConsumers }, target);
    },
    async moveIn(source, onProgress) {
      const { moveIn } = await import('./clickhouse/move-in.ts');
      await moveIn(source, url, onProgress);
    },
    async moveOut(target, { retention, ignoreConsumers }, onProgress) {
      const { moveOut } = await import('./clickhouse/move-out.ts');
      const options = { url, keepsAddresses: true, retention, ignoreConsumers };
      await moveOut(options, target, onProgress);
    },
    ask: refuse('rollcall sql'),
    forgetClient: refuse('forget --client'),
    async restore(source) {
      const { moveIn } = await import('./clickhouse/move-in.ts');
      return moveIn(source, url, () => {});
    },
  };
}

/** For messages: without user and password. */
function nameOf(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const { message } = error as Error;
    throw new AppError('unavailable', `cannot make the data folder "${path}": ${message}`, {
      cause: error,
    });
  }
}
