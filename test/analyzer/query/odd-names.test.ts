import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queries } from '../../../analyzer/api/queries.ts';
import { formatNames } from '../../../analyzer/query/formats.ts';
import { call, type ListenOptions, minuteMs, nowMs, openDoor } from '../support/door.ts';
import { type Opened, openSqlite } from '../support/engines.ts';

/** Names as spans may bring them, in every list and every form. */
const names = [
  '=HYPERLINK("http://evil.example","x")',
  '+1+1',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  ' =1',
  '"quoted", "twice"',
  'two\nlines\r\nof text',
  'a|b\\|c',
  '<img src=x onerror=alert(1)>',
  '[x](javascript:alert(1))',
  '{other}',
  'null',
  '__proto__',
  'constructor',
  '\u202Egnp.exe',
  '\u0000\u0007\u001b[31m',
  '\uFEFFbom',
  'é'.repeat(60),
  '🛒'.repeat(30),
  '%00%0a',
  '0123',
  '1e999',
];

let opened: Opened;
let door: ListenOptions;
beforeAll(async () => {
  const calls = names.map((name, n) =>
    call({
      service: name,
      route: `/${n}/${name}`,
      client: `192.0.2.${n}`,
      consumer: name,
      agent: name,
      version: name,
      errorType: name,
      status: n % 3 === 0 ? 500 : 200,
      endMs: nowMs - (n + 1) * minuteMs - 30_000,
    }),
  );
  opened = await openSqlite(calls, nowMs);
  door = await openDoor(opened.reader, nowMs);
}, 30_000);
afterAll(async () => {
  await door?.close();
  await opened?.remove();
});

/** RFC 4180, strictly. @throws for a text that is not */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const match = cell.exec(text);
    if (match === null)
      throw new Error(`no CSV at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

const lists = queries.filter(({ list }) => list !== undefined);

describe.each(lists.map((query) => [query.path, query] as const))('%s', (path, { list }) => {
  const noun = list!.noun;
  const address = (query: string) => `/api/v1${path.replace(':service', 'shop')}?${query}`;
  const rowsOf = async (): Promise<Record<string, unknown>[]> =>
    ((await (await door.fetch(address(''))).json()) as Record<string, Record<string, unknown>[]>)[
      noun
    ]!;

  test.each(formatNames)(
    'answers odd names as %s, without a formula and with every row',
    async (format) => {
      const response = await door.fetch(address(`format=${format}`));
      const text = await response.text();
      expect(response.status, text.slice(0, 300)).toBe(200);
      const rows = await rowsOf();
      if (format === 'csv') {
        const [head, ...found] = parseCsv(text);
        expect(found).toHaveLength(rows.length);
        for (const row of found) {
          expect(row).toHaveLength(head!.length);
          for (const cell of row) {
            if (Number.isFinite(Number(cell))) continue;
            expect(cell, 'a formula').not.toMatch(/^[\s]*[=+\-@]/);
          }
        }
      }
      if (format === 'ndjson') {
        const lines = text.split('\n').filter(Boolean);
        expect(lines.map((line) => JSON.parse(line))).toEqual(rows);
      }
      if (format === 'md') {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey them
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/);
        expect(text).not.toMatch(/(?<!\\)<img/);
        const table = text.split('\n').filter((line) => line.startsWith('|'));
        expect(table.length === 0 || table.length === rows.length + 2).toBe(true);
      }
    },
  );
});

test.each(['service', 'consumer', 'version'])('%s= finds what has an odd name', async (name) => {
  for (const text of names) {
    const query = `${name}=${encodeURIComponent(text)}`;
    const path = name === 'consumer' ? '/calls' : '/clients';
    const answer = await door.get(`${path}?${query}&limit=10`);
    const rows = (answer.calls ?? answer.clients) as { calls?: number }[];
    expect(rows, JSON.stringify(text)).toHaveLength(1);
    expect(answer.filters[name]).toBe(text);
  }
});
