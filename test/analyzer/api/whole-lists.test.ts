import { expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { call, minuteMs, nowMs, openDoor, repeat } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

/** More rows of each list than one page of a stream holds. */
const rows = limits.streamedPageRows + 300;

test.each([
  ['/consumers', (n: number) => ({ consumer: `c${n}` }), (row: Row) => row.consumer],
  ['/clients', (n: number) => ({ client: `10.0.${n >> 8}.${n & 255}` }), (row: Row) => row.client],
  ['/events', (n: number) => ({ version: `1.${n}` }), (row: Row) => row.version],
  ['/compare', (n: number) => ({ route: `/r${n}` }), (row: Row) => row.route],
])(
  '%s?format=ndjson without limit= is the whole list, each row once',
  async (path, told, nameOf) => {
    const calls = repeat(rows, (n) => call({ ...told(n), endMs: nowMs - 30 * minuteMs - n }));
    const door = await openDoor(oracleReader(calls), nowMs);
    const linesOf = async (query: string): Promise<Row[]> => {
      const text = await (
        await door.fetch(`/api/v1${path}?window=1h&format=ndjson${query}`)
      ).text();
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    };
    const whole = await linesOf('');
    expect(whole).toHaveLength(rows);
    expect(new Set(whole.map(nameOf)).size).toBe(rows);
    expect(await linesOf('&limit=7')).toEqual(whole.slice(0, 7));
    await door.close();
  },
  60_000,
);

type Row = Record<string, string>;
