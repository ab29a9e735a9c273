import { text as readAll } from 'node:stream/consumers';
import { readConfig } from '../core/config/config.ts';
import { limits } from '../core/limits.ts';
import { printable } from '../core/printable.ts';
import { storePlace } from '../core/store/engine.ts';
import type { SqlAnswer, SqlCell } from '../core/store/sql.ts';
import { readFlags, UsageError } from './flags.ts';
import { textTable } from './table.ts';

const formats: Record<string, (answer: SqlAnswer) => string> = { table, csv, ndjson };

/** `rollcall sql "SELECT …"`: asks the store's file, also while services run. @returns the exit code */
export async function sql(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [question, ...rest] = args;
  if (question === undefined || (question.startsWith('-') && question !== '-')) {
    throw new UsageError('sql "SELECT …" lacks its question, or - for standard input');
  }
  const { env: flags, own } = readFlags(rest, {
    format: { type: 'string' },
    rows: { type: 'string' },
    seconds: { type: 'string' },
  });
  const rowsMost = wholeOf(own.rows ?? '1000', '--rows', limits.sqlRows);
  const seconds = wholeOf(own.seconds ?? '30', '--seconds', limits.sqlS);
  const write = formats[String(own.format ?? 'table')];
  if (write === undefined) {
    throw new UsageError(
      `--format ${own.format} must be one of ${Object.keys(formats).join(', ')}`,
    );
  }
  const text = question === '-' ? await readAll(process.stdin) : question;
  const place = storePlace(readConfig({ ...env, ...flags }).store);
  const answer = await place.ask(text, { rowsMost, timeoutMs: seconds * 1000 });
  process.stdout.write(write(answer));
  if (answer.more) {
    process.stderr.write(
      `rollcall: there are more rows than these ${answer.rows.length}; --rows\n`,
    );
  }
  return 0;
}

function wholeOf(value: string | boolean, flag: string, most: number): number {
  const number = /^\d{1,9}$/.test(String(value)) ? Number(value) : 0;
  if (number < 1 || number > most) {
    throw new UsageError(`${flag} ${value} must be a whole number from 1 to ${most}`);
  }
  return number;
}

function table({ columns, rows }: SqlAnswer): string {
  const cells = rows.map((row) => row.map((cell) => printable(textOf(cell))));
  return `${textTable(
    columns.map((name) => printable(name)),
    cells,
  )}\n`;
}

function csv({ columns, rows }: SqlAnswer): string {
  const line = (cells: string[]) => cells.map(csvCell).join(',');
  return [columns, ...rows.map((row) => row.map(textOf))].map((row) => `${line(row)}\r\n`).join('');
}

/** A cell that a spreadsheet would take for a formula begins with an apostrophe. */
function csvCell(text: string): string {
  const safe = printable(/^[=+@-]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text);
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function ndjson({ columns, rows }: SqlAnswer): string {
  return rows
    .map((row) => {
      const fields = row.map((cell, i) => `${jsonText(columns[i]!)}:${jsonCell(cell)}`);
      return `{${fields.join(',')}}\n`;
    })
    .join('');
}

function jsonCell(cell: SqlCell): string {
  if (cell === null || (typeof cell === 'number' && !Number.isFinite(cell))) return 'null';
  if (typeof cell === 'number' || typeof cell === 'bigint') return String(cell);
  return jsonText(textOf(cell));
}

/** JSON escapes C0 controls itself; what is left becomes the same escapes. */
function jsonText(text: string): string {
  return printable(JSON.stringify(text));
}

function textOf(cell: SqlCell): string {
  if (cell === null) return '';
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : String(cell);
}
