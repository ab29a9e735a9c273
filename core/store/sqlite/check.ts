import { existsSync } from 'node:fs';
import { AppError } from '../../error.ts';
import type { StoreCheck } from '../store-check.ts';
import { commitName } from './calls/call-tables.ts';
import { decodeCommit } from './calls/commit-columns.ts';
import { StoredCalls } from './calls/stored-calls.ts';
import { WholeBlocks } from './calls/whole-block.ts';
import { Database } from './database.ts';
import { schemaVersion } from './schema.ts';
import { DamagedError } from './sealed.ts';
import { isIntact, runName, usageBlockName } from './usage/usage-rows.ts';

/**
 * Reads a whole store, also while services use it, and changes nothing.
 * @param path of a file
 * @throws AppError `not_found` without a store, `conflict` for one of another schema, `unavailable`
 */
export function checkStore(path: string): StoreCheck {
  if (!existsSync(path)) throw new AppError('not_found', `there is no store at ${path}`);
  let db: Database | undefined;
  try {
    db = new Database(path, { readOnly: true, timeoutMs: 10_000 });
    const version = db.pragma('user_version') as number;
    if (version !== schemaVersion) {
      throw new AppError(
        'conflict',
        `store ${path} has schema version ${version}, this program checks version ${schemaVersion}: start its collector first`,
      );
    }
    db.exec('BEGIN');
    return read(db);
  } catch (error) {
    if (error instanceof AppError) throw error;
    const reason = (error as Error).message;
    throw new AppError('unavailable', `cannot read store ${path}: ${reason}`, { cause: error });
  } finally {
    db?.close();
  }
}

function read(db: Database): StoreCheck {
  const found: StoreCheck = { calls: 0, blocks: 0, commits: 0, usage: 0, damaged: [] };
  const note = ({ message }: DamagedError): void => {
    found.damaged.push(message);
  };
  const pages = db.prepare('PRAGMA quick_check(100)').pluck().all() as string[];
  for (const message of pages) if (message !== 'ok') found.damaged.push(`file: ${message}`);
  readCalls(db, found, note);
  readUsage(db, found, note);
  for (const what of db.prepare('SELECT what FROM damaged_usage').pluck().all() as string[]) {
    found.damaged.push(`${what} was found damaged and put aside (table damaged_usage)`);
  }
  return found;
}

function readCalls(db: Database, found: StoreCheck, note: (damage: DamagedError) => void): void {
  const calls = new StoredCalls();
  const attempt = (work: () => void): void => {
    calls.clear();
    try {
      work();
      found.calls += calls.length;
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      note(error);
    }
  };
  const blocks = new WholeBlocks(db);
  for (const id of db.prepare('SELECT first_call_id FROM call_block').pluck().all() as number[]) {
    found.blocks += 1;
    attempt(() => blocks.read(id, calls));
  }
  const ids = db.prepare('SELECT first_call_id FROM commit_calls').pluck().all() as number[];
  const commit = db
    .prepare('SELECT columns, trace_ids FROM commit_calls WHERE first_call_id = ?')
    .raw();
  for (const id of ids) {
    found.commits += 1;
    const [columns, traceIds] = commit.get(id) as [Uint8Array, Uint8Array];
    attempt(() => decodeCommit(columns, traceIds, commitName(id), calls));
  }
  found.calls += db.prepare('SELECT count(*) FROM call').pluck().get() as number;
}

type Blob = Uint8Array | null;

function readUsage(db: Database, found: StoreCheck, note: (damage: DamagedError) => void): void {
  const runs = db.prepare('SELECT id, checksum, block, details, facts, use FROM usage_run').raw();
  for (const row of runs.all() as [number, number | null, Uint8Array, Blob, Blob, Blob][]) {
    const [id, checksum, ...blobs] = row;
    found.usage += 1;
    isIntact(blobs, checksum, () => runName(id), note);
  }
  const keys = db.prepare('SELECT level_minutes, minute, shard FROM usage_block').raw().all();
  const one = db
    .prepare(
      `SELECT block, details, block_checksum, details_checksum FROM usage_block
       WHERE level_minutes = ? AND minute = ? AND shard = ?`,
    )
    .raw();
  for (const key of keys as [number, number, number][]) {
    const row = one.get(...key) as [Uint8Array, Blob, number | null, number | null];
    const [block, details, blockSum, detailsSum] = row;
    const what = (): string => usageBlockName(...key);
    found.usage += 1;
    if (!isIntact([block], blockSum, what, note) || detailsSum === null) continue;
    isIntact([details], detailsSum, what, note);
  }
}
