import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteInternalCallers } from '../../../core/store/sqlite/callers/internal-callers.ts';
import { call, hourMs, type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import { type Opened, openSqlite } from '../support/engines.ts';

/**
 * 100 calls of the last hours: `web` made 60 of them by the trace, of which 20 name it as their agent; 10 more name it
 * and show no parent; 15 name `billing`, which was observed, as their peer; the other 15 come from outside.
 */
const times = (n: number, make: () => ReturnType<typeof call>) => Array.from({ length: n }, make);
const at = { service: 'orders', route: '/orders', endMs: nowMs - 2 * hourMs };
const calls = [
  ...times(20, () => call({ ...at, agent: 'web', consumer: 'web' })),
  ...times(40, () => call({ ...at, agent: 'node' })),
  ...times(10, () => call({ ...at, agent: 'web', consumer: 'web', route: '/carts' })),
  ...times(15, () => call({ ...at, agent: 'node' })),
  ...times(15, () => call({ ...at, agent: 'Chrome' })),
  call({ service: 'web', route: '/', endMs: nowMs - 3 * hourMs }),
  call({ service: 'billing', route: '/', endMs: nowMs - 3 * hourMs }),
];

describe('internal callers', () => {
  let opened: Opened;
  let door: ListenOptions;
  beforeAll(async () => {
    opened = await openSqlite(calls, nowMs);
    door = await openDoor(opened.reader, nowMs);
    const store = await openSqliteInternalCallers(opened.path!);
    const hour = Math.floor(at.endMs / hourMs);
    const to = {
      project: 'default',
      service: 'orders',
      environment: 'production',
      route: '/orders',
      hour,
    };
    const none = { method: 'GET', errors: 0, named: 0 };
    await store.add(
      [
        {
          ...{ ...to, ...none, caller: 'web', callerEnvironment: 'prod', knownBy: 'trace' },
          ...{ calls: 60, errors: 6, named: 20, seen: 60 },
        },
        {
          ...{ ...to, ...none, caller: 'billing', callerEnvironment: '', knownBy: 'peer' },
          ...{ calls: 15, seen: 15 },
        },
      ],
      nowMs,
    );
    await store.close();
  });
  afterAll(async () => {
    await door?.close();
    await opened?.remove();
  });

  test('each call is in one row and by one evidence, and the answer says how often it is known', async () => {
    const answer = await door.get('/consumers/internal?service=orders&window=24h');
    expect(answer).toMatchObject({
      ...{ total_calls: 100, known_calls: 85, known_pct: 85, estimated: false },
    });
    expect(answer.internal_callers).toMatchObject([
      {
        ...{ service: 'web', environment: 'prod', calls: 60, share_pct: 60, errors: 6 },
        ...{ traced_calls: 60, peer_calls: 0, named_calls: 0, endpoints: 1 },
      },
      { service: 'billing', environment: null, calls: 15, peer_calls: 15, named_calls: 0 },
      // 30 calls have its name, and the trace shows 20 of them.
      { service: 'web', environment: null, calls: 10, traced_calls: 0, named_calls: 10 },
    ]);
  });

  test('of one endpoint, in its own answer too', async () => {
    const report = await door.get('/report?service=orders&route=/orders');
    const detail = await door.get(`/endpoints/${report.endpoints[0].id}?window=24h&limit=1`);
    expect(detail.internal_callers).toMatchObject({
      ...{ total_calls: 90, known_calls: 75, known_pct: 83.3333 },
      callers: [{ service: 'web', calls: 60 }],
    });
    const carts = await door.get('/consumers/internal?route=/carts');
    expect([carts.known_calls, carts.total_calls]).toEqual([10, 10]);
  });

  test('a window is rounded to the hours that are kept, and its pages go on', async () => {
    const from = new Date(at.endMs + 60_000).toISOString();
    const answer = await door.get(`/consumers/internal?service=orders&from=${from}`);
    expect(answer.window).toMatchObject({
      from: new Date(Math.floor(at.endMs / hourMs) * hourMs).toISOString(),
    });
    expect(answer.known_calls).toBe(85);
    const first = await door.get('/consumers/internal?service=orders&limit=2');
    const next = await door.get(
      `/consumers/internal?service=orders&limit=2&cursor=${first.next_cursor}`,
    );
    expect(next.internal_callers).toMatchObject([{ service: 'web', calls: 10 }]);
    const later = await door.get('/consumers/internal?service=orders&window=1h');
    expect([later.total_calls, later.known_pct, later.internal_callers]).toEqual([0, null, []]);
  });

  test('as CSV', async () => {
    const answer = await door.fetch('/api/v1/consumers/internal?service=orders&format=csv');
    const [head, first] = (await answer.text()).split('\r\n');
    expect(head).toContain('service,environment,calls,share_pct,errors,traced_calls');
    expect(first).toMatch(/^web,prod,60,60,6,60,0,0,1,/);
  });
});
