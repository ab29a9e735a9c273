import { z } from 'zod';
import type { JsonBytes } from './json-bytes.ts';
import { named } from './schema.ts';
import { rowWriterOf, TableRows } from './table-rows.ts';

/**
 * A list's columns, defined once: the row of the JSON answer, its schema in the OpenAPI document, the
 * columns of CSV and Markdown and the fields that sort the list all come from this table.
 */
export interface Column<Entry, T extends z.ZodType = z.ZodType> {
  type: T;
  /** For the OpenAPI document. */
  about: string;
  /** Undefined leaves the field out of the row; only a column of an optional type may. */
  value: (entry: Entry) => z.output<T>;
  /** The column is in Markdown tables, which have to fit a page. */
  brief?: true;
  /** Writes the value as JSON without making it: what takes many bytes of a long list. The field is always there. */
  write?: (json: JsonBytes, entry: Entry) => void;
  /** Orders rows by something else than the value. */
  order?: (entry: Entry) => SortValue;
  /** The column is in JSON answers only, and sorts nothing. */
  jsonOnly?: true;
  /** CSV and Markdown have the column only where some row has the field. */
  sparse?: true;
  /** The column is in a row only where `fields=` names it; its type is optional. */
  asked?: true;
  /** The value as a cell of a Markdown table; JSON for lists and objects unless given. */
  markdown?: (value: NonNullable<z.output<T>>) => string;
}

/** Numbers order by number; lists of numbers by their first, then their second number; null comes last. */
export type SortValue = string | number | boolean | readonly number[] | null | undefined;

export type Shape = Record<string, z.ZodType>;

export interface Table<Entry, S extends Shape = Shape> {
  /** In the order of the answer. */
  names: readonly (keyof S & string)[];
  columns: { readonly [K in keyof S]: Column<Entry, S[K]> };
  schema: z.ZodObject<S>;
  row(entry: Entry): z.output<z.ZodObject<S>>;
  /** The row with these fields alone. */
  part(entry: Entry, fields: readonly (keyof S & string)[]): Partial<z.output<z.ZodObject<S>>>;
  /** The rows of these entries, or some fields of them, to be written as JSON without being made. */
  rows(
    entries: readonly Entry[],
    fields?: readonly (keyof S & string)[],
  ): TableRows<Partial<z.output<z.ZodObject<S>>>>;
}

/** @param id the row's name in the OpenAPI document */
export function tableOf<Entry>() {
  return <S extends Shape>(
    id: string,
    columns: { [K in keyof S]: Column<Entry, S[K]> },
  ): Table<Entry, S> => {
    const names = Object.keys(columns) as (keyof S & string)[];
    const usual = names.filter((name) => !columns[name].asked);
    const fieldsOfNames = (chosen: readonly string[]) =>
      chosen.map((name) => ({ ...columns[name]!, name }));
    const writeUsual = rowWriterOf(fieldsOfNames(usual));
    const shape = names.map((name) => [name, columns[name].type.describe(columns[name].about)]);
    return {
      names,
      columns,
      schema: named(id, z.object(Object.fromEntries(shape) as S)),
      row: rowOf(columns, usual) as (entry: Entry) => z.output<z.ZodObject<S>>,
      part: (entry, fields) =>
        fieldsOf(columns, entry, fields) as Partial<z.output<z.ZodObject<S>>>,
      rows: (entries, fields) =>
        new TableRows(entries, fields ? rowWriterOf(fieldsOfNames(fields)) : writeUsual),
    };
  };
}

/**
 * A function that makes rows, compiled to one object literal. Code that adds 40 fields by computed names takes
 * 2.5 times as long, and V8 turns such a row into a hash table. The code holds the names of fields alone.
 * An undefined field is left out of JSON.
 */
function rowOf<Entry>(
  columns: Record<string, Column<Entry>>,
  names: readonly string[],
): (entry: Entry) => Record<string, unknown> {
  const values = names.map((name) => columns[name]!.value);
  const locals = names.map((_, i) => `value${i} = values[${i}]`);
  const fields = names.map((name, i) => `${JSON.stringify(name)}: value${i}(entry)`);
  const code = `const ${locals.join(', ')}; return (entry) => ({ ${fields.join(', ')} });`;
  return new Function('values', code)(values);
}

function fieldsOf<Entry>(
  columns: Record<string, Column<Entry>>,
  entry: Entry,
  names: readonly string[],
): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const name of names) {
    const value = columns[name]!.value(entry);
    if (value !== undefined) row[name] = value;
  }
  return row;
}

/** What sorts an entry by a column. */
export function sortValue<Entry>(column: Column<Entry>, entry: Entry): SortValue {
  if (column.order) return column.order(entry);
  const value = column.value(entry);
  if (!Array.isArray(value)) return value as SortValue;
  const isNumbers = value.length > 0 && value.every((item) => typeof item === 'number');
  return isNumbers ? value : JSON.stringify(value);
}

/** Default order: text ascending, except dates; numbers and times descending. */
export function isText(name: string, { type }: Pick<Column<never>, 'type'>): boolean {
  if (name.endsWith('_at')) return false;
  const inner = withoutNull(type);
  return inner instanceof z.ZodString || inner instanceof z.ZodEnum;
}

export function isNumber(type: z.ZodType): boolean {
  return withoutNull(type) instanceof z.ZodNumber;
}

function withoutNull(type: z.ZodType): z.core.$ZodType {
  return type instanceof z.ZodNullable ? type.unwrap() : type;
}
