import type { z } from 'zod';
import type { Administrator } from '../../core/auth/authorizer.ts';
import { AppError } from '../../core/error.ts';
import type { KeyStore } from '../../core/store/keys.ts';
import { type Cursor, type Order, page, readCursor } from '../query/page.ts';
import { type Answer, type Format, jsonAnswer } from '../query/query.ts';
import { type Column, csv, markdown } from '../query/table.ts';

/**
 * What administers projects and keys, with its address, what it takes and who may. The HTTP door and the
 * OpenAPI document are both made from the list of commands.
 */
export interface Command {
  /** The operation id. */
  name: string;
  method: 'GET' | 'POST' | 'DELETE';
  /** Below /api/v1, in Express's spelling. */
  path: string;
  about: string;
  /** The operator holds ROLLCALL_ADMIN_KEY; an administrator, an admin key of the one project it may reach. */
  by: 'operator' | 'administrator';
  parameters: z.ZodObject<z.ZodRawShape>;
  body?: z.ZodObject<z.ZodRawShape>;
  /** Of the success, and what its body holds: a list's noun and columns, or one row's. */
  status: 200 | 201 | 204;
  list?: { noun: string; columns: readonly Column<never>[] };
  row?: readonly Column<never>[];
  run(told: CommandContext<never, never>): Promise<Answer | undefined>;
}

export interface CommandContext<P, B> {
  keys: KeyStore;
  administrator: Administrator;
  /** Seconds since the epoch. */
  nowS: number;
  parameters: P;
  body: B;
  path: Record<string, string>;
}

/** Binds the schemas to what `run` takes, then forgets the types: a list holds them all. */
export function command<P extends z.ZodRawShape, B extends z.ZodRawShape>(
  told: Omit<Command, 'parameters' | 'body' | 'run'> & {
    parameters: z.ZodObject<P>;
    body?: z.ZodObject<B>;
    run(
      told: CommandContext<z.output<z.ZodObject<P>>, z.output<z.ZodObject<B>>>,
    ): Promise<Answer | undefined>;
  },
): Command {
  return told as unknown as Command;
}

/** @throws AppError `forbidden` for whoever administers a project alone */
export function operatorOnly(administrator: Administrator): void {
  if (administrator.isOperator) return;
  const message = `an admin key administers its own project, ${administrator.project}; projects are for whoever holds ROLLCALL_ADMIN_KEY`;
  throw new AppError('forbidden', message);
}

/** A page of what there is, in the format that was asked for. */
export function listOf<Row>(
  { list: { noun, columns }, rows, order }: Listing<Row>,
  parameters: PageParameters,
): Answer {
  const { limit, cursor: text, format, ...rest } = parameters;
  const question = JSON.stringify([noun, rest]);
  const cursor: Cursor | undefined = readCursor(question, text);
  const found = page(rows, order, { limit, cursor }, { question, window: noWindow });
  const { nextCursor } = found;
  if (format === 'csv') {
    return { contentType: 'text/csv; charset=utf-8', body: csv(columns, found.rows), nextCursor };
  }
  if (format === 'md') {
    const prose = `${rows.length} ${noun}.`;
    const body = markdown(`Rollcall ${noun}`, prose, columns, found.rows);
    return { contentType: 'text/markdown; charset=utf-8', body, nextCursor };
  }
  return { ...jsonAnswer({ [noun]: found.rows, next_cursor: nextCursor }), nextCursor };
}

interface PageParameters {
  limit: number;
  cursor?: string | undefined;
  format: Format;
  /** What else decides which rows there are. */
  project?: string | undefined;
}

interface Listing<Row> {
  list: { noun: string; columns: readonly Column<Row>[] };
  rows: readonly Row[];
  order: Order<Row>;
}

/** These lists are of no time. */
const noWindow = { fromS: 0, toS: 60 };
