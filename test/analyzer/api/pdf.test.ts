import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { call, dayMs, hourMs, nowMs, openDoor, repeat } from '../support/door.ts';
import { oracleReader, type PlainCall } from '../support/oracle.ts';

const calls: PlainCall[] = [
  ...repeat(1_000, (n) =>
    call({
      route: `/items-${n}/{id}/a-rather-long-route-that-does-not-fit-into-its-column`,
      status: [200, 200, 404, 503][n % 4]!,
      durationNs: (1 + (n % 90)) * 1e6,
      endMs: nowMs - (n % 160) * hourMs,
      client: `192.0.2.${n % 50}`,
    }),
  ),
  ...['/поиск/{запрос}', '/αναζήτηση', '/חיפוש', '/café/{naïve}'].map((route) => call({ route })),
  call({ route: '/dead', endMs: nowMs - 60 * dayMs, consumer: 'quarterly-export' }),
];

/** The number of pages, and whether fonts are embedded as real text: read from the file itself. */
function inspect(bytes: Buffer): { pages: number; hasText: boolean } {
  const file = bytes.toString('latin1');
  const streams = [...file.matchAll(/\/FlateDecode[\s\S]*?stream\r?\n([\s\S]*?)\r?\nendstream/g)];
  const isText = ([, stream]: RegExpExecArray | RegExpMatchArray) => {
    try {
      return inflateSync(Buffer.from(stream!, 'latin1')).includes('beginbfrange');
    } catch {
      return false;
    }
  };
  return {
    pages: [...file.matchAll(/\/Type \/Page\b/g)].length,
    hasText: streams.some(isText),
  };
}

test.each([
  ['report', '/report?format=pdf&window=7d', 20],
  ['summary', '/summary?format=pdf&window=7d', 2],
  ['dead', '/report/dead?format=pdf', 1],
])('%s is a PDF document of its pages with real text', async (name, path, least) => {
  const door = await openDoor(oracleReader(calls), nowMs);
  const response = await door.fetch(`/api/v1${path}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/pdf');
  expect(response.headers.get('content-disposition')).toBe(
    `attachment; filename="rollcall-${name}-2026-03-18.pdf"`,
  );
  expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
  const { pages, hasText } = inspect(bytes);
  expect(pages).toBeGreaterThanOrEqual(least);
  expect(hasText).toBe(true);
  const shown = process.env.PDF_FOLDER;
  if (shown !== undefined) {
    writeFileSync(`${shown}/${name}.pdf`, bytes);
    execFileSync('pdftoppm', ['-r', '70', '-png', `${shown}/${name}.pdf`, `${shown}/${name}`]);
  }
  await door.close();
});

test('an empty store is a document too, and other queries have none', async () => {
  const door = await openDoor(oracleReader([]), nowMs);
  for (const path of ['/report', '/report/dead', '/summary']) {
    const response = await door.fetch(`/api/v1${path}?format=pdf`);
    expect([path, response.status]).toEqual([path, 200]);
    await response.arrayBuffer();
  }
  const response = await door.fetch('/api/v1/clients?format=pdf');
  expect(response.status).toBe(400);
  await door.close();
});

test('a document of 3,000 endpoints has the first 1,000 rows of each table', async () => {
  const many = repeat(3_000, (n) => call({ route: `/items-${n}` }));
  const pages = async (calls: PlainCall[]) => {
    const door = await openDoor(oracleReader(calls), nowMs);
    const response = await door.fetch('/api/v1/report?format=pdf&window=7d');
    const bytes = Buffer.from(await response.arrayBuffer());
    await door.close();
    return inspect(bytes).pages;
  };
  // The note below the table may take a page.
  expect(await pages(many)).toBeLessThanOrEqual((await pages(many.slice(0, 1_000))) + 1);
});
