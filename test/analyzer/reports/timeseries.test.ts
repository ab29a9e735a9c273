import { describe, expect, test } from 'vitest';
import { intervalStarts } from '../../../analyzer/query/calendar.ts';
import { call, dayMs, hourMs, nowMs, openDoor, repeat } from '../support/door.ts';
import { engines } from '../support/engines.ts';
import { type OracleOptions, oracleReader, type PlainCall } from '../support/oracle.ts';

async function ask(calls: PlainCall[], query: string, options?: OracleOptions) {
  const door = await openDoor(oracleReader(calls, options), nowMs);
  const answer = await door.get(`/timeseries?${query}`);
  await door.close();
  return answer;
}

const times = (answer: { points: { timestamp: string }[] }): string[] =>
  answer.points.map(({ timestamp }) => timestamp.replace(':00.000Z', ''));

const at = (text: string): PlainCall => call({ endMs: Date.parse(text) });

test('has a point for every interval, with exact numbers and nulls', async () => {
  const calls = [
    ...repeat(100, (n) =>
      call({
        durationNs: (n + 1) * 1_000_000,
        status: n < 3 ? 500 : n < 5 ? 404 : 200,
        endMs: Date.UTC(2026, 2, 18, 10) + n,
      }),
    ),
    at('2026-03-18T08:59:59.999Z'),
  ];
  const answer = await ask(calls, 'from=2026-03-18T08:00Z&to=2026-03-18T12:00Z&interval=hour');
  expect(answer).toMatchObject({ interval: 'hour', tz: 'UTC', estimated: false });
  const nothing = {
    calls: 0,
    errors: 0,
    error_4xx_count: 0,
    error_5xx_count: 0,
    error_rate_pct: null,
    avg_duration_ms: null,
    p50_duration_ms: null,
    p95_duration_ms: null,
    p99_duration_ms: null,
  };
  expect(answer.points).toEqual([
    {
      timestamp: '2026-03-18T08:00:00.000Z',
      calls: 1,
      errors: 0,
      error_4xx_count: 0,
      error_5xx_count: 0,
      error_rate_pct: 0,
      avg_duration_ms: 10,
      p50_duration_ms: 10,
      p95_duration_ms: 10,
      p99_duration_ms: 10,
    },
    { timestamp: '2026-03-18T09:00:00.000Z', ...nothing },
    {
      timestamp: '2026-03-18T10:00:00.000Z',
      calls: 100,
      errors: 5,
      error_4xx_count: 2,
      error_5xx_count: 3,
      error_rate_pct: 5,
      avg_duration_ms: 50.5,
      p50_duration_ms: 50,
      p95_duration_ms: 95,
      p99_duration_ms: 99,
    },
    { timestamp: '2026-03-18T11:00:00.000Z', ...nothing },
  ]);
});

test('the first and last interval hold only what the window has of them', async () => {
  const calls = [at('2026-03-18T10:10Z'), at('2026-03-18T10:20Z'), at('2026-03-18T11:20Z')];
  const query = 'from=2026-03-18T10:15Z&to=2026-03-18T11:15Z&interval=hour';
  const { points } = await ask(calls, query);
  expect(points).toMatchObject([
    { timestamp: '2026-03-18T10:00:00.000Z', calls: 1 },
    { timestamp: '2026-03-18T11:00:00.000Z', calls: 0 },
  ]);
});

test('an empty store has zeros too', async () => {
  const answer = await ask([], 'window=24h&interval=5m');
  expect(answer.points).toHaveLength(289);
  expect(answer.observed_since).toBeNull();
});

