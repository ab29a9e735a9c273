import { AppError } from '../../error.ts';
import type { Database, Statement } from './database.ts';

/** The statement that `projectRow` runs: a project's name to its row. */
export function findProject(db: Database): Statement {
  return db.prepare('SELECT id FROM project WHERE name = ?').pluck();
}

/** @throws AppError `not_found` */
export function projectRow(statement: Statement, name: string): number {
  const row = statement.get(name) as number | undefined;
  if (row !== undefined) return row;
  throw new AppError('not_found', `there is no project "${name}"; create it first`);
}
