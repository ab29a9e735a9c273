import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../error.ts';
import { Database, isBusy } from './database.ts';
import { migrate } from './schema.ts';

/** How long a statement waits for another process's transaction; ours last milliseconds. */
const busyTimeoutMs = 10_000;

/**
 * Opens the store's file, made and migrated where needed.
 * @param access `write` also makes every commit durable (WAL, synchronous=FULL)
 * @throws AppError `unavailable` naming the file and the reason; `conflict` for a newer file
 */
export function openDatabase(path: string, access: 'read' | 'write'): Database {
  let db: Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    db = new Database(path, { timeoutMs: busyTimeoutMs });
    // Only an empty file takes this; it lets deleted space be given back in small steps.
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
 * Keeps every other collector from writing the same store. The lock is an open exclusive transaction on a
 * file beside it, so that the operating system takes it back however this process ends.
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
