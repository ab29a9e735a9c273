import { createWriteStream, existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../core/error.ts';
import { answerOf, apiUrl, print, remark, request } from './analyzer.ts';
import { readFlags, UsageError } from './flags.ts';
import { textTable } from './table.ts';

/** Filters, by the REST API's names; the flag of `trace_id` is `--trace-id`. */
const filters = [
  'service',
  'environment',
  'window',
  'from',
  'to',
  'method',
  'route',
  'endpoint',
  'status',
  'client',
  'consumer',
  'agent',
  'bot',
  'version',
  'error_type',
  'duration_min',
  'duration_max',
  'trace_id',
  'sort',
  'limit',
] as const;

const formats = ['table', 'json', 'csv', 'md', 'ndjson', 'parquet'] as const;
type Format = (typeof formats)[number];

const tableRows = '20';
const followEveryMs = 1_000;

interface Row {
  ended_at: string;
  service: string;
  method: string;
  route: string;
  status: number | null;
  duration_ms: number | null;
  client: string | null;
  consumer: string | null;
  error_type: string | null;
  trace_id: string | null;
}

interface Page {
  calls: Row[];
  next_cursor: string | null;
  follow_cursor: string;
  notes?: { message: string }[];
}

/**
 * `rollcall calls`: raw calls over the REST API of an analyzer, here or elsewhere.
 * @returns the exit code
 */
export async function calls(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const names = filters.map((name) => [name.replaceAll('_', '-'), { type: 'string' }] as const);
  const { env: flags, own } = readFlags(args, {
    ...Object.fromEntries(names),
    format: { type: 'string' },
    output: { type: 'string' },
    follow: { type: 'boolean' },
    url: { type: 'string' },
  });
  const format = formatOf(own.format);
  const url = apiUrl(own.url, { ...env, ...flags }, 'calls');
  for (const name of filters) {
    const value = own[name.replaceAll('_', '-')];
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const output = own.output === undefined ? undefined : String(own.output);
  if (own.follow) return await follow(url, env, format, output);
  switch (format) {
    case 'table':
      return await table(url, env);
    case 'parquet':
      return await parquet(url, env, output);
    default:
      return await copy(url, env, format, output);
  }
}

function formatOf(text: string | boolean | undefined): Format {
  const format = formats.find((name) => name === (text ?? 'table'));
  if (format === undefined)
    throw new UsageError(`--format "${text}" is none of ${formats.join(', ')}`);
  return format;
}

/** The first calls, as many as `limit` says: pages of a search that goes on are read until they are found. */
async function table(url: URL, env: NodeJS.ProcessEnv): Promise<number> {
  if (!url.searchParams.has('limit')) url.searchParams.set('limit', tableRows);
  const limit = Number(url.searchParams.get('limit'));
  const rows: Row[] = [];
  for (;;) {
    const page = JSON.parse(await request(url, env)) as Page;
    rows.push(...page.calls);
    if (page.next_cursor === null || rows.length >= limit) break;
    url.searchParams.set('limit', String(limit - rows.length));
    url.searchParams.set('cursor', page.next_cursor);
  }
  print(textTable(head, rows.map(cells)));
  return 0;
}

const head = ['ENDED', 'SERVICE', 'CALL', 'STATUS', 'MS', 'CALLER', 'ERROR', 'TRACE'];

function cells(row: Row): string[] {
  const { ended_at, service, method, route, status, duration_ms, client, consumer } = row;
  return [
    ended_at.replace('T', ' ').slice(0, 23),
    service,
    `${method} ${route}`,
    status === null ? '-' : String(status),
    duration_ms === null ? '-' : duration_ms.toFixed(3),
    consumer ?? client ?? '-',
    row.error_type ?? '-',
    row.trace_id ?? '-',
  ].map(printable);
}

/** Callers choose routes, names and errors: no character of theirs moves the cursor of a terminal. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '�');

/** The last calls, then each one as it arrives, until it is interrupted. */
async function follow(
  url: URL,
  env: NodeJS.ProcessEnv,
  format: Format,
  output: string | undefined,
): Promise<number> {
  if ((format !== 'table' && format !== 'ndjson') || output !== undefined) {
    throw new UsageError('--follow prints a table, or --format ndjson, to standard output');
  }
  if (url.searchParams.has('sort')) {
    throw new UsageError('--follow prints calls in the order of their arrival, without --sort');
  }
  const show = (rows: readonly Row[]): void => {
    if (rows.length === 0) return;
    if (format === 'ndjson') print(rows.map((row) => JSON.stringify(row)).join('\n'));
    else print(rows.map((row) => cells(row).join('  ')).join('\n'));
  };
  if (!url.searchParams.has('limit')) url.searchParams.set('limit', tableRows);
  const first = JSON.parse(await request(url, env)) as Page;
  show(first.calls.toReversed());
  for (const name of ['window', 'from', 'to', 'limit']) url.searchParams.delete(name);
  url.searchParams.set('limit', '1000');
  url.searchParams.set('follow', first.follow_cursor);
  for (;;) {
    const page = await patiently(url, env);
    if (page === undefined) {
      await pause(followEveryMs);
      continue;
    }
    show(page.calls);
    url.searchParams.set('follow', page.follow_cursor);
    if (page.next_cursor === null) await pause(followEveryMs);
  }
}

/** An analyzer that is started anew or busy ends no tail. @returns undefined when it gave no answer */
async function patiently(url: URL, env: NodeJS.ProcessEnv): Promise<Page | undefined> {
  try {
    return JSON.parse(await request(url, env)) as Page;
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'invalid') throw error;
    return undefined;
  }
}

/** The API's own text. NDJSON without a limit is every call of the search. */
async function copy(
  url: URL,
  env: NodeJS.ProcessEnv,
  format: Format,
  output: string | undefined,
): Promise<number> {
  url.searchParams.set('format', format);
  const { body } = await answerOf(url, env);
  const source = Readable.fromWeb(body as never);
  if (output === undefined || output === '-') {
    await pipeline(source, process.stdout, { end: false });
    return 0;
  }
  if (existsSync(output)) throw new AppError('conflict', `"${output}" exists already`);
  await pipeline(source, createWriteStream(output, { flags: 'wx' }));
  return 0;
}

async function parquet(
  url: URL,
  env: NodeJS.ProcessEnv,
  output: string | undefined,
): Promise<number> {
  if (output === undefined || output === '-') {
    throw new UsageError('--format parquet needs --output FILE');
  }
  url.searchParams.set('format', 'ndjson');
  const { body } = await answerOf(url, env);
  const { writeParquet } = await import('./parquet.ts');
  const count = await writeParquet(output, linesOf(Readable.fromWeb(body as never)));
  remark(`"${output}" has ${count} calls`);
  return 0;
}

async function* linesOf(source: AsyncIterable<Buffer>): AsyncIterable<Record<string, unknown>> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
  if (rest !== '') yield JSON.parse(rest);
}
