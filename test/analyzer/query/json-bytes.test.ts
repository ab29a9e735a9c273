import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Owners } from '../../../analyzer/inventory/owners.ts';
import type { QueryContext } from '../../../analyzer/query/answer-head.ts';
import { JsonBytes } from '../../../analyzer/query/json-bytes.ts';
import { tableOf } from '../../../analyzer/query/table.ts';
import { jsonBytesOf } from '../../../analyzer/query/table-rows.ts';
import { endpointTable } from '../../../analyzer/reports/endpoint-row.ts';
import { usageByEndpoint } from '../../../analyzer/reports/endpoint-usage.ts';
import { isoTime } from '../../../core/window.ts';
import { fc } from '../../support/property.ts';
import { call, dayMs, nowMs } from '../support/door.ts';
import { engines } from '../support/engines.ts';

const decoder = new TextDecoder();

function written(write: (json: JsonBytes) => void): string {
  const json = new JsonBytes();
  write(json);
  return decoder.decode(json.end());
}

describe('JSON as bytes is what JSON.stringify writes', () => {
  test.each([
    0,
    -0,
    9,
    10,
    -100,
    99_999,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    0.1 + 0.2,
    1 / 3,
    98.1753,
    -17.691,
    0.0001,
    0.000_01,
    1e-7,
    1e21,
    99_999_999_999.9999,
    123_456_789_012.3,
    5e-324,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    '"\\\u0000\n\u007f\u2028',
    'é😀',
    '\ud800',
    [undefined, [], {}, null, true, false],
    { a: undefined, 'é"': { b: [1, 'x'] } },
  ])('%j', (value) => {
    expect(written((json) => json.value(value))).toBe(JSON.stringify(value));
  });

  test('any value of JSON, of any number of decimals', () => {
    const decimal = fc
      .tuple(fc.integer(), fc.constantFrom(1, 10, 1000, 10_000, 3e5))
      .map(([n, unit]) => n / unit);
    const value = fc.oneof(fc.jsonValue(), decimal, fc.double(), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), (values) => {
        expect(written((json) => json.value(values))).toBe(JSON.stringify(values));
      }),
      { numRuns: 1000 },
    );
  });

  test('a moment is that of isoTime', () => {
    const most = Date.UTC(2400, 0);
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 0, max: most }), fc.double({ min: 0, max: most, noNaN: true })),
        (ms) => {
          expect(written((json) => json.time(ms))).toBe(JSON.stringify(isoTime(ms)));
        },
      ),
      { numRuns: 1000 },
    );
    expect(written((json) => json.time(null))).toBe('null');
  });

  test('a body of many megabytes, and a small one after it', () => {
    const texts = Array.from({ length: 200_000 }, (_, n) => `${n} of many texts "é" in a list`);
    expect(decoder.decode(jsonBytesOf({ texts }))).toBe(JSON.stringify({ texts }));
    expect(written((json) => json.value(texts))).toBe(JSON.stringify(texts));
    expect(decoder.decode(jsonBytesOf({ a: undefined }))).toBe('{}');
    expect(decoder.decode(jsonBytesOf({ a: undefined, b: 1 }))).toBe('{"b":1}');
  });
});

describe('rows written as JSON are the rows', () => {
  test('with fields that are left out, all of them too', () => {
    const table = tableOf<{ a?: number; b: string }>()('Row', {
      a: { type: z.number().optional(), about: 'a', value: ({ a }) => a },
      b: { type: z.string().optional(), about: 'b', value: ({ b }) => b || undefined },
    });
    const entries = [{ a: 1, b: 'x' }, { b: 'y' }, { b: '' }];
    const [all, some] = [table.rows(entries), table.rows(entries, ['b'])];
    expect(decoder.decode(jsonBytesOf({ all, some }))).toBe(
      '{"all":[{"a":1,"b":"x"},{"b":"y"},{}],"some":[{"b":"x"},{"b":"y"},{}]}',
    );
    expect(written((json) => all.writeLines(json))).toBe('{"a":1,"b":"x"}\n{"b":"y"}\n{}\n');
  });

  test('of endpoints with every kind of caller, status and decision', async () => {
    const origins = ['', 'a "quoted" name', 'ümläut'].flatMap((consumer) =>
      ['', 'curl'].map((agent) => ({ consumer, agent })),
    );
    const calls = Array.from({ length: 60 }, (_, n) =>
      call({
        ...origins[n % origins.length]!,
        route: `/r${n % 7}`,
        client: n % 4 === 0 ? '' : `192.0.2.${n % 5}`,
        status: [200, 404, 503, 401, 0][n % 5]!,
        endMs: nowMs - (n % 3) * 20 * dayMs - n * 1001,
        durationNs: n * 1_234_567,
      }),
    );
    const opened = await engines[0]!.open(calls, nowMs);
    try {
      const entries = await opened.reader.snapshot('default', async (snapshot) => {
        const thresholds = { coldAfterDays: 7, deadAfterDays: 30 };
        const owners = new Owners([]);
        const context = {
          owners,
          snapshot,
          thresholds,
          nowMs,
          project: 'default',
          clientsAreHashed: false,
        };
        const toS = Math.floor(nowMs / 60_000) * 60;
        const coverage = await snapshot.coverage({ fromS: toS - 90 * 86_400, toS });
        return (await usageByEndpoint(context as unknown as QueryContext, {}, coverage)).entries;
      });
      expect(entries).toHaveLength(7);
      const rows = entries.map((entry) => endpointTable.row(entry));
      const json = decoder.decode(jsonBytesOf({ rows: endpointTable.rows(entries) }));
      expect(json).toBe(JSON.stringify({ rows }));
      const names = [...endpointTable.names].reverse();
      const parts = entries.map((entry) => endpointTable.part(entry, names));
      const some = decoder.decode(jsonBytesOf({ parts: endpointTable.rows(entries, names) }));
      expect(some).toBe(JSON.stringify({ parts }));
    } finally {
      await opened.remove();
    }
  });
});