test('narrows by service, method, route and endpoint', async () => {
  const calls = [
    call({ route: '/a' }),
    call({ route: '/a/b', method: 'POST' }),
    call({ route: '/c', service: 'mail' }),
  ];
  const count = async (query: string): Promise<number> => {
    const { points } = await ask(calls, `window=1h&interval=hour&${query}`);
    return points.reduce((sum: number, point: { calls: number }) => sum + point.calls, 0);
  };
  expect(await count('')).toBe(3);
  expect(await count('service=shop')).toBe(2);
  expect(await count('service=shop&method=post')).toBe(1);
  expect(await count('route=/a*')).toBe(2);
  expect(await count('endpoint=3')).toBe(1);
  await expect(count('endpoint=77')).rejects.toThrow('404 {"error":{"code":"not_found"');
  await expect(count('endpoint=77')).rejects.toThrow('there is no endpoint \\"77\\"');
  expect(await count('route=/none')).toBe(0);
});

test('groups by endpoint, method, class of status and outcome, the rest last', async () => {
  const calls = [
    ...repeat(3, () => call({ route: '/a', durationNs: 5_000_000 })),
    ...repeat(2, () => call({ route: '/b', method: 'POST', status: 503 })),
    call({ route: '/c', method: 'DELETE', status: 401 }),
    call({ route: '/c', method: 'DELETE', status: 0 }),
  ];
  const grouped = async (query: string) => {
    const { groups, points } = await ask(calls, `window=1m&interval=hour&${query}`);
    const shown = points.map((point: Record<string, unknown>) => [
      point.group,
      point.calls,
      point.errors,
      point.p50_duration_ms,
    ]);
    return [groups.map(({ name }: { name: string }) => name), shown];
  };
  const calls1m = calls.map((one) => ({ ...one, endMs: nowMs - 1 }));
  calls.splice(0, calls.length, ...calls1m);
  expect(await grouped('group_by=endpoint&top=1')).toEqual([
    ['GET /a (shop)', 'the rest'],
    [
      ['1', 3, 0, 5],
      ['{other}', 4, 3, 10],
    ],
  ]);
  expect(await grouped('group_by=method')).toEqual([
    ['GET', 'DELETE', 'POST'],
    [
      ['GET', 3, 0, 5],
      ['DELETE', 2, 1, 10],
      ['POST', 2, 2, 10],
    ],
  ]);
  expect(await grouped('group_by=status_class')).toEqual([
    ['2xx', '5xx', '4xx', 'none'],
    [
      ['2xx', 3, 0, null],
      ['5xx', 2, 2, null],
      ['4xx', 1, 1, null],
      ['none', 1, 0, null],
    ],
  ]);
  expect(await grouped('group_by=outcome&top=2')).toEqual([
    ['answered', 'failed', 'the rest'],
    [
      ['answered', 3, 0, null],
      ['failed', 3, 2, null],
      ['{other}', 1, 1, null],
    ],
  ]);
});

describe.each(engines)('on $name', ({ open }) => {
  test('groups by version and consumer, the rest last, the same sums as without groups', async () => {
    const at = (minutes: number, told: Partial<PlainCall>) =>
      call({ endMs: nowMs - minutes * 60_000, ...told });
    const calls = [
      ...repeat(4, () => at(100, { version: '1.0', consumer: 'app', durationNs: 5_000_000 })),
      ...repeat(3, () => at(20, { version: '1.1', consumer: 'app', status: 503 })),
      ...repeat(2, () => at(20, { version: '', consumer: '', agent: 'okhttp', status: 404 })),
      at(20, { version: '0.9', consumer: 'partner' }),
      at(20, { version: '0.8', consumer: '', agent: '' }),
    ];
    const { reader, remove } = await open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const grouped = async (query: string) => {
      const { groups, points } = await door.get(
        `/timeseries?from=2026-03-18T10:00Z&to=2026-03-18T12:00Z&interval=hour&${query}`,
      );
      const shown = points.map((point: Record<string, unknown>) => [
        point.group,
        point.calls,
        point.errors,
        point.error_5xx_count,
        point.p50_duration_ms,
      ]);
      const named = groups.map((one: Record<string, unknown>) => [one.name, one.calls, one.errors]);
      return [named, shown];
    };
    expect(await grouped('group_by=version&top=3')).toEqual([
      [
        ['1.0', 4, 0],
        ['1.1', 3, 3],
        ['no version', 2, 2],
        ['the rest', 2, 0],
      ],
      [
        ['1.0', 4, 0, 0, 5],
        ['1.0', 0, 0, 0, null],
        ['1.1', 0, 0, 0, null],
        ['1.1', 3, 3, 3, 10],
        ['(unknown)', 0, 0, 0, null],
        ['(unknown)', 2, 2, 0, 10],
        ['{other}', 0, 0, 0, null],
        ['{other}', 2, 0, 0, 10],
      ],
    ]);
    expect(await grouped('group_by=consumer&top=2')).toEqual([
      [
        ['app', 7, 3],
        ['okhttp', 2, 2],
        ['the rest', 2, 0],
      ],
      [
        ['app', 4, 0, null, null],
        ['app', 3, 3, null, null],
        ['agent:okhttp', 0, 0, null, null],
        ['agent:okhttp', 2, 2, null, null],
        ['{other}', 0, 0, null, null],
        ['{other}', 2, 0, null, null],
      ],
    ]);
    const [all] = await grouped('group_by=consumer');
    expect(all).toHaveLength(4);
    expect(all).toContainEqual(['no consumer', 1, 0]);
    await door.close();
    await remove();
  });
});

