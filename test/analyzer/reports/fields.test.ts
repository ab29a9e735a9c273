import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  call,
  dayMs,
  hourMs,
  type ListenOptions,
  minuteMs,
  nowMs,
  openDoor,
  repeat,
} from '../support/door.ts';
import { engines, type Opened } from '../support/engines.ts';

const statuses = [200, 301, 101, 401, 403, 429, 404, 405, 410, 400, 409, 422, 500, 503, 0];
const calls = [
  ...repeat(48, (n) =>
    call({ route: '/a', status: n % 4 ? 200 : 503, endMs: nowMs - n * 30 * minuteMs }),
  ),
  ...statuses.map((status) => call({ route: '/b', status, endMs: nowMs - hourMs })),
  call({ route: '/old', endMs: nowMs - 40 * dayMs }),
];

describe.each(engines)('fields and sparks on $name', (engine) => {
  let opened: Opened;
  let door: ListenOptions;
  beforeAll(async () => {
    opened = await engine.open(calls, nowMs);
    door = await openDoor(opened.reader, nowMs);
  });
  afterAll(async () => {
    await door?.close();
    await opened?.remove();
  });

  test('fields= chooses the columns of rows, CSV and Markdown, in its order', async () => {
    const query = '/report?sort=route&fields=total_calls,route,total_calls';
    const answer = await door.get(query);
    expect(answer.fields).toEqual(['total_calls', 'route']);
    expect(answer.endpoints).toEqual([
      { total_calls: 48, route: '/a' },
      { total_calls: 15, route: '/b' },
      { total_calls: 0, route: '/old' },
    ]);
    expect(answer.summary.total_endpoints).toBe(3);
    const csv = await (await door.fetch(`/api/v1${query}&format=csv`)).text();
    expect(csv).toBe('total_calls,route\r\n48,/a\r\n15,/b\r\n0,/old\r\n');
    const md = await (await door.fetch(`/api/v1${query}&format=md`)).text();
    expect(md).toContain('| total_calls | route |\n| --: | --- |\n| 48 | /a |');
    const wrong = await door.fetch('/api/v1/report?fields=route,speed');
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({ error: { field: 'fields' } });
  });

  test('pages of some fields continue with their cursor', async () => {
    const first = await door.get('/report?sort=route&fields=route&limit=2');
    const next = `/report?sort=route&fields=route&limit=2&cursor=${first.next_cursor}`;
    expect((await door.get(next)).endpoints).toEqual([{ route: '/old' }]);
  });

  test('a spark adds up to the calls of the window, interval by interval', async () => {
    const answer = await door.get('/report?window=24h&sort=route&spark=24');
    expect(answer.spark_starts).toHaveLength(24);
    expect(answer.spark_starts[0]).toBe(answer.window.from);
    for (const row of answer.endpoints) {
      const own = calls.filter(({ route }) => route === row.route);
      const ends = [...answer.spark_starts.slice(1), answer.window.to];
      answer.spark_starts.forEach((start: string, n: number) => {
        const within = own.filter(
          ({ endMs }) => endMs >= Date.parse(start) && endMs < Date.parse(ends[n]),
        );
        expect(row.spark.calls[n], `${row.route} ${start}`).toBe(within.length);
        expect(row.spark.errors[n]).toBe(within.filter(({ status }) => status >= 400).length);
      });
    }
    expect(answer.endpoints[2].spark.calls).toEqual(Array(24).fill(0));
  });

  test('a window of few minutes has a point for each minute', async () => {
    const answer = await door.get('/report?window=10m&spark=60&fields=route');
    expect(answer.spark_starts).toHaveLength(10);
    expect(answer.fields).toEqual(['route', 'spark']);
    expect(answer.endpoints[0].spark.calls).toHaveLength(10);
  });

  test('outcomes add up to the calls', async () => {
    const { endpoints } = await door.get('/report?route=/b');
    expect(endpoints[0]).toMatchObject({
      total_calls: 15,
      answered_count: 3,
      refused_count: 3,
      missing_count: 3,
      failed_count: 6,
    });
  });
});
