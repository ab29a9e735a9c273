import { describe, expect, test } from 'vitest';
import { call, dayMs, nowMs, openDoor } from '../support/door.ts';
import { oracleReader, type PlainCall } from '../support/oracle.ts';

/** The rows of a report over these calls, by route. */
async function lives(calls: PlainCall[]): Promise<Record<string, Record<string, unknown>>> {
  const door = await openDoor(oracleReader(calls), nowMs);
  const { endpoints } = await door.get('/report?window=1h');
  await door.close();
  return Object.fromEntries(endpoints.map((row: { route: string }) => [row.route, row]));
}

const ago = (ms: number): number => nowMs - ms;

describe('an endpoint of a service that is heard now', () => {
  const activityOf = [
    call({ route: '/heard', endMs: nowMs }),
    call({ route: '/old', endMs: ago(400 * dayMs) }),
  ];
  const boundaries: [string, number, string, number][] = [
    ['a moment before 7 days', 7 * dayMs - 1, 'active', 6],
    ['exactly 7 days', 7 * dayMs, 'cold', 7],
    ['a moment before 30 days', 30 * dayMs - 1, 'cold', 29],
    ['exactly 30 days', 30 * dayMs, 'dead', 30],
    ['300 days', 300 * dayMs, 'dead', 300],
  ];
  test.each(boundaries)('silent for %s', async (_name, silentMs, status, days) => {
    const { '/x': row } = await lives([...activityOf, call({ route: '/x', endMs: ago(silentMs) })]);
    expect(row).toMatchObject({ status, days_since_last_call: days, observed_days: 400 });
  });
});

describe('an endpoint of a service that fell silent', () => {
  test('is unknown, not cold or dead, when it was alive until then', async () => {
    const rows = await lives([
      call({ route: '/last', endMs: ago(60 * dayMs) }),
      call({ route: '/before', endMs: ago(66 * dayMs) }),
    ]);
    expect(rows['/last']).toMatchObject({ status: 'unknown', days_since_last_call: 60 });
    expect(rows['/before']).toMatchObject({ status: 'unknown' });
  });

  test('is unknown from exactly 7 days on', async () => {
    const at = async (silentMs: number) => (await lives([call({ endMs: ago(silentMs) })]))['/'];
    expect(await at(7 * dayMs - 1)).toMatchObject({ status: 'active' });
    expect(await at(7 * dayMs)).toMatchObject({ status: 'unknown' });
  });

  test('stays dead or cold when it was so while the service was heard', async () => {
    const rows = await lives([
      call({ route: '/last', endMs: ago(60 * dayMs) }),
      call({ route: '/cold', endMs: ago(67 * dayMs) }),
      call({ route: '/dead', endMs: ago(90 * dayMs) }),
    ]);
    expect(rows['/cold']).toMatchObject({ status: 'cold' });
    expect(rows['/dead']).toMatchObject({ status: 'dead' });
  });

  test('other services and environments do not keep it heard', async () => {
    const rows = await lives([
      call({ route: '/staging', environment: 'staging', endMs: ago(40 * dayMs) }),
      call({ route: '/other', service: 'other', endMs: nowMs }),
      call({ route: '/production', endMs: nowMs }),
    ]);
    expect(rows['/staging']).toMatchObject({ status: 'unknown' });
  });
});

describe('a service that was away', () => {
  /** Heard every day but between `from` and `to` days ago. */
  const daily = (from: number, to: number): PlainCall[] =>
    Array.from({ length: 120 }, (_, day) => day)
      .filter((day) => day < to || day > from)
      .map((day) => call({ route: '/pulse', endMs: ago(day * dayMs) }));

  test('its absence is no silence of its endpoints', async () => {
    const rows = await lives([
      ...daily(42, 2),
      call({ route: '/before', endMs: ago(43 * dayMs) }),
      call({ route: '/cold', endMs: ago(52 * dayMs) }),
      call({ route: '/dead', endMs: ago(72 * dayMs) }),
    ]);
    expect(rows['/before']).toMatchObject({ status: 'unknown', days_since_last_call: 43 });
    expect(rows['/cold']).toMatchObject({ status: 'cold' });
    expect(rows['/dead']).toMatchObject({ status: 'dead' });
  });

  test('quiet weekends are part of its rhythm', async () => {
    const rows = await lives([...daily(12, 9), call({ route: '/old', endMs: ago(30 * dayMs) })]);
    expect(rows['/old']).toMatchObject({ status: 'dead' });
  });
});

describe('marks', () => {
  test('new: first called within 7 days, in a service observed for longer than 7 before', async () => {
    const rows = await lives([
      call({ route: '/first', endMs: ago(20 * dayMs) }),
      call({ route: '/last', endMs: nowMs, consumer: 'another' }),
      call({ route: '/young', endMs: ago(7 * dayMs - 1), consumer: 'another' }),
      call({ route: '/grown', endMs: ago(7 * dayMs) }),
    ]);
    expect(rows['/young']!.marks).toEqual(['new']);
    expect(rows['/grown']!.marks).toEqual([]);
    expect(rows['/first']!.marks).toEqual([]);
  });

  test('nothing is new when the observation itself has only begun', async () => {
    const rows = await lives([
      call({ route: '/first', endMs: ago(7 * dayMs) }),
      call({ route: '/second', endMs: nowMs }),
    ]);
    expect(rows['/second']!.marks).toEqual([]);
  });

  test('only_errors: no call of its life succeeded', async () => {
    const rows = await lives([
      call({ route: '/broken', status: 500, endMs: ago(3 * dayMs) }),
      call({ route: '/broken', status: 404 }),
      call({ route: '/shaky', status: 500 }),
      call({ route: '/shaky', status: 200, endMs: ago(3 * dayMs) }),
      call({ route: '/redirect', status: 399 }),
    ]);
    expect(rows['/broken']!.marks).toEqual(['only_errors']);
    expect(rows['/shaky']!.marks).toEqual([]);
    expect(rows['/redirect']!.marks).toEqual([]);
  });
});

test('a call from a clock that runs ahead is of today', async () => {
  const rows = await lives([call({ endMs: nowMs + 300_000 })]);
  expect(rows['/']).toMatchObject({ status: 'active', days_since_last_call: 0, observed_days: 0 });
});
