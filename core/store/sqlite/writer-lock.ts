import { createHash, randomInt } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';
import { Database, isBusy, type Statement } from './database.ts';
import { realFile, refuseSecondName } from './store-file.ts';

/**
 * Makes one process the store's only writer of calls, in three steps:
 * - an exclusive lock on a file beside the store, which the operating system ends with the process, however it ends;
 * - an entry in the store itself that names the lock file by its inode. A new lock file means that the old one was
 *   deleted, perhaps under a writer that goes on: the newcomer leaves a challenge in the store and waits for an answer;
 * - the writer's number in the store, which every transaction of the writer reads: a writer that was taken for dead
 *   cannot commit any more.
 */
export class WriterLock {
  readonly #file: Database;
  readonly #inode: number;
  readonly #number = randomInt(1, 2 ** 48 - 1);
  #read: Statement | undefined;
  #answer: Statement | undefined;

  /** @throws AppError `conflict` when another process holds the lock, or the file has several names; `unavailable` */
  constructor(path: string) {
    let file: Database | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true });
      refuseSecondName(path);
      const lockPath = `${realFile(path)}.lock`;
      file = lockFile(path, lockPath);
      this.#file = file;
      this.#inode = inodeNumber(lockPath);
      if (existsSync(path)) refuseAnsweringWriter(path, this.#inode);
    } catch (error) {
      file?.close();
      if (error instanceof AppError) throw error;
      throw new AppError('unavailable', `cannot lock store ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** Writes into the migrated store that this process writes it. */
  take(db: Database): void {
    const set = db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)');
    db.immediately(() => {
      set.run('writer', this.#number);
      set.run('writer_lock', this.#inode);
      set.run('writer_challenge', 0);
    });
    this.#read = db.prepare('SELECT value FROM meta WHERE key = ?').pluck();
    this.#answer = db.prepare("UPDATE meta SET value = 0 WHERE key = 'writer_challenge'");
  }

  /** To be called in each transaction. @throws WriterReplaced */
  check(): void {
    if (this.#read?.get('writer') !== this.#number) throw new WriterReplaced();
  }

  /** Tells a process that wants to be the writer that there is one. To be called once a second. */
  answer(): void {
    if (this.#read?.get('writer_challenge') !== 0) this.#answer?.run();
  }

  close(): void {
    this.#file.close();
  }
}

/** For a copy of a store: nobody writes it, whoever writes the original. */
export function forgetWriter(db: Database): void {
  db.exec("DELETE FROM meta WHERE key IN ('writer', 'writer_lock', 'writer_challenge')");
}

/** Another process has become the writer. This one can never commit again: it must end. */
export class WriterReplaced extends Error {
  override readonly name = 'WriterReplaced';
  constructor() {
    super('another collector has become the writer of this store');
  }
}

function lockFile(path: string, lockPath: string): Database {
  let lock: Database | undefined;
  try {
    lock = new Database(lockPath);
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (isBusy(error)) throw secondWriter(path, `it holds ${lockPath}`);
    throw error;
  }
}

/**
 * Does nothing when the last writer held this same lock file, since it is then held by this process alone.
 * @throws AppError `conflict` when a writer answers
 */
function refuseAnsweringWriter(path: string, inode: number): void {
  const db = new Database(path, { timeoutMs: limits.writerAnswerMs });
  try {
    const hasMeta = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get();
    if (hasMeta === undefined) return;
    const read = db.prepare('SELECT value FROM meta WHERE key = ?').pluck();
    const last = read.get('writer_lock');
    if (last === undefined || last === inode) return;
    const challenge = randomInt(1, 2 ** 48 - 1);
    const set = db.prepare("UPDATE meta SET value = ? WHERE key = 'writer_challenge'");
    db.immediately(() => set.run(challenge));
    const untilMs = performance.now() + limits.writerAnswerMs;
    while (performance.now() < untilMs) {
      if (read.get('writer_challenge') !== challenge) {
        throw secondWriter(path, 'it answers, although its lock file was deleted');
      }
      sleep(50);
    }
  } finally {
    db.close();
  }
}

function secondWriter(path: string, sign: string): AppError {
  return new AppError(
    'conflict',
    `store ${path} is being written by another collector (${sign}): stop that one, or give this one a store of its own`,
  );
}

/** Inodes may be larger than the numbers of JavaScript. */
function inodeNumber(path: string): number {
  const { ino } = statSync(path, { bigint: true });
  return createHash('sha256').update(`${ino}`).digest().readUIntBE(0, 6);
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
