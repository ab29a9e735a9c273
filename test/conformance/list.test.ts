import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cases } from './cases.ts';
import { requirements, type Section, sections } from './requirements.ts';

test('every id of the checklist has a case, in its own section', () => {
  for (const [section, ids] of Object.entries(sections)) {
    const proved = cases[section as Section].map(({ id }) => id as string);
    expect(Object.keys(ids).filter((id) => !proved.includes(id))).toEqual([]);
    expect(proved.filter((id) => !(id in ids))).toEqual([]);
  }
});

test('ids count on without a gap, and no case has the name of another', () => {
  const most = { H: 12, E: 8, P: 8, J: 8, R: 11, G: 13, L: 7, A: 4 };
  const expected = Object.entries(most).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, n) => `${letter}${n + 1}`),
  );
  expect(requirements.map(([id]) => id)).toEqual(expected);
  const names = Object.values(cases).flatMap((list) => list.map(({ id, name }) => `${id} ${name}`));
  expect(new Set(names).size).toBe(names.length);
});

test('docs/conformance.md has a row for every id, in the same words', () => {
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| ([A-Z]\d+) \| (.*?) \| passes \((\d+)\) \|/gm)];
  expect(rows.map(([, id, asked]) => [id, asked])).toEqual(requirements);
  for (const [, id, , count] of rows) {
    const proved = Object.values(cases).flatMap((list) => list.filter((each) => each.id === id));
    expect([id, proved.length]).toEqual([id, Number(count)]);
  }
});
