import { existsSync, rmSync, statSync } from 'node:fs';
import { AppError } from '../../error.ts';
import { openDatabase } from '../sqlite/open.ts';
import { Compactor, type CompactorOptions } from './compactor.ts';
import { Connection } from './connection.ts';
import { hasStore } from './tables.ts';

/**
 * Writes a store, as it is at one moment, into a new file of the SQLite engine, also while services run on it.
 * @returns the bytes of the file
 * @throws AppError `not_found` without a store, `conflict` when the file exists, `unavailable`
 */
export async function backUpToFile(options: CompactorOptions, path: string): Promise<number> {
  const { url } = options;
  if (!(await hasStore(url))) {
    throw new AppError('not_found', `there is no store at ${new Connection(url).name}`);
  }
  if (existsSync(path)) throw new AppError('conflict', `${path} exists already`);
  const compactor = new Compactor(options, () => {});
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
