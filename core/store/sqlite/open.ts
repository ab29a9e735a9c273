import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../error.ts';
import { Database } from './database.ts';
import { migrate } from './schema.ts';
import { refuseSecondName } from './store-file.ts';

/** How long a statement waits for another process's transaction. Ours last milliseconds, migrations seconds. */
const busyTimeoutMs = 10_000;

/**
 * Opens the store's file. Creates and migrates it when needed.
 * @param access `write` also makes every commit durable (WAL, synchronous=FULL)
 * @throws AppError `unavailable` naming the file and the reason; `conflict` for a newer file, and for one
 *   with several names
 */
export function openDatabase(path: string, access: 'read' | 'write'): Database {
  let db: Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    refuseSecondName(path);
    db = new Database(path, { timeoutMs: busyTimeoutMs });
    // Lets free pages be released in small steps. It has an effect on an empty file only, but waits for a write
    // lock on any other too.
    if (db.pragma('user_version') === 0) db.pragma('auto_vacuum = INCREMENTAL');
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
