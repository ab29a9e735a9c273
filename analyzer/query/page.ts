import { createHash } from 'node:crypto';
import { AppError } from '../../core/error.ts';
import type { Window } from '../../core/window.ts';

/**
 * Pages of a list. The cursor names the last row of the page before by its place in the order, so rows
 * that come or go meanwhile shift nothing, and carries the window, so every page speaks of the same time.
 */
export interface Order<Row> {
  field: keyof Row & string;
  descending: boolean;
  /** Breaks ties; different for every row. */
  key: (row: Row) => string;
}

export interface Cursor {
  window: Window;
  after: { value: unknown; key: string };
}

export interface Page<Row> {
  rows: Row[];
  nextCursor: string | null;
}

/** @param question a text that two requests share when a cursor of one may continue the other */
export function page<Row>(
  rows: readonly Row[],
  order: Order<Row>,
  { limit, cursor }: { limit: number; cursor: Cursor | undefined },
  { question, window }: { question: string; window: Window },
): Page<Row> {
  const places = rows.map((row) => ({
    row,
    // A field that is absent stands last, like null.
    value: row[order.field] ?? null,
    key: order.key(row),
  }));
  const sign = order.descending ? -1 : 1;
  const compare = (a: Place, b: Place): number =>
    compareValues(a.value, b.value, sign) || compareText(a.key, b.key);
  places.sort(compare);
  const after = cursor?.after;
  const found = after === undefined ? 0 : places.findIndex((place) => compare(place, after) > 0);
  const start = found === -1 ? places.length : found;
  const end = Math.min(start + limit, places.length);
  const last = end < places.length ? places[end - 1] : undefined;
  const nextCursor = last ? writeCursor(question, window, last) : null;
  return { rows: places.slice(start, end).map(({ row }) => row), nextCursor };
}

interface Place {
  value: unknown;
  key: string;
}

/** Null stands last in either direction. Lists compare as their JSON. */
function compareValues(a: unknown, b: unknown, sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  if (typeof a === 'number') return sign * (a - (b as number));
  if (typeof a === 'string') return sign * compareText(a, b as string);
  return sign * compareText(JSON.stringify(a), JSON.stringify(b));
}

/** By code units: the same on every machine, and fast. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function writeCursor(question: string, { fromS, toS }: Window, { value, key }: Place): string {
  const parts = [digest(question), fromS, toS, value, key];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws AppError `invalid` when the text is no cursor of this question */
export function readCursor(question: string, text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const parts = parse(text);
  if (!Array.isArray(parts) || parts.length !== 5 || typeof parts[4] !== 'string') {
    const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
    const message = `cursor=${shown} is not allowed; give the next_cursor of the answer before`;
    throw new AppError('invalid', message, { field: 'cursor' });
  }
  const [of, fromS, toS, value, key] = parts;
  if (of !== digest(question) || !isMinute(fromS) || !isMinute(toS) || fromS >= toS) {
    const message =
      'cursor belongs to another question; keep all other parameters as they were, or leave it out';
    throw new AppError('invalid', message, { field: 'cursor' });
  }
  return { window: { fromS, toS }, after: { value, key } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function isMinute(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) % 60 === 0;
}

function digest(question: string): string {
  return createHash('sha256').update(question).digest('base64url').slice(0, 10);
}
