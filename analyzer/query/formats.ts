import { printable } from '../../core/printable.ts';
import { JsonBytes } from './json-bytes.ts';
import { isNumber, type Table } from './table.ts';
import { jsonBytesOf, TableRows } from './table-rows.ts';

/** Forms of a list, defined once: `format=`, the content types and the OpenAPI document come from here. */
export interface Format {
  contentType: string;
  /** The answer is a file to save, with this extension. */
  extension?: string;
  write(body: ListBody, list: List): string | Uint8Array<ArrayBuffer>;
}

/** How a query's JSON body is a list. */
export interface List {
  /** Heading of the Markdown table. */
  title: string;
  /** Field of the body that holds the rows: a plural noun. */
  noun: string;
  table: Pick<Table<never>, 'names' | 'columns'>;
  /** NDJSON without `limit=` is the whole list, of any length. */
  isStreamed?: true;
  /** Columns of the Markdown table besides the brief ones. */
  markdownAlso?: readonly string[];
  /** A line of prose above the Markdown table. */
  prose(body: never): string;
  /** The answer as Markdown in place of the table, when the rows have all fields. */
  document?(body: object, prose: string): string;
}

export type ListBody = Record<string, unknown>;

export const formats = {
  json: {
    contentType: 'application/json; charset=utf-8',
    write: (body) => jsonBytesOf(body),
  },
  csv: {
    contentType: 'text/csv; charset=utf-8',
    extension: 'csv',
    write: csv,
  },
  md: {
    contentType: 'text/markdown; charset=utf-8',
    write: markdown,
  },
  ndjson: {
    contentType: 'application/x-ndjson; charset=utf-8',
    extension: 'ndjson',
    write: ndjson,
  },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;

export const formatNames = Object.keys(formats) as [FormatName, ...FormatName[]];

type Row = Record<string, unknown>;

/** Columns of a table: those that `fields=` chose, which the body then names, or else the usual ones. */
function namesOf(body: ListBody, list: List, isUsual = (_name: string) => true): readonly string[] {
  const { columns, names } = list.table;
  const chosen = body.fields as readonly string[] | undefined;
  const rows = rowsOf(body, list);
  const usual = names.filter((name) => isUsual(name) && !columns[name]!.asked);
  return (chosen ?? usual).filter((name) => {
    const { jsonOnly, sparse } = columns[name]!;
    return !jsonOnly && (!sparse || rows.some((row) => row[name] !== undefined));
  });
}

const rowsOf = (body: ListBody, { noun }: List): Row[] => body[noun] as Row[];

function ndjson(body: ListBody, { noun }: List): Uint8Array<ArrayBuffer> {
  const json = new JsonBytes();
  const rows = body[noun] as Row[] | TableRows;
  if (rows instanceof TableRows) rows.writeLines(json);
  else for (const row of rows) json.rawText(`${JSON.stringify(row)}\n`);
  return json.end();
}

/** RFC 4180: CRLF, quotes doubled. Columns are the field names; lists are JSON, null is an empty cell. */
function csv(body: ListBody, list: List): string {
  const names = namesOf(body, list);
  const lines = [names.join(',')];
  for (const row of rowsOf(body, list)) lines.push(names.map((name) => csvCell(row[name])).join());
  return `${lines.join('\r\n')}\r\n`;
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  let text = printable(typeof value === 'string' ? value : JSON.stringify(value), '\t\r\n');
  // A spreadsheet reads a cell that begins so as a formula, also behind spaces and in full-width characters, and
  // callers choose routes and agents.
  if (/^(\s*[=+\-@＝＋－＠]|[\t\r\n])/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A table in GitHub's Markdown under a heading and a line of prose. */
function markdown(body: ListBody, list: List): string {
  const { columns } = list.table;
  if (list.document && body.fields === undefined) {
    return `${list.document(body, list.prose(body as never)).trimEnd()}\n`;
  }
  const names = namesOf(
    body,
    list,
    (name) => columns[name]!.brief === true || (list.markdownAlso?.includes(name) ?? false),
  );
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const ruler = names.map((name) => (isNumber(columns[name]!.type) ? '--:' : '---'));
  const lines = [`# ${list.title}`, '', list.prose(body as never), '', line(names), line(ruler)];
  for (const row of rowsOf(body, list)) {
    lines.push(line(names.map((name) => markdownCell(row[name], columns[name]!.markdown))));
  }
  return `${lines.join('\n')}\n`;
}

function markdownCell(value: unknown, write: ((value: never) => string) | undefined): string {
  if (value === null || value === undefined) return '';
  if (write) return escapeMarkdown(write(value as never));
  return escapeMarkdown(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

/** A table row is one line; characters that would be markup or an entity are escaped. */
export function escapeMarkdown(text: string): string {
  const line = printable(text.replace(/[\r\n]+/g, ' '));
  return line.replace(/[\\|`*_<>[\]&~]/g, '\\$&');
}
