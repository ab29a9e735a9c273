import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { AppError } from '../../../error.ts';
import { limits } from '../../../limits.ts';
import type { SqlAnswer, SqlBounds } from '../../sql.ts';
import type { QueryOutcome, QueryTask } from './query-process.ts';

/**
 * Asks one question of a store's file, which it cannot change, in a process that is ended at the bounds.
 * @throws AppError `not_found` without a store, `invalid` for a question that SQLite refuses, `conflict` for a store
 *   of another version, `too_large` beyond the time or memory that a question may take
 */
export async function askSqlite(path: string, text: string, bounds: SqlBounds): Promise<SqlAnswer> {
  if (!existsSync(path)) throw new AppError('not_found', `there is no store at ${path}`);
  const child = fork(new URL('./query-process.ts', import.meta.url), {
    serialization: 'advanced',
    execArgv: [],
  });
  try {
    const outcome = await outcomeOf(child, { path, text, ...bounds });
    if ('answer' in outcome) return outcome.answer;
    throw new AppError(outcome.error.code, outcome.error.message);
  } finally {
    child.kill('SIGKILL');
  }
}

function outcomeOf(child: ChildProcess, task: QueryTask): Promise<QueryOutcome> {
  return new Promise((resolve, reject) => {
    const late = () => {
      reject(
        new AppError(
          'too_large',
          `the question took more than ${task.timeoutMs / 1000} s and was ended; ask for less, or allow more time`,
        ),
      );
    };
    const timer = setTimeout(late, task.timeoutMs);
    child.once('message', (outcome: QueryOutcome) => resolve(outcome));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      const reason =
        signal === 'SIGUSR2'
          ? `more than ${limits.sqlMemoryMiB} MiB of memory`
          : `it ended by ${signal ?? `exit code ${code}`}`;
      reject(new AppError('too_large', `the question was ended: ${reason}`));
    });
    child.send(task);
  });
}
