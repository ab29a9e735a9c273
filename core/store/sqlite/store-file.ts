import { lstatSync, readFileSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError } from '../../error.ts';

/**
 * The files that a connection has open: the database, its write-ahead log and the log's index. SQLite goes on
 * writing to files that were deleted, moved or replaced, and nobody can read them there.
 */
export class StoreFile {
  readonly #path: string;
  /** Inode by path. The log and its index have theirs from the first `check` on. */
  readonly #inodes = new Map<string, string>();

  /** @param path of the database, which exists and has been opened */
  constructor(path: string) {
    this.#path = realFile(path);
    this.check();
  }

  /** @throws AppError `unavailable` when a file is no longer the one that was opened */
  check(): void {
    for (const suffix of ['', '-wal', '-shm']) {
      const path = this.#path + suffix;
      const stat = statSync(path, { throwIfNoEntry: false });
      const known = this.#inodes.get(path);
      if (stat === undefined) {
        // A connection that has not read or written yet has no log.
        if (known === undefined && suffix !== '') continue;
        throw new AppError('unavailable', `${path} was deleted or moved while in use: ${remedy}`);
      }
      const inode = inodeOf(stat);
      if (known === undefined) this.#inodes.set(path, inode);
      else if (known !== inode) {
        throw new AppError('unavailable', `${path} was replaced while in use: ${remedy}`);
      }
    }
  }
}

const remedy = 'put the file back, or restart Rollcall on the one that is there';

function inodeOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/**
 * The path behind symbolic links: locks beside the file are then the same for every name of it.
 * @param path of a file that may not exist yet; its folder does
 */
export function realFile(path: string, links = 0): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) {
    if (links >= 40) throw new AppError('invalid', `store ${path} is a loop of symbolic links`);
    return realFile(resolve(dirname(path), readlinkSync(path)), links + 1);
  }
  return join(realpathSync(dirname(path)), basename(path));
}

/**
 * SQLite finds a database's log by the database's name. Two processes that know one file by two names would each have
 * a log of their own, and damage the file.
 * @throws AppError `conflict` for a file with several names
 */
export function refuseSecondName(path: string): void {
  const real = realFile(path);
  const stat = statSync(real, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isFile()) throw new AppError('unavailable', `store ${path} is not a file`);
  if (stat.nlink > 1) {
    throw new AppError(
      'conflict',
      `store ${path} has ${stat.nlink} names (hard links): its write-ahead log belongs to one of them; remove the other names, or copy the store with rollcall backup`,
    );
  }
  if (isMountPoint(real)) {
    throw new AppError(
      'conflict',
      `store ${path} is mounted as a single file: its write-ahead log would not be beside it; mount its folder`,
    );
  }
}

/** On Linux; elsewhere false. */
function isMountPoint(path: string): boolean {
  let mounts: string;
  try {
    mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return false;
  }
  // The fifth field; spaces and the like are written in octal.
  return mounts.split('\n').some((line) => {
    const point = line.split(' ')[4];
    return (
      point?.replace(/\\([0-7]{3})/g, (_, code) =>
        String.fromCharCode(Number.parseInt(code, 8)),
      ) === path
    );
  });
}