test('gives each interval its Apdex score', async () => {
  const calls = [50, 100, 101.5, 400, 404, 4000].map((ms) =>
    call({ durationNs: ms * 1e6, endMs: nowMs - 1 }),
  );
  const { points } = await ask(calls, 'window=61m&interval=hour&apdex_t_ms=100');
  // Two satisfied, two tolerating, two frustrated.
  expect(points.map(({ apdex }: { apdex: number | null }) => apdex)).toEqual([null, 0.5]);
});

describe('in a time zone', () => {
  test('the day clocks go forward in Berlin has 23 hours, the day they go back 25', async () => {
    const spring = repeat(72, (n) => call({ endMs: Date.UTC(2026, 2, 28, -1) + n * hourMs }));
    const forward = await ask(
      spring.filter(({ endMs }) => endMs < Date.UTC(2026, 2, 30, 22)),
      'from=2026-03-27T23:00Z&to=2026-03-30T22:00Z&interval=day&tz=Europe/Berlin',
    );
    expect(times(forward)).toEqual(['2026-03-27T23:00', '2026-03-28T23:00', '2026-03-29T22:00']);
    expect(forward.points.map(({ calls }: { calls: number }) => calls)).toEqual([24, 23, 24]);
    expect(forward.estimated).toBe(false);
    const autumn = repeat(73, (n) => call({ endMs: Date.UTC(2025, 9, 24, 22) + n * hourMs }));
    const back = await ask(
      autumn,
      'from=2025-10-24T22:00Z&to=2025-10-27T23:00Z&interval=day&tz=Europe/Berlin',
    );
    expect(times(back)).toEqual(['2025-10-24T22:00', '2025-10-25T22:00', '2025-10-26T23:00']);
    expect(back.points.map(({ calls }: { calls: number }) => calls)).toEqual([24, 25, 24]);
  });

  test('weeks begin on Monday and months on their first', async () => {
    const weeks = await ask([], 'from=2026-03-10&to=2026-04-07&interval=week&tz=Europe/Berlin');
    expect(times(weeks)).toEqual([
      '2026-03-08T23:00',
      '2026-03-15T23:00',
      '2026-03-22T23:00',
      '2026-03-29T22:00',
      '2026-04-05T22:00',
    ]);
    const months = await ask(
      [],
      'from=2026-01-31T23:30Z&to=2026-04-10&interval=month&tz=Europe/Berlin',
    );
    expect(times(months)).toEqual(['2026-01-31T23:00', '2026-02-28T23:00', '2026-03-31T22:00']);
    const utc = await ask([], 'from=2025-12-31T23:59Z&to=2026-02-01&interval=month');
    expect(times(utc)).toEqual(['2025-12-01T00:00', '2026-01-01T00:00']);
  });

  test('every interval of every day is there once, in zones of every kind', () => {
    const year = { fromS: Date.UTC(2018, 0) / 1000, toS: Date.UTC(2019, 0) / 1000 };
    const zones = [
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'America/Sao_Paulo', // clocks changed at midnight: a day without one
      'America/Havana', // and a day with two
      'Pacific/Apia',
      'Asia/Kathmandu',
      'America/New_York',
    ];
    for (const zone of zones) {
      const starts = intervalStarts(year, 'day', zone);
      const lengths = starts.slice(1).map((s, n) => s - starts[n]!);
      for (const length of lengths) expect([23, 23.5, 24, 24.5, 25], zone).toContain(length / 3600);
      const date = new Intl.DateTimeFormat('en-CA', { timeZone: zone });
      const dates = new Set(starts.map((s) => date.format(s * 1000)));
      expect(dates.size, zone).toBe(starts.length);
      // The moment before a start is of the day before.
      for (const s of starts)
        expect(date.format(s * 1000 - 1), zone).not.toBe(date.format(s * 1000));
    }
  });

  test('a day that a zone skipped has no length, and the others are whole', () => {
    // Samoa crossed the date line: 2011-12-30 never was.
    const window = {
      fromS: Date.UTC(2011, 11, 28, 10) / 1000,
      toS: Date.UTC(2011, 11, 31, 10) / 1000,
    };
    const starts = intervalStarts(window, 'day', 'Pacific/Apia');
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(new Set(starts).size).toBe(starts.length);
    expect(starts.map((s) => new Date(s * 1000).toISOString())).toEqual([
      '2011-12-28T10:00:00.000Z',
      '2011-12-29T10:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
    ]);
  });

  test('edges between the steps that are kept are marked as an estimate', async () => {
    const keptFromS = (nowMs - dayMs) / 1000;
    const query = 'from=2026-03-01&to=2026-03-05&interval=day';
    const options = { minutesFromS: keptFromS };
    expect((await ask([], `${query}&tz=Asia/Kolkata`, options)).estimated).toBe(true);
    expect((await ask([], `${query}&tz=Europe/Berlin`, options)).estimated).toBe(false);
    expect((await ask([], query, options)).estimated).toBe(false);
  });
});

