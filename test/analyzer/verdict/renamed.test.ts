import { describe, expect, test } from 'vitest';
import { call, dayMs, nowMs, openDoor, repeat } from '../support/door.ts';
import { oracleReader, type PlainCall } from '../support/oracle.ts';

const on = (route: string, from: number, to: number, told: Partial<PlainCall> = {}): PlainCall[] =>
  repeat(from - to + 1, (n) => call({ route, endMs: nowMs - (from - n) * dayMs, ...told }));

/** For each route: the route that took its place. */
async function renamed(calls: PlainCall[]): Promise<Record<string, string>> {
  const door = await openDoor(oracleReader([...on('/pulse', 200, 0), ...calls]), nowMs);
  const { endpoints } = await door.get('/report');
  const routeOf = new Map(
    endpoints.map(({ id, route }: { id: string; route: string }) => [id, route]),
  );
  const pairs: Record<string, string> = {};
  for (const row of endpoints) {
    if (row.renamed_to === null) continue;
    pairs[row.route] = routeOf.get(row.renamed_to) as string;
    for (const id of [row.id, row.renamed_to]) {
      const { endpoint } = await door.get(`/endpoints/${id}`);
      expect(endpoint.marks).toContain('renamed');
    }
    expect((await door.get(`/endpoints/${row.id}`)).endpoint.renamed_to).toBe(row.renamed_to);
  }
  await door.close();
  return pairs;
}

const old = { version: '1.0.0', consumer: 'billing' };
const next = { version: '2.0.0', consumer: 'billing' };

describe('a renamed endpoint', () => {
  test('is a silent one and a new one with its callers, from the version in which it ended', async () => {
    const calls = [...on('/users/{id}', 150, 60, old), ...on('/v2/users/{id}', 60, 0, next)];
    expect(await renamed(calls)).toEqual({ '/users/{id}': '/v2/users/{id}' });
  });

  test('is none when the callers differ', async () => {
    const other = { version: '2.0.0', consumer: 'reporting' };
    const calls = [...on('/users/{id}', 150, 60, old), ...on('/v2/users/{id}', 60, 0, other)];
    expect(await renamed(calls)).toEqual({});
  });

  test('has at least half of the callers of the old one', async () => {
    const by = (consumers: string[]) =>
      consumers.flatMap((consumer) => on('/users/{id}', 150, 60, { ...old, consumer }));
    const successor = on('/v2/users/{id}', 60, 0, next);
    expect(await renamed([...by(['billing', 'audit']), ...successor])).toEqual({
      '/users/{id}': '/v2/users/{id}',
    });
    expect(await renamed([...by(['billing', 'audit', 'export']), ...successor])).toEqual({});
  });

  test('is none when the new one had calls in an earlier version', async () => {
    const calls = [
      ...on('/users/{id}', 150, 100, { ...old, version: '0.9.0' }),
      ...on('/users/{id}', 99, 60, old),
      ...on('/v2/users/{id}', 62, 0, { ...next, version: '0.9.0' }),
    ];
    expect(await renamed(calls)).toEqual({});
  });

  test('is none when the new one began weeks before or after', async () => {
    const before = [...on('/users/{id}', 150, 60, old), ...on('/v2/users/{id}', 80, 0, next)];
    const after = [...on('/users/{id}', 150, 60, old), ...on('/v2/users/{id}', 45, 0, next)];
    expect(await renamed(before)).toEqual({});
    expect(await renamed(after)).toEqual({});
  });

  test('is none with another method, or while the old one is used', async () => {
    const method = [
      ...on('/users/{id}', 150, 60, old),
      ...on('/v2/users/{id}', 60, 0, { ...next, method: 'POST' }),
    ];
    const used = [...on('/users/{id}', 150, 3, old), ...on('/v2/users/{id}', 5, 0, next)];
    expect(await renamed(method)).toEqual({});
    expect(await renamed(used)).toEqual({});
  });

  test('of several that were renamed at once, words of the routes tell which is which', async () => {
    const calls = [
      ...on('/users/{id}', 150, 60, old),
      ...on('/orders/{id}', 150, 60, old),
      ...on('/v2/orders/{id}', 60, 0, next),
      ...on('/v2/users/{id}', 60, 0, next),
    ];
    expect(await renamed(calls)).toEqual({
      '/users/{id}': '/v2/users/{id}',
      '/orders/{id}': '/v2/orders/{id}',
    });
  });
});
