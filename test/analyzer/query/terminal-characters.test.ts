import { expect, it } from 'vitest';
import { z } from 'zod';
import { formats, type List } from '../../../analyzer/query/formats.ts';
import { tableOf } from '../../../analyzer/query/table.ts';

/** What callers send reaches a terminal by curl: an escape sequence could rewrite lines or the clipboard. */
const table = tableOf<{ route: string }>()('Row', {
  route: { type: z.string(), about: 'a route', value: ({ route }) => route, brief: true },
});
const list: List = { title: 'Rows', noun: 'rows', table, prose: () => 'All.' };
const sent = '/a\u001b]52;c;aGk=\u0007\u202eb\u009bc';

it('controls and characters that turn the direction of text are escaped in CSV', () => {
  const text = formats.csv.write({ rows: [{ route: sent }] }, list);
  expect(text).toBe('route\r\n/a\\u001b]52;c;aGk=\\u0007\\u202eb\\u009bc\r\n');
});

it('line breaks within a quoted cell of CSV stay', () => {
  const text = formats.csv.write({ rows: [{ route: '/a\nb' }] }, list);
  expect(text).toBe('route\r\n"/a\nb"\r\n');
});

it('controls and characters that turn the direction of text are escaped in Markdown', () => {
  const text = formats.md.write({ rows: [{ route: sent }] }, list);
  expect(text).toContain('aGk=\\\\u0007\\\\u202eb\\\\u009bc');
  // Markdown's own line breaks are the only controls.
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}/u);
});
