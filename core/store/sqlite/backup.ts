import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../error.ts';
import type { Copying } from './copy-thread.ts';
import { Database, isSqliteError } from './database.ts';
import { openDatabase } from './open.ts';
import { schemaVersion } from './schema.ts';
import { forgetWriter, WriterLock } from './writer-lock.ts';

/**
 * Copies a store as it is at one moment, while a collector may write it. The copy is one file. It gets its name when
 * it is complete, checked and durable.
 * @returns the bytes of the copy
 * @throws AppError `not_found` without a store, `conflict` when the target exists, `unavailable`
 */
export async function backUpStore(path: string, target: string): Promise<number> {
  if (!existsSync(path)) throw new AppError('not_found', `there is no store at ${path}`);
  refuseExisting(target);
  const partial = `${target}.partial`;
  refuseOdd(partial);
  try {
    await copy(path, partial);
    refuseExisting(target);
    renameDurably(partial, target);
    return statSync(target).size;
  } catch (error) {
    throw told(error, `cannot back up ${path} to ${target}`);
  } finally {
    remove(partial);
  }
}

/**
 * Puts a backup in a store's place. No collector may run on the store. A running analyzer would go on reading the
 * replaced file: it must be restarted.
 * @param replace whether an existing store may be deleted
 * @throws AppError `not_found` without a backup, `invalid` when it is none, `conflict`, `unavailable`
 */
export async function restoreStore(source: string, path: string, replace: boolean): Promise<void> {
  if (!existsSync(source)) throw new AppError('not_found', `there is no backup at ${source}`);
  check(source);
  if (!replace && existsSync(path)) {
    throw new AppError('conflict', `there is a store at ${path} already; --replace deletes it`);
  }
  // Creates the folder. An empty store that this creates is replaced below.
  openDatabase(path, 'write').close();
  const lock = new WriterLock(path);
  const partial = `${path}.partial`;
  try {
    refuseOdd(partial);
    await copy(source, partial);
    // SQLite would apply the log of the old file to the new one.
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    renameDurably(partial, path);
  } catch (error) {
    throw told(error, `cannot restore ${source} to ${path}`);
  } finally {
    remove(partial);
    lock.close();
  }
}

async function copy(source: string, target: string): Promise<void> {
  remove(target);
  await copyOnThread({ source, target });
  const to = new Database(target);
  try {
    // Without a log the copy is one file. The next writer turns the log on again.
    to.pragma('journal_mode = DELETE');
  } finally {
    to.close();
  }
  check(target);
  const copied = new Database(target);
  try {
    forgetWriter(copied);
  } finally {
    copied.close();
  }
}

/** Copies the database as it is at one moment. The caller's event loop does not wait. */
function copyOnThread(copying: Copying): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./copy-thread.ts', import.meta.url), {
      workerData: copying,
    });
    thread.on('error', reject);
    thread.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the copying thread ended with ${code}`));
    });
  });
}

/** @throws AppError `invalid` for a file that is damaged or no store, `conflict` for one of a newer program */
function check(path: string): void {
  try {
    const db = new Database(path, { readOnly: true });
    try {
      const found = db.pragma('quick_check(1)');
      if (found !== 'ok') throw new AppError('invalid', `${path} is damaged: ${found}`);
      const version = db.pragma('user_version') as number;
      const isStore = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'call_commit'").get();
      if (isStore === undefined || version === 0) {
        throw new AppError('invalid', `${path} is no store of Rollcall`);
      }
      if (version > schemaVersion) {
        const versions = `schema version ${version}, this program knows versions up to ${schemaVersion}`;
        throw new AppError('conflict', `${path} was written by a newer Rollcall: ${versions}`);
      }
    } finally {
      db.close();
    }
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    throw new AppError('invalid', `${path} is no store of Rollcall: ${error.message}`, {
      cause: error,
    });
  }
}

function refuseExisting(target: string): void {
  if (existsSync(target)) throw new AppError('conflict', `${target} exists already`);
}

/** A file of a copy that was broken off is replaced. @throws AppError `conflict` for a folder, link or device */
function refuseOdd(partial: string): void {
  const stat = lstatSync(partial, { throwIfNoEntry: false });
  if (stat === undefined || stat.isFile()) return;
  throw new AppError('conflict', `${partial} is in the way and is not a file: remove it`);
}

/** Renames a file durably: first its bytes are synced, then the folder. */
export function renameDurably(partial: string, target: string): void {
  sync(partial);
  renameSync(partial, target);
  sync(dirname(target));
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function remove(path: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) {
    rmSync(`${path}${suffix}`, { force: true });
  }
}

function told(error: unknown, what: string): AppError {
  if (error instanceof AppError) return error;
  return new AppError('unavailable', `${what}: ${(error as Error).message}`, { cause: error });
}
