import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { apiTable } from './api-table.ts';

const path = fileURLToPath(new URL('../../docs/api.md', import.meta.url));

test('a test calls every route of the API, and docs/api.md lists it (API_TABLE=write writes it)', () => {
  const { text, untested } = apiTable();
  if (process.env.API_TABLE === 'write') writeFileSync(path, text);
  expect(untested).toEqual([]);
  const routes = (table: string) => [...table.matchAll(/^\| (`[^`]+`) \|/gm)];
  const shown = (table: string) => routes(table).map(([, ...cells]) => cells.join(' '));
  expect(shown(readFileSync(path, 'utf8'))).toEqual(shown(text));
});
