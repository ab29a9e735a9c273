import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { AppError } from '../../../core/error.ts';

/**
 * A random key for each day, UTC, of which nothing remains when the day is over. During its day it survives
 * restarts in a file that only its owner can read: day, key and a checksum, always of the same length, so that
 * the next key overwrites its bytes. Why a file: docs/decisions/0008-client-privacy.md.
 */
export class DayKey {
  readonly #path: string;
  #day = -1;
  #key: Buffer = Buffer.alloc(0);
  #isOnDisk = true;

  /** @throws AppError `unavailable` when the file cannot be read or written */
  constructor(path: string, nowMs: number) {
    this.#path = path;
    const day = dayOf(nowMs);
    const kept = readKey(path);
    this.#day = day;
    this.#key = kept?.day === day ? kept.key : randomBytes(keyBytes);
    try {
      this.#write();
    } catch (error) {
      const { message } = error as Error;
      throw new AppError('unavailable', `cannot keep the day's key in ${path}: ${message}`, {
        cause: error,
      });
    }
  }

  /** 32 bytes, overwritten when the day is over. */
  get key(): Buffer {
    return this.#key;
  }

  /** Days since the epoch. */
  get day(): number {
    return this.#day;
  }

  /**
   * Makes a new key when the day has changed.
   * @throws Error of the file system: the new key is in use, but the old one stays on disk until a later call
   *   succeeds
   */
  turn(nowMs: number): void {
    const day = dayOf(nowMs);
    if (day !== this.#day) {
      this.#day = day;
      this.#key.fill(0);
      this.#key = randomBytes(keyBytes);
      this.#isOnDisk = false;
    }
    if (!this.#isOnDisk) this.#write();
  }

  #write(): void {
    const content = Buffer.alloc(fileBytes);
    content.writeUInt32LE(this.#day, 0);
    this.#key.copy(content, dayBytes);
    checksum(content).copy(content, dayBytes + keyBytes);
    overwrite(this.#path, content);
    this.#isOnDisk = true;
  }
}

/** Removes the file and the key in it, if there is one. @throws Error of the file system */
export function destroyDayKey(path: string): void {
  if (readContent(path) === undefined) return;
  overwrite(path, Buffer.alloc(fileBytes));
  unlinkSync(path);
}

const dayMs = 86_400_000;
const dayBytes = 4;
const keyBytes = 32;
const fileBytes = dayBytes + keyBytes + 4;

function dayOf(nowMs: number): number {
  return Math.floor(nowMs / dayMs);
}

function checksum(content: Buffer): Buffer {
  const body = content.subarray(0, dayBytes + keyBytes);
  return createHash('sha256').update(body).digest().subarray(0, 4);
}

/** Overwrites the file in place: a new file would leave the old key's bytes on the disk. */
function overwrite(path: string, content: Buffer): void {
  let file: number;
  try {
    file = openSync(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    file = openSync(path, 'wx+', 0o600);
  }
  try {
    fchmodSync(file, 0o600);
    writeSync(file, content, 0, content.length, 0);
    ftruncateSync(file, content.length);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function readContent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const { message } = error as Error;
    throw new AppError('unavailable', `cannot read the day's key ${path}: ${message}`, {
      cause: error,
    });
  }
}

/** A truncated or changed file holds no key. */
function readKey(path: string): { day: number; key: Buffer } | undefined {
  const content = readContent(path);
  if (content?.length !== fileBytes) return undefined;
  if (!checksum(content).equals(content.subarray(dayBytes + keyBytes))) return undefined;
  return {
    day: content.readUInt32LE(0),
    key: content.subarray(dayBytes, dayBytes + keyBytes),
  };
}
