import type { z } from 'zod';
import type { Window } from '../../core/window.ts';
import type { Head, QueryContext } from '../reports/endpoint-usage.ts';
import { type Cursor, type Order, page, readCursor } from './page.ts';
import { type Column, csv, markdown } from './table.ts';
import { type RequestedWindow, requestedWindow } from './window.ts';

/**
 * A question of the data with its address, its parameters and its answer. The HTTP door and the OpenAPI
 * document are both made from the list of questions.
 */
export interface Query {
  /** For metrics and the operation id. */
  name: string;
  /** Below /api/v1, in Express's spelling. */
  path: string;
  about: string;
  parameters: z.ZodObject<z.ZodRawShape>;
  /** For the OpenAPI document: the plural noun of a list and its columns, or nothing. */
  list?: { noun: string; columns: Column<never>[] };
  answer(asked: QueryContext, parameters: never, path: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  contentType: string;
  body: string;
  /** Continues a list that has more rows than were asked for. */
  nextCursor?: string | null;
}

/** Binds the parameters' schema to what the answer takes, then forgets the type: a list holds them all. */
export function question<S extends z.ZodRawShape>(
  told: Omit<Query, 'parameters' | 'answer'> & {
    parameters: z.ZodObject<S>;
    answer(
      asked: QueryContext,
      parameters: z.output<z.ZodObject<S>>,
      path: Record<string, string>,
    ): Promise<Answer>;
  },
): Query {
  return told as unknown as Query;
}

export function jsonAnswer(body: object): Answer {
  return { contentType: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}

export type Format = 'json' | 'csv' | 'md';

export interface ListParameters extends RequestedWindow {
  limit: number;
  cursor?: string | undefined;
  format: Format;
}

/** What a list question knows before it looks: its window and where the page begins. */
export interface ListPlace {
  window: Window;
  cursor: Cursor | undefined;
  question: string;
}

/**
 * @param path where the question is asked: a cursor of one list does not continue another
 * @throws AppError `invalid` for a wrong window or cursor
 */
export function listPlace(path: string, parameters: ListParameters, nowMs: number): ListPlace {
  const { limit: _limit, cursor: text, format: _format, ...rest } = parameters;
  const asked = requestedWindow(parameters, nowMs);
  const question = JSON.stringify([path, rest]);
  const cursor = readCursor(question, text);
  return { window: cursor?.window ?? asked, cursor, question };
}

/** A list in the format that was asked for. */
export function listAnswer<Row, H extends Head>(told: {
  title: string;
  noun: string;
  head: H;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  order: Order<Row>;
  place: ListPlace;
  parameters: ListParameters;
}): Answer {
  const { title, noun, head, columns, place, parameters } = told;
  const of = { limit: parameters.limit, cursor: place.cursor };
  const { rows, nextCursor } = page(told.rows, told.order, of, place);
  if (parameters.format === 'json') {
    return { ...jsonAnswer({ ...head, [noun]: rows, next_cursor: nextCursor }), nextCursor };
  }
  return { ...tableAnswer(parameters.format, title, head, columns, rows), nextCursor };
}

export function tableAnswer<Row>(
  format: 'csv' | 'md',
  title: string,
  head: Head,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Answer {
  if (format === 'csv') {
    return { contentType: 'text/csv; charset=utf-8', body: csv(columns, rows) };
  }
  const { from, to, resolution } = head.window;
  const since = head.observed_since === null ? 'no calls yet' : `since ${head.observed_since}`;
  const prose = `From ${from} to ${to} (to the ${resolution}), observed: ${since}.`;
  return {
    contentType: 'text/markdown; charset=utf-8',
    body: markdown(title, prose, columns, rows),
  };
}
