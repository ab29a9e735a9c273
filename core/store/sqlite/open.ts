import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../error.ts';
import { Database, isBusy } from './database.ts';
import { migrate } from './schema.ts';

/** How long a statement waits for another process's transaction. Ours last milliseconds, migrations seconds. */
const busyTimeoutMs = 10_000;

/**
 * Opens the store's file. Creates and migrates it when needed.
 * @param access `write` also makes every commit durable (WAL, synchronous=FULL)
 * @throws AppError `unavailable` naming the file and the reason; `conflict` for a newer file
 */
export function openDatabase(path: string, access: 'read' | 'write'): Database {
  let db: Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    db = new Database(path, { timeoutMs: busyTimeoutMs });
    // Has an effect on an empty file only. It lets free pages be released in small steps.
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    migrate(db);
    if (access === 'read') db.pragma('query_only = ON');
    db.pragma('temp_store = MEMORY');
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof AppError) throw error;
    throw new AppError('unavailable', `cannot open store ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * Locks the store against every other writer of calls. The lock is an open exclusive transaction on a file beside
 * the store, which the operating system ends with the process, however it ends.
 * @throws AppError `conflict` when another process holds it
 */
export function lockStore(path: string): Database {
  const lockPath = `${path}.lock`;
  let lock: Database | undefined;
  try {
    lock = new Database(lockPath);
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (isBusy(error)) {
      throw new AppError(
        'conflict',
        `store ${path} is being written by another collector (it holds ${lockPath}): stop that one, or give this one a store of its own`,
      );
    }
    throw new AppError('unavailable', `cannot lock store ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
