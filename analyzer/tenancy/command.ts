import type { z } from 'zod';
import type { Administrator } from '../../core/auth/authorizer.ts';
import { AppError } from '../../core/error.ts';
import type { KeyStore } from '../../core/store/keys.ts';
import type { FormatName, List } from '../query/formats.ts';
import { type Order, readCursor, SortedList, writeCursor } from '../query/page.ts';

/**
 * A command on projects and keys: its address, its input, its answer and who may give it. The REST listener
 * and the OpenAPI document are both made from the list of commands (analyzer/tenancy/commands.ts).
 */
export interface Command {
  /** The operation id. */
  name: string;
  method: 'GET' | 'POST' | 'DELETE';
  /** Below /api/v1, in Express's spelling. */
  path: string;
  about: string;
  /** `operator`: the holder of ROLLCALL_ADMIN_KEY. `administrator`: also an admin key, in its own project. */
  by: 'operator' | 'administrator';
  parameters: z.ZodObject<z.ZodRawShape>;
  /** Of the request's JSON body; absent when the command takes none. */
  input?: z.ZodObject<z.ZodRawShape>;
  /** Of the success. */
  status: 200 | 201 | 204;
  /** Of the JSON answer; absent when it has no body. */
  schema?: z.ZodObject<z.ZodRawShape>;
  /** The answer is a list, which has other formats too. */
  list?: List;
  run(context: CommandContext<never, never>): Promise<object | undefined>;
}

export interface CommandContext<P, I> {
  keys: KeyStore;
  administrator: Administrator;
  /** Seconds since the epoch. */
  nowS: number;
  parameters: P;
  input: I;
  path: Record<string, string>;
}

/** Checks a command's types against its schemas, then erases them: the list of commands holds them all. */
export function defineCommand<
  P extends z.ZodRawShape,
  I extends z.ZodRawShape,
  A extends z.ZodObject,
>(
  definition: Omit<Command, 'parameters' | 'input' | 'schema' | 'run'> & {
    parameters: z.ZodObject<P>;
    input?: z.ZodObject<I>;
    schema?: A;
    run(
      context: CommandContext<z.output<z.ZodObject<P>>, z.output<z.ZodObject<I>>>,
    ): Promise<z.output<A> | undefined>;
  },
): Command {
  return definition as unknown as Command;
}

/** @throws AppError `forbidden` for an administrator of one project */
export function operatorOnly(administrator: Administrator): void {
  if (administrator.isOperator) return;
  const message = `an admin key administers its own project, ${administrator.project}; projects are for whoever holds ROLLCALL_ADMIN_KEY`;
  throw new AppError('forbidden', message);
}

/**
 * A page of keys or projects. Their order is by facts that never change, so that a position is enough to
 * continue from: nothing is remembered between pages.
 */
export function pageOfRows<Row>(
  noun: string,
  all: readonly Row[],
  order: Order<Row>,
  parameters: PageParameters,
): { rows: Row[]; next_cursor: string | null } {
  const { limit, cursor: text, format: _format, ...rest } = parameters;
  const query = JSON.stringify([noun, rest]);
  const cursor = readCursor(query, text);
  const { rows, last } = new SortedList(all, order).page(limit, cursor?.after);
  if (last === undefined) return { rows, next_cursor: null };
  const after = { value: last.value, key: last.key };
  return { rows, next_cursor: writeCursor(query, { window: noWindow, list: '', after }) };
}

interface PageParameters {
  limit: number;
  cursor?: string | undefined;
  format: FormatName;
  /** Selects the rows. */
  project?: string | undefined;
}

/** These lists have no window, and every cursor holds one. */
const noWindow = { fromS: 0, toS: 60 };
