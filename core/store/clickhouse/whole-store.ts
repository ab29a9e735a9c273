import { existsSync, rmSync, statSync } from 'node:fs';
import { defaultRetention } from '../../config/retention.ts';
import { AppError } from '../../error.ts';
import { Database } from '../sqlite/database.ts';
import { openDatabase } from '../sqlite/open.ts';
import { schemaVersion } from '../sqlite/schema.ts';
import { Compactor } from './compactor.ts';
import { Connection } from './connection.ts';
import { DeliveryLog } from './delivery-log.ts';
import { Replica } from './replica.ts';
import { hasStore, makeTables } from './tables.ts';

/**
 * Writes a store, as it is at one moment, into a new file of the SQLite engine.
 * @returns the bytes of the file
 * @throws AppError `not_found` without a store, `conflict` when the file exists, `unavailable`
 */
export async function copyToFile(url: string, path: string): Promise<number> {
  if (!(await hasStore(url))) {
    throw new AppError('not_found', `there is no store at ${new Connection(url).name}`);
  }
  if (existsSync(path)) throw new AppError('conflict', `${path} exists already`);
  const options = { retention: defaultRetention, keepsAddresses: true, ignoreConsumers: [] };
  const compactor = new Compactor({ url, ...options }, () => {});
  const clock = () => ({ wallS: Date.now() / 1000, uptimeS: performance.now() / 1000 });
  try {
    await compactor.copyTo(clock(), path);
    const db = openDatabase(path, 'write');
    db.exec("DELETE FROM meta WHERE key = 'delivered'");
    db.close();
    return statSync(path).size;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    await compactor.close();
  }
}

/**
 * Makes a file of the SQLite engine the beginning of a new store, in one step: all of it, or nothing.
 * @throws AppError `not_found` without the file, `conflict` for one of another schema and when the store is not empty,
 *   `unavailable`
 */
export async function copyFromFile(path: string, url: string): Promise<void> {
  if (!existsSync(path)) throw new AppError('not_found', `there is no store at ${path}`);
  const connection = new Connection(url);
  const source = new Database(path, { readOnly: true, timeoutMs: 10_000 });
  const replica = new Replica(connection);
  try {
    const version = source.pragma('user_version');
    if (version !== schemaVersion) {
      const versions = `schema version ${version}, this program has ${schemaVersion}`;
      throw new AppError('conflict', `${path} has ${versions}: start its collector once`);
    }
    await makeTables(connection);
    await replica.sync();
    if (replica.head > 0 || (await new DeliveryLog(connection).waiting(0)) > 0) {
      throw new AppError('conflict', `${connection.name} is not empty: name another database`);
    }
    // One moment of a file that a collector may write.
    source.exec('BEGIN');
    await replica.commit(() => {
      if (replica.head > 0) throw new AppError('conflict', `${connection.name} is in use already`);
      replica.put(source);
    });
  } finally {
    replica.close();
    source.close();
    connection.close();
  }
}
