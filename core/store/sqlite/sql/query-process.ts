import { Worker } from 'node:worker_threads';
import { AppError, asAppError } from '../../../error.ts';
import { limits } from '../../../limits.ts';
import type { SqlAnswer, SqlCell } from '../../sql.ts';
import { Database, isSqliteError } from '../database.ts';
import { schemaVersion } from '../schema.ts';
import { defineCallsTable } from './calls-table.ts';
import { checkQuestion } from './statement.ts';

/**
 * A process of its own for one question: SQLite cannot be interrupted, a process can be ended. It gets a QueryTask
 * by IPC, answers with a QueryOutcome, and ends.
 */
export interface QueryTask {
  path: string;
  text: string;
  rowsMost: number;
  timeoutMs: number;
}

export type QueryOutcome =
  | { answer: SqlAnswer }
  | { error: { code: AppError['code']; message: string } };

process.once('message', (task: QueryTask) => {
  startWatch(task.timeoutMs);
  let outcome: QueryOutcome;
  try {
    outcome = { answer: answer(task) };
  } catch (error) {
    const { code, message } = asAppError(error);
    outcome = { error: { code, message } };
  }
  process.send!(outcome, () => process.exit());
});

function answer({ path, text, rowsMost }: QueryTask): SqlAnswer {
  checkQuestion(text);
  let db: Database | undefined;
  try {
    db = new Database(path, { readOnly: true, timeoutMs: 10_000, exactIntegers: true });
    // Sorting never writes a file. The memory of this process is bounded.
    db.pragma('temp_store = MEMORY');
    defineCallsTable(db, (line) => process.stderr.write(`rollcall: ${line}\n`));
    db.pragma('query_only = ON');
    // Functions and tables that could have side effects do not run out of views of the file.
    db.pragma('trusted_schema = OFF');
    const version = Number(db.pragma('user_version'));
    if (version !== schemaVersion) {
      throw new AppError(
        'conflict',
        `store ${path} has schema version ${version}, this program reads ${schemaVersion}: start this Rollcall on it once`,
      );
    }
    return read(db, text, rowsMost);
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (isSqliteError(error) || error instanceof TypeError || error instanceof RangeError) {
      throw new AppError('invalid', error.message, { cause: error });
    }
    throw error;
  } finally {
    db?.close();
  }
}

function read(db: Database, text: string, rowsMost: number): SqlAnswer {
  const statement = db.prepare(text);
  if (!statement.onlyReads) throw new AppError('invalid', 'the question would change something');
  statement.raw();
  const { columns } = statement;
  const rows: SqlCell[][] = [];
  let bytes = 0;
  for (const row of statement.iterate() as Iterable<SqlCell[]>) {
    for (const cell of row) bytes += sizeOf(cell);
    if (rows.length === rowsMost || bytes > limits.sqlAnswerBytes) {
      return { columns, rows, more: true };
    }
    rows.push(row.map(asNumber));
  }
  return { columns, rows, more: false };
}

function sizeOf(cell: SqlCell): number {
  return typeof cell === 'string' || cell instanceof Uint8Array ? cell.length + 8 : 8;
}

function asNumber(cell: SqlCell): SqlCell {
  return typeof cell === 'bigint' &&
    BigInt(Number(cell)) === cell &&
    Number.isSafeInteger(Number(cell))
    ? Number(cell)
    : cell;
}

/** On a thread, since this one is inside SQLite: ends the process when it takes too much memory or lost its parent. */
function startWatch(timeoutMs: number): void {
  const watch = `
    const { workerData: { bytesMost, timeoutMs } } = require('node:worker_threads');
    const until = performance.now() + timeoutMs;
    setInterval(() => {
      if (process.memoryUsage.rss() > bytesMost) process.kill(process.pid, 'SIGUSR2');
      if (performance.now() > until) process.kill(process.pid, 'SIGKILL');
    }, 50);`;
  const bytesMost = limits.sqlMemoryMiB * 2 ** 20;
  // The parent ends this process first.
  const workerData = { bytesMost, timeoutMs: timeoutMs + 2_000 };
  new Worker(watch, { eval: true, workerData }).unref();
}
