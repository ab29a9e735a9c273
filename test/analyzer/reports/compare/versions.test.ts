import { describe, expect, test } from 'vitest';
import { Random } from '../../../../core/random.ts';
import { call, dayMs, hourMs, nowMs, openDoor, repeat } from '../../support/door.ts';
import { engines, openSqlite } from '../../support/engines.ts';
import { oracleReader, type PlainCall } from '../../support/oracle.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are checked by what the test expects of them
type Answer = any;

const random = new Random(11);
const lognormalNs = (medianMs: number) => Math.round(random.lognormal(medianMs * 1e6, 0.5));
const iso = (ms: number) => new Date(ms).toISOString();

/** Calls of one version, spread evenly from one moment on. */
function version(
  name: string,
  fromMs: number,
  lastsMs: number,
  told: (n: number) => Partial<PlainCall>,
  calls = 1_000,
): PlainCall[] {
  return repeat(calls, (n) =>
    call({ version: name, endMs: fromMs + Math.floor((n * lastsMs) / calls), ...told(n) }),
  );
}

/** 1.0 ran for ten days, 1.1 for five, 1.2 for the last two. */
const start = Date.UTC(2026, 2, 1, 6);
const [second, third] = [start + 10 * dayMs, start + 15 * dayMs];
const calls = [
  ...version('1.0', start, 10 * dayMs, () => ({ route: '/a', durationNs: lognormalNs(30) })),
  ...version('1.1', second, 5 * dayMs, () => ({ route: '/a', durationNs: lognormalNs(20) })),
  ...version('1.2', third, 2 * dayMs, () => ({ route: '/a', durationNs: lognormalNs(26) })),
  ...version('1.1', second, 5 * dayMs, (n) => ({ route: '/b', status: n % 100 === 0 ? 500 : 200 })),
  ...version('1.2', third, 2 * dayMs, (n) => ({ route: '/b', status: n % 10 === 0 ? 500 : 200 })),
  ...version('1.1', second, 5 * dayMs, () => ({ route: '/c', durationNs: lognormalNs(20) })),
  ...version('1.2', third, 2 * dayMs, () => ({ route: '/c', durationNs: lognormalNs(20) })),
  ...version('1.2', third, 2 * dayMs, () => ({ route: '/new' }), 100),
  ...version('7', third, 2 * dayMs, () => ({ service: 'alone', route: '/' }), 100),
];

describe.each(engines)('on $name', ({ open }) => {
  test('the newest two versions are compared unless told: what fails more and what is slower comes first', async () => {
    const { reader, remove } = await open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const answer: Answer = await door.get('/compare?by=version&window=30d');
    expect(answer.by).toBe('version');
    const pair = { environment: 'production', before_version: '1.1', version: '1.2' };
    expect(answer.versions).toEqual([{ service: 'shop', ...pair }]);
    expect(answer.before_window).toEqual(answer.window);
    const shown = answer.endpoints.map((row: Answer) => [
      row.route,
      row.verdict,
      row.before_calls,
      row.calls,
      row.before_version,
      row.version,
    ]);
    expect(shown).toEqual([
      ['/b', 'worse', 1_000, 1_000, '1.1', '1.2'],
      ['/a', 'worse', 1_000, 1_000, '1.1', '1.2'],
      ['/c', 'same', 1_000, 1_000, '1.1', '1.2'],
      ['/new', 'too_little_data', 0, 100, '1.1', '1.2'],
    ]);
    expect(answer.endpoints[0]).toMatchObject({
      error_verdict: 'worse',
      before_error_rate_pct: 1,
      error_rate_pct: 10,
      error_rate_change_points: 9,
    });
    expect(answer.endpoints[1]).toMatchObject({ duration_verdict: 'worse' });
    expect(answer.notes).toEqual([
      {
        code: 'one_version',
        field: null,
        message: 'Only one version was observed of "alone": there is nothing to compare it with.',
      },
    ]);
    await door.close();
    await remove();
  });

  test('figures of a version are those of the endpoint in the same window', async () => {
    const { reader, remove } = await open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const window = `from=${iso(second + 12 * hourMs)}&to=${iso(third + 12 * hourMs)}`;
    const answer: Answer = await door.get(`/compare?by=version&service=shop&route=/a&${window}`);
    const [row] = answer.endpoints;
    const detail: Answer = await door.get(`/endpoints/${row.id}?${window}`);
    for (const { version: name, ...own } of detail.versions) {
      if (name === '1.0') continue;
      const prefix = name === '1.1' ? 'before_' : '';
      expect(row[`${prefix}calls`], name).toBe(own.calls);
      expect(row[`${prefix}p50_duration_ms`], name).toBe(own.p50_duration_ms);
      expect(row[`${prefix}p99_duration_ms`], name).toBe(own.p99_duration_ms);
    }
    expect([row.before_calls, row.calls]).toEqual([900, 250]);
    await door.close();
    await remove();
  });
});

