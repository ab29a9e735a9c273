/** Lists as tables: CSV for spreadsheets, Markdown for people. */
export interface Column<Row> {
  name: keyof Row & string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'array';
  about: string;
  /** Stands in the Markdown table, which has to fit a page. */
  brief?: boolean;
}

/** RFC 4180: CRLF, quotes doubled. Columns are the field names; lists stand as JSON, null as nothing. */
export function csv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map(({ name }) => name).join(',')];
  for (const row of rows) lines.push(columns.map(({ name }) => csvCell(row[name])).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  let text = typeof value === 'string' ? value : JSON.stringify(value);
  // A spreadsheet takes these for the start of a formula, and routes and agents come from strangers.
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A table in GitHub's Markdown under a heading and a line of prose. */
export function markdown<Row>(
  title: string,
  prose: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string {
  const brief = columns.filter((column) => column.brief);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const ruler = brief.map(({ type }) => (type === 'integer' || type === 'number' ? '--:' : '---'));
  const lines = [`# ${title}`, '', prose, '', line(brief.map(({ name }) => name)), line(ruler)];
  for (const row of rows) lines.push(line(brief.map(({ name }) => markdownCell(row[name]))));
  return `${lines.join('\n')}\n`;
}

function markdownCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\|`*_<>[\]]/g, '\\$&');
}
