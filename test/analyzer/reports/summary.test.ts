import { expect, test } from 'vitest';
import { call, hourMs, minuteMs, nowMs, openDoor, repeat } from '../support/door.ts';
import { engines } from '../support/engines.ts';

const calls = [
  ...repeat(4, (n) =>
    call({
      route: '/orders',
      durationNs: (n + 1) * 1_500_000,
      status: n === 3 ? 500 : 200,
      client: `203.0.113.${n % 2}`,
      endMs: nowMs - 10 * minuteMs,
    }),
  ),
  ...repeat(2, () =>
    call({ route: '/orders', method: 'POST', status: 404, client: '', endMs: nowMs }),
  ),
  // The hour before.
  ...repeat(10, (n) =>
    call({ status: n < 5 ? 400 : 200, durationNs: 2_000_000, endMs: nowMs - 90 * minuteMs }),
  ),
  call({ service: 'mail', route: '/send', endMs: nowMs - 3 * hourMs }),
];

test.each(engines)(
  'the summary shows one window beside the one before, on $name',
  async (engine) => {
    const { reader, remove } = await engine.open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const answer = await door.get('/summary?window=1h&service=shop');
    const { time_series: series, events, ...rest } = answer;
    expect(events).toEqual([]);
    const near = (ms: number) => expect.closeTo(ms, 1);
    expect(rest).toEqual({
      generated_at: '2026-03-18T12:00:30.000Z',
      window: {
        from: '2026-03-18T11:01:00.000Z',
        to: '2026-03-18T12:01:00.000Z',
        resolution: 'minute',
      },
      filters: {
        service: 'shop',
        environment: null,
        status: null,
        owner: null,
        method: null,
        route: null,
      },
      observed_since: '2026-03-18T10:30:30.000Z',
      estimated: false,
      summary: {
        total_requests: 6,
        unique_ips: 2,
        called_endpoints: 2,
        avg_response_time_ms: 5.833,
        min_response_time_ms: 1.5,
        max_response_time_ms: 10,
        p95_response_time_ms: near(10),
        error_rate_pct: 50,
        error_4xx_count: 2,
        error_5xx_count: 1,
      },
      previous_window: {
        from: '2026-03-18T10:01:00.000Z',
        to: '2026-03-18T11:01:00.000Z',
        resolution: 'minute',
      },
      previous: {
        total_requests: 10,
        unique_ips: 1,
        called_endpoints: 1,
        avg_response_time_ms: 2,
        min_response_time_ms: 2,
        max_response_time_ms: 2,
        p95_response_time_ms: near(2),
        error_rate_pct: 50,
        error_4xx_count: 5,
        error_5xx_count: 0,
      },
      method_usage: { GET: 4, POST: 2 },
      endpoint_stats: [
        {
          id: expect.any(String),
          service: 'shop',
          environment: 'production',
          method: 'GET',
          route: '/orders',
          requests: 4,
          avg_time_ms: 3.75,
          errors_count: 1,
          error_4xx_count: 0,
          error_5xx_count: 1,
        },
        {
          id: expect.any(String),
          service: 'shop',
          environment: 'production',
          method: 'POST',
          route: '/orders',
          requests: 2,
          avg_time_ms: 10,
          errors_count: 2,
          error_4xx_count: 2,
          error_5xx_count: 0,
        },
      ],
      status_codes: { 200: 3, 404: 2, 500: 1 },
      top_ips: expect.toSatisfy((ips: { ip: string; requests: number; errors: number }[]) => {
        const sorted = [...ips].sort((a, b) => a.errors - b.errors);
        expect(sorted).toEqual([
          { ip: '203.0.113.0', requests: 2, errors: 0 },
          { ip: '203.0.113.1', requests: 2, errors: 1 },
        ]);
        return true;
      }),
      other_ips: null,
      interval: 'minute',
    });
    expect(series).toHaveLength(60);
    expect(series.filter(({ requests }: { requests: number }) => requests > 0)).toEqual([
      {
        timestamp: '2026-03-18T11:50:00.000Z',
        requests: 4,
        avg_time_ms: 3.75,
        error_rate_pct: 25,
        error_4xx_count: 0,
        error_5xx_count: 1,
      },
      {
        timestamp: '2026-03-18T12:00:00.000Z',
        requests: 2,
        avg_time_ms: 10,
        error_rate_pct: 100,
        error_4xx_count: 2,
        error_5xx_count: 0,
      },
    ]);
    expect(series[0]).toEqual({
      timestamp: '2026-03-18T11:01:00.000Z',
      requests: 0,
      avg_time_ms: null,
      error_rate_pct: null,
      error_4xx_count: 0,
      error_5xx_count: 0,
    });
    await door.close();
    await remove();
  },
);