test('where hours alone are kept, verdicts are the same', async () => {
  const { reader, remove } = await openSqlite(calls, nowMs);
  const door = await openDoor(reader, nowMs);
  const answer: Answer = await door.get('/compare?by=version&window=30d');
  const verdicts = answer.endpoints.map(({ route, verdict }: Answer) => [route, verdict]);
  expect(verdicts.slice(0, 3)).toEqual([
    ['/b', 'worse'],
    ['/a', 'worse'],
    ['/c', 'same'],
  ]);
  await door.close();
  await remove();
});

test('any two versions may be compared, in either order', async () => {
  const door = await openDoor(oracleReader(calls), nowMs);
  const older: Answer = await door.get(
    '/compare?before_version=1.0&version=1.1&window=30d&route=/a',
  );
  expect(older.endpoints).toMatchObject([{ route: '/a', verdict: 'better', version: '1.1' }]);
  const back: Answer = await door.get(
    '/compare?before_version=1.2&version=1.1&window=30d&route=/a',
  );
  expect(back.endpoints).toMatchObject([{ verdict: 'better', before_version: '1.2' }]);
  const one: Answer = await door.get('/compare?version=1.1&window=30d&route=/a');
  expect(one.versions).toMatchObject([{ before_version: '1.0', version: '1.1' }]);
  const first: Answer = await door.get('/compare?version=1.0&window=30d');
  expect([first.versions, first.endpoints]).toEqual([[], []]);
  expect(first.notes).toMatchObject([{ code: 'one_version' }]);
  const csv = await (await door.fetch('/api/v1/compare?by=version&format=csv')).text();
  expect(csv.split('\r\n')[0]).toContain('route_display,before_version,version,verdict');
  const windows = await (await door.fetch('/api/v1/compare?window=2d&format=csv')).text();
  expect(windows.split('\r\n')[0]).toContain('route_display,verdict');
  await door.close();
});

test('versions that ran side by side are compared interval by interval: an outage that hit both is no change', async () => {
  // A tenth of all calls fails in two hours that both versions saw, but the canary has few calls in its first hours.
  const from = nowMs - 3 * dayMs - 30_000;
  const outage = (n: number, of: number) => Math.floor((n * 36) / of) === 20;
  const both = ['2.0', '2.1'].flatMap((name) => [
    ...version(name, from, 3 * dayMs, (n) => ({ status: outage(n, 3_600) ? 503 : 200 }), 3_600),
    ...version(
      name,
      from,
      3 * dayMs,
      (n) => ({
        route: '/slow',
        durationNs: lognormalNs((name === '2.1' ? 26 : 20) * (outage(n, 3_600) ? 10 : 1)),
      }),
      3_600,
    ),
  ]);
  const door = await openDoor(oracleReader(both), nowMs);
  const answer: Answer = await door.get('/compare?by=version&window=7d');
  const verdicts = answer.endpoints.map(({ route, verdict }: Answer) => [route, verdict]);
  expect(verdicts).toEqual([
    ['/slow', 'worse'],
    ['/', 'same'],
  ]);
  await door.close();
});

test.each([
  ['by=nonsense', 400, 'by', 'window or version'],
  ['by=version&before_from=2026-03-01', 400, 'before_from', 'within one window'],
  ['by=window&version=1.1', 400, 'version', 'leave by=window out'],
  ['version=1.1&before_version=1.1', 400, 'before_version', 'give two versions'],
  ['version=9.9', 404, 'version', '"9.9" is no version of these services'],
  ['service=alone&before_version=1.1', 404, 'before_version', '"1.1" is no version'],
])('/compare?%s is %d by name', async (query, status, field, words) => {
  const door = await openDoor(oracleReader(calls), nowMs);
  const response = await door.fetch(`/api/v1/compare?${query}`);
  const { error } = (await response.json()) as Answer;
  expect([response.status, error.field]).toEqual([status, field]);
  expect(error.message).toContain(words);
  await door.close();
});

test('of 30 workloads without any change, rolled out at noon, none names an endpoint', async () => {
  const alarms: number[] = [];
  for (let seed = 1; seed <= 30; seed++) {
    const own = new Random(seed);
    const made = Array.from({ length: 40 }, (_, route) => route).flatMap((route) =>
      ['1', '2'].flatMap((name, side) =>
        repeat(200, () =>
          call({
            route: `/${route}`,
            version: name,
            endMs: nowMs - 4 * dayMs + side * 2 * dayMs + Math.floor(own.next() * 2 * dayMs),
            durationNs: Math.round(own.lognormal(20e6, 0.5)),
            status: own.next() < 0.02 ? 500 : 200,
          }),
        ),
      ),
    );
    const door = await openDoor(oracleReader(made), nowMs);
    const answer: Answer = await door.get('/compare?by=version&window=7d');
    expect(answer.endpoints).toHaveLength(40);
    if (answer.summary.worse + answer.summary.better > 0) alarms.push(seed);
    await door.close();
  }
  expect(alarms).toEqual([]);
}, 240_000);
