import { createHash } from 'node:crypto';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { dayS, type Window } from '../../core/window.ts';
import type { SortValue } from './table.ts';

/** The order of a list, a page of it, and the cursor that continues it. */
export interface Order<Row> {
  value: (row: Row) => SortValue;
  descending: boolean;
  /** Breaks ties; different for every row. */
  key: (row: Row) => string;
}

/** A row with what orders it. */
export interface Place<Row> extends Position {
  row: Row;
}

export interface Position {
  /** Null comes last in either direction. */
  value: Exclude<SortValue, undefined>;
  key: string;
}

export interface Cursor {
  window: Window;
  /** Id of the remembered list (analyzer/query/remembered-lists.ts); '' when none was remembered. */
  list: string;
  /** Of the last row of the page before. */
  after: Position;
}

/** A list in order, page by page. */
export interface Pages<Row> {
  length: number;
  /** @returns the rows behind the position, and the position of the last of them when more rows follow */
  page(limit: number, after: Position | undefined): Page<Row>;
}

export interface Page<Row> {
  rows: Row[];
  last: Position | undefined;
}

/**
 * Rows and their order. The whole list is sorted when a later page is read: most readers want the first page alone.
 * The first 100 of 20,000 clients then take 10 ms of CPU a request instead of 15.
 */
export class SortedList<Row> implements Pages<Row> {
  readonly #rows: readonly Row[];
  readonly #order: Order<Row>;
  readonly #sign: number;
  #places: readonly Place<Row>[] | undefined;

  /** @param rows must not change any more */
  constructor(rows: readonly Row[], order: Order<Row>) {
    this.#rows = rows;
    this.#order = order;
    this.#sign = order.descending ? -1 : 1;
  }

  get length(): number {
    return this.#rows.length;
  }

  page(limit: number, after: Position | undefined): Page<Row> {
    const isFirst = after === undefined && this.length > 2 * limit;
    const places = isFirst ? this.#first(limit) : this.#sorted();
    const start = after === undefined ? 0 : firstBehind(places, after, this.#sign);
    const end = Math.min(start + limit, places.length);
    return {
      rows: places.slice(start, end).map(({ row }) => row),
      last: end < this.length ? places[end - 1] : undefined,
    };
  }

  #sorted(): readonly Place<Row>[] {
    this.#places ??= this.#inOrder(this.#rows.map((row) => this.#place(row)));
    return this.#places;
  }

  /** Collects twice as many places, then drops the later half: a row behind the last of the rest is passed over. */
  #first(count: number): readonly Place<Row>[] {
    const places: Place<Row>[] = [];
    let last: Place<Row> | undefined;
    for (const row of this.#rows) {
      const value = this.#order.value(row) ?? null;
      if (last !== undefined && compareValues(value, last.value, this.#sign) > 0) continue;
      places.push({ row, value, key: this.#order.key(row) });
      if (places.length < 2 * count) continue;
      this.#inOrder(places).length = count;
      last = places[count - 1];
    }
    this.#inOrder(places).length = count;
    return places;
  }

  #inOrder(places: Place<Row>[]): Place<Row>[] {
    return places.sort((a, b) => comparePositions(a, b, this.#sign));
  }

  #place(row: Row): Place<Row> {
    return { row, value: this.#order.value(row) ?? null, key: this.#order.key(row) };
  }
}

/** Binary search: a page does not look at the rows before it. */
function firstBehind(places: readonly Position[], after: Position, sign: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comparePositions(places[middle]!, after, sign) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

function comparePositions(a: Position, b: Position, sign: number): number {
  return compareValues(a.value, b.value, sign) || compareText(a.key, b.key);
}

function compareValues(a: Position['value'], b: Position['value'], sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  if (typeof a === 'string' && typeof b === 'string') return sign * compareText(a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    const differing = a.findIndex((number, n) => number !== b[n]);
    return differing === -1 ? 0 : sign * (a[differing]! - b[differing]!);
  }
  return sign * (Number(a) - Number(b));
}

/** By code units: the same on every machine, and fast. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @param query a text that two requests share when a cursor of one may continue the other */
export function writeCursor(query: string, { window, list, after }: Cursor): string {
  const parts = [digest(query), window.fromS, window.toS, after.value, after.key, list];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws AppError `invalid` when the text is no cursor of this query */
export function readCursor(query: string, text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const parts = parse(text);
  if (!Array.isArray(parts) || parts.length < 5 || typeof parts[4] !== 'string') {
    const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
    const message = `cursor=${shown} is not allowed; give the next_cursor of the answer before`;
    throw new AppError('invalid', message, { field: 'cursor' });
  }
  const [of, fromS, toS, value, key, list = ''] = parts;
  const isWindow = isMinute(fromS) && isMinute(toS) && fromS < toS;
  if (of !== digest(query) || !isWindow || !isSortValue(value) || typeof list !== 'string') {
    const message =
      'cursor belongs to another question; keep all other parameters as they were, or leave it out';
    throw new AppError('invalid', message, { field: 'cursor' });
  }
  return { window: { fromS, toS }, list, after: { value, key } };
}

function parse(text: string): unknown {
  const bytes = Buffer.from(text, 'base64url');
  // Decoding passes over characters that belong to no byte: only the text that was given is a cursor.
  if (bytes.toString('base64url') !== text) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function isMinute(value: unknown): value is number {
  const mostS = 2 ** 32 + limits.windowDays * dayS;
  return (
    Number.isSafeInteger(value) &&
    Number(value) % 60 === 0 &&
    Number(value) >= 0 &&
    Number(value) < mostS
  );
}

function isSortValue(value: unknown): value is Position['value'] {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'number');
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function digest(query: string): string {
  return createHash('sha256').update(query).digest('base64url').slice(0, 10);
}