test.each(engines)('the summary of nothing has nulls, on $name', async (engine) => {
  const { reader, remove } = await engine.open([], nowMs);
  const door = await openDoor(reader, nowMs);
  const answer = await door.get('/summary');
  const nothing = {
    total_requests: 0,
    unique_ips: 0,
    called_endpoints: 0,
    avg_response_time_ms: null,
    min_response_time_ms: null,
    max_response_time_ms: null,
    p95_response_time_ms: null,
    error_rate_pct: null,
  };
  expect(answer).toMatchObject({
    observed_since: null,
    summary: nothing,
    previous: nothing,
    method_usage: {},
    endpoint_stats: [],
    status_codes: {},
    top_ips: [],
  });
  expect(answer.time_series).toHaveLength(31);
  expect((await door.get('/report')).endpoints).toEqual([]);
  expect((await door.get('/services')).services).toEqual([]);
  await door.close();
  await remove();
});

test('limit bounds the busiest endpoints and the top clients', async () => {
  const { reader } = await engines[0]!.open(calls, nowMs);
  const door = await openDoor(reader, nowMs);
  const answer = await door.get('/summary?window=1h&limit=1');
  expect(answer.endpoint_stats).toHaveLength(1);
  expect(answer.top_ips).toHaveLength(1);
  await door.close();
});

test.each(engines)(
  'method and route narrow the summary and the clients, on $name',
  async (engine) => {
    const made = [
      call({ method: 'GET', route: '/a', client: '203.0.113.1' }),
      call({ method: 'GET', route: '/b', client: '203.0.113.2', status: 500 }),
      call({ method: 'POST', route: '/a', client: '203.0.113.3', durationNs: 90_000_000 }),
    ];
    const { reader, remove } = await engine.open(made, nowMs);
    const door = await openDoor(reader, nowMs);
    const posted = await door.get('/summary?method=post');
    expect(posted.filters).toMatchObject({ method: 'POST' });
    expect(posted.summary).toMatchObject({
      total_requests: 1,
      unique_ips: 1,
      max_response_time_ms: 90,
      error_rate_pct: 0,
    });
    expect(posted.method_usage).toEqual({ POST: 1 });
    expect(posted.top_ips).toEqual([{ ip: '203.0.113.3', requests: 1, errors: 0 }]);
    const routed = await door.get('/summary?route=/a');
    expect(routed.summary).toMatchObject({ total_requests: 2, unique_ips: 2 });
    expect(routed.endpoint_stats).toHaveLength(2);
    const { clients } = await door.get('/clients?method=GET&route=/b');
    expect(clients).toEqual([
      {
        ...{ client: '203.0.113.2', calls: 1, errors: 1, error_rate_pct: 100, share_pct: 100 },
        endpoints: 1,
        ...{ answered_count: 0, refused_count: 0, missing_count: 0, failed_count: 1 },
        first_called_at: '2026-03-18T11:59:00.000Z',
        last_called_at: '2026-03-18T11:59:00.000Z',
      },
    ]);
    await door.close();
    await remove();
  },
);