test('an interval finer than what is kept is refused, and chosen coarser by itself', async () => {
  const options = { minutesFromS: nowMs / 1000 };
  const door = await openDoor(oracleReader([], options), nowMs);
  const response = await door.fetch('/api/v1/timeseries?window=1h&interval=minute');
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { field: 'interval', message: expect.stringContaining('by the hour') },
  });
  expect((await door.get('/timeseries?window=1h')).interval).toBe('hour');
  await door.close();
});

test('chooses an interval that shows the window at a glance', async () => {
  const chosen: [string, string, number][] = [
    ['15m', 'minute', 15],
    ['1h', 'minute', 60],
    ['6h', '5m', 73],
    ['24h', 'hour', 25],
    ['7d', '6h', 29],
    ['30d', 'day', 31],
    ['90d', 'day', 91],
    ['365d', 'week', 53],
    ['3660d', 'month', 121],
  ];
  for (const [window, interval, points] of chosen) {
    const answer = await ask([], `window=${window}`);
    expect([window, answer.interval, answer.points.length]).toEqual([window, interval, points]);
  }
});

test('speaks CSV', async () => {
  const door = await openDoor(oracleReader([]), nowMs);
  const response = await door.fetch('/api/v1/timeseries?window=1m&interval=minute&format=csv');
  expect(await response.text()).toBe(
    'timestamp,calls,errors,error_4xx_count,error_5xx_count,error_rate_pct,avg_duration_ms,p50_duration_ms,p95_duration_ms,p99_duration_ms\r\n2026-03-18T12:00:00.000Z,0,0,0,0,,,,,\r\n',
  );
  await door.close();
});
