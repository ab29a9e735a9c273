import { afterAll, beforeAll, expect, test } from 'vitest';
import { queries } from '../../../analyzer/api/queries.ts';
import { formatNames } from '../../../analyzer/query/formats.ts';
import { call, type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

let door: ListenOptions;
beforeAll(async () => {
  door = await openDoor(oracleReader([call()]), nowMs);
});
afterAll(() => door.close());

const address = (path: string) => `/api/v1${path.replace(':service', 'shop').replace(':id', '1')}`;
const every = queries.flatMap(({ path, parameters }) =>
  Object.keys(parameters.shape).map((name): [string, string] => [path, name]),
);

/** Longer than any text may be, and no number, time, zone, name or list of names. */
const wrong = 'é!'.repeat(550);

test.each(every)(
  '%s refuses a wrong %s= by name, without a trace of the inside',
  async (path, name) => {
    const response = await door.fetch(`${address(path)}?${name}=${encodeURIComponent(wrong)}`);
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.field]).toEqual([400, name]);
    expect(text).not.toMatch(/\bat .*\.ts|node_modules|SELECT/);
  },
);

test.each(queries.map(({ path }): [string] => [path]))(
  '%s refuses a parameter that it does not know',
  async (path) => {
    const response = await door.fetch(`${address(path)}?nonsense=1`);
    const { error } = (await response.json()) as { error: { field: string; message: string } };
    expect([response.status, error.field]).toEqual([400, 'nonsense']);
    expect(error.message).toContain('known here:');
  },
);

const lists = queries.filter(({ list }) => list !== undefined);

test.each(lists.flatMap(({ path }) => formatNames.map((name): [string, string] => [path, name])))(
  '%s answers format=%s with security headers',
  async (path, format) => {
    const response = await door.fetch(`${address(path)}?format=${format}`);
    await response.arrayBuffer();
    expect(response.status).toBe(200);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  },
);
