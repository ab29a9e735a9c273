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
import { oracleReader } from '../support/oracle.ts';

const errorClient = '198.51.100.1';
const calls = [
  // 200 calls of 1 to 200 ms in the last hour; every tenth is refused, every fiftieth fails.
  ...repeat(200, (n) =>
    call({
      route: '/orders/{id}',
      status: n % 50 === 0 ? 503 : n % 10 === 0 ? 404 : 200,
      durationNs: (n + 1) * 1_000_000,
      endMs: nowMs - 59 * minuteMs + n * 1000,
      client: n % 10 === 0 ? errorClient : `203.0.113.${n % 7}`,
    }),
  ),
  ...repeat(7, (n) =>
    call({ route: '/orders', method: 'POST', status: 201, endMs: nowMs - n * hourMs }),
  ),
  call({ route: '/broken', status: 500, endMs: nowMs - 2 * dayMs }),
  // Silent for 40 days while the service was heard; three callers.
  ...repeat(3, (n) =>
    call({
      route: '/v1/orders',
      endMs: nowMs - (40 + n) * dayMs,
      client: `192.0.2.${n}`,
      agent: n === 0 ? '' : '=cmd|calc',
      consumer: 'batch, nightly',
      version: '0.9.0',
    }),
  ),
  call({ route: '/quiet|pipe', endMs: nowMs - 10 * dayMs }),
  call({ service: 'mail', environment: '', route: '/send', method: 'POST', endMs: nowMs - hourMs }),
];

describe.each(engines)('the report on $name', (engine) => {
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
  const rows = async (query: string) => (await door.get(`/report?${query}`)).endpoints;
  const routes = async (query: string) =>
    (await rows(query)).map(({ route }: { route: string }) => route);

  test('shows every endpoint with exact numbers, the most called first', async () => {
    const answer = await door.get('/report');
    expect(answer).toMatchObject({
      generated_at: '2026-03-18T12:00:30.000Z',
      window: { from: '2026-02-16T12:01:00.000Z', to: '2026-03-18T12:01:00.000Z' },
      filters: {
        service: null,
        environment: null,
        status: null,
        method: null,
        route: null,
        q: null,
      },
      observed_since: '2026-02-04T12:00:30.000Z',
      estimated: false,
      summary: {
        total_endpoints: 6,
        total_requests: 210,
        active: 4,
        cold: 1,
        dead: 1,
        never_called: 0,
        unknown: 0,
        undocumented: 0,
      },
      next_cursor: null,
    });
    expect(answer.endpoints).toHaveLength(6);
    const row = answer.endpoints[0];
    expect(row).toMatchObject({
      service: 'shop',
      environment: 'production',
      method: 'GET',
      route: '/orders/{id}',
      status: 'active',
      marks: ['new'],
      total_calls: 200,
      error_4xx_count: 16,
      error_5xx_count: 4,
      answered_count: 180,
      refused_count: 0,
      missing_count: 16,
      failed_count: 4,
      error_rate_pct: 10,
      success_rate_pct: 90,
      avg_duration_ms: 100.5,
      min_duration_ms: 1,
      max_duration_ms: 200,
      first_called_at: '2026-03-18T11:01:30.000Z',
      last_called_at: '2026-03-18T11:04:49.000Z',
      days_since_last_call: 0,
      observed_days: 42,
      lifetime_calls: 200,
      unique_clients: 8,
      last_version: '1.0.0',
    });
    const exact = { 50: 100, 75: 150, 90: 180, 95: 190, 99: 198, 999: 200 };
    for (const [percentile, ms] of Object.entries(exact)) {
      const value = row[`p${percentile}_duration_ms`];
      expect(Math.abs(value - ms) / ms, `p${percentile} is ${value}`).toBeLessThanOrEqual(0.01);
    }
  });

  test('has the row fields of the contract, in their order', async () => {
    const [row] = await rows('');
    expect(Object.keys(row).join(', ')).toBe(
      'id, service, environment, method, route, status, marks, confidence, total_calls, error_4xx_count, error_5xx_count, answered_count, refused_count, missing_count, failed_count, error_rate_pct, success_rate_pct, avg_duration_ms, min_duration_ms, p50_duration_ms, p75_duration_ms, p90_duration_ms, p95_duration_ms, p99_duration_ms, p999_duration_ms, max_duration_ms, first_called_at, last_called_at, days_since_last_call, observed_days, last_used_at, expected_at, dead_since, reasons, renamed_to, renamed_from, service_status, service_confidence, lifetime_calls, unique_clients, last_version, last_callers, last_answered_at, route_display, declared, declared_route, owner, deprecated_since, sunset_at, deprecation_link, operation_id, removed_at, decision, decision_reason, decision_by, decided_at, decision_until, decision_returned',
    );
  });

  test('shows an endpoint without a call in the window with nulls, and its lifetime facts', async () => {
    const [row] = await rows('route=/v1/*');
    expect(row).toMatchObject({
      status: 'dead',
      total_calls: 0,
      error_4xx_count: 0,
      error_rate_pct: null,
      success_rate_pct: null,
      avg_duration_ms: null,
      p50_duration_ms: null,
      p99_duration_ms: null,
      max_duration_ms: null,
      unique_clients: 0,
      lifetime_calls: 3,
      days_since_last_call: 40,
      last_version: '0.9.0',
    });
    expect(row.last_callers).toEqual([
      {
        client: '192.0.2.0',
        consumer: 'batch, nightly',
        agent: null,
        called_at: '2026-02-06T12:00:30.000Z',
      },
      {
        client: '192.0.2.1',
        consumer: 'batch, nightly',
        agent: '=cmd|calc',
        called_at: '2026-02-05T12:00:30.000Z',
      },
      {
        client: '192.0.2.2',
        consumer: 'batch, nightly',
        agent: '=cmd|calc',
        called_at: '2026-02-04T12:00:30.000Z',
      },
    ]);
  });

  test('gives the same lifecycle under every window', async () => {
    const life = async (query: string) =>
      (await rows(`sort=route&${query}`)).map((row: Record<string, unknown>) => [
        row.route,
        row.status,
        row.marks,
        row.first_called_at,
        row.last_called_at,
        row.days_since_last_call,
        row.lifetime_calls,
        row.last_callers,
      ]);
    const usual = await life('');
    const windows = ['window=15m', 'window=24h', 'window=90d', 'from=2026-02-01&to=2026-02-05'];
    for (const window of windows) expect(await life(window), window).toEqual(usual);
  });

  test('filters the list and leaves the summary whole', async () => {
    const whole = (await door.get('/report')).summary;
    const expected: [string, string[]][] = [
      ['status=dead', ['/v1/orders']],
      ['status=dead,cold', ['/quiet|pipe', '/v1/orders']],
      ['method=post', ['/orders', '/send']],
      ['method=POST,GET&status=cold', ['/quiet|pipe']],
      ['route=/orders', ['/orders']],
      ['route=/orders*', ['/orders', '/orders/{id}']],
      ['route=*/orders', ['/orders', '/v1/orders']],
      ['route=/orders/{id}', ['/orders/{id}']],
      ['route=/.*', []],
      ['q=ORDERS', ['/orders', '/orders/{id}', '/v1/orders']],
      ['q=mail', ['/send']],
    ];
    for (const [query, list] of expected) {
      const answer = await door.get(`/report?sort=route&${query}`);
      const found = answer.endpoints.map(({ route }: { route: string }) => route);
      expect(found, query).toEqual(list);
      expect(answer.summary, query).toEqual(whole);
    }
  });

  test('service and environment choose the whole', async () => {
    const answer = await door.get('/report?service=mail');
    expect(answer.summary).toMatchObject({ total_endpoints: 1, total_requests: 1 });
    expect(answer.filters.service).toBe('mail');
    expect(answer.observed_since).toBe('2026-03-18T11:00:30.000Z');
    expect(await routes('environment=')).toEqual(['/send']);
    expect((await door.get('/report?service=none')).summary.total_endpoints).toBe(0);
    expect((await door.get('/report?service=none')).observed_since).toBeNull();
  });

  test('sorts by every field, nulls last either way', async () => {
    const [first] = await rows('');
    for (const field of Object.keys(first)) {
      const up = (await rows(`sort=${field}&order=asc`)).map((row: never) => row[field]);
      const down = (await rows(`sort=${field}&order=desc`)).map((row: never) => row[field]);
      const known = (values: unknown[]) => values.filter((value) => value !== null);
      expect(known(up).map(String), field).toEqual(known(down).reverse().map(String));
      expect(up.lastIndexOf(null) === -1 || up.at(-1) === null, field).toBe(true);
      expect(down.lastIndexOf(null) === -1 || down.at(-1) === null, field).toBe(true);
    }
    expect(await routes('sort=p95_duration_ms&limit=1')).toEqual(['/orders/{id}']);
    expect((await routes('sort=route'))[0]).toBe('/broken');
  });

  test('pages to the end with cursors, no row twice and none left out', async () => {
    for (const sort of ['route', 'total_calls', 'avg_duration_ms', 'marks']) {
      const all = await routes(`sort=${sort}`);
      const seen: string[] = [];
      let cursor = '';
      do {
        const answer = await door.get(`/report?sort=${sort}&limit=2${cursor}`);
        expect(answer.summary.total_endpoints).toBe(6);
        seen.push(...answer.endpoints.map(({ route }: { route: string }) => route));
        cursor = answer.next_cursor ? `&cursor=${answer.next_cursor}` : '';
      } while (cursor);
      expect(seen, sort).toEqual(all);
    }
  });

  test('a cursor keeps the window of its first page', async () => {
    const first = await door.get('/report?window=1h&limit=1');
    const later = await openDoor(opened.reader, nowMs + hourMs);
    const second = await later.get(`/report?window=1h&limit=1&cursor=${first.next_cursor}`);
    await later.close();
    expect(second.window).toEqual(first.window);
  });

  test('speaks CSV that spreadsheets read and cannot be hurt by', async () => {
    const response = await door.fetch('/api/v1/report?format=csv&sort=route&limit=5');
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const next = /^<(.+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
    const nextUrl = new URL(next!, response.url);
    const lines = (await response.text()).split('\r\n');
    const [row] = await rows('');
    const onlySampled = ['estimated', 'total_calls_interval'];
    expect(lines[0]).toBe([...Object.keys(row), ...onlySampled].join(','));
    expect(lines).toHaveLength(7);
    expect(lines.at(-1)).toBe('');
    const last = await (await fetch(nextUrl)).text();
    expect(last).toContain('/v1/orders');
    expect(last).toContain('""consumer"":""batch, nightly""');
    expect(last).toContain(',0,0,0,,,,');
    const disposition = response.headers.get('content-disposition');
    expect(disposition).toBe('attachment; filename="rollcall-report-2026-03-18.csv"');
  });

  test('speaks Markdown', async () => {
    const response = await door.fetch('/api/v1/report?format=md&status=cold');
    expect(response.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    const text = await response.text();
    expect(text).toMatch(/^# Report\n\nFrom 2026-02-16T12:01:00.000Z to .* \(to the minute\)/);
    expect(text).toContain('| service | environment | method | route | status | total_calls |');
    expect(text).toContain('| shop | production | GET | /quiet\\|pipe | cold | 1 | 0 |');
  });

  test('the top are the most called of the window, without those not called in it', async () => {
    const answer = await door.get('/report/top?window=24h');
    const counts = answer.endpoints.map((row: { route: string; total_calls: number }) => [
      row.route,
      row.total_calls,
    ]);
    expect(counts).toEqual([
      ['/orders/{id}', 200],
      ['/orders', 7],
      ['/send', 1],
    ]);
    expect(answer.summary).toMatchObject({ total_endpoints: 6, dead: 1 });
    const best = await door.get('/report/top?window=24h&limit=1');
    expect(best.endpoints).toHaveLength(1);
    expect(best.next_cursor).toEqual(expect.any(String));
  });

  test('the dead are listed with their last callers', async () => {
    const answer = await door.get('/report/dead?window=15m');
    expect(answer.endpoints).toHaveLength(1);
    expect(answer.endpoints[0]).toMatchObject({ route: '/v1/orders', status: 'dead' });
    expect(answer.endpoints[0].last_callers).toHaveLength(3);
    expect((await door.get('/report/dead?service=mail')).endpoints).toEqual([]);
  });

  test('services come with all time, or with a window', async () => {
    const answer = await door.get('/services');
    expect(answer.services).toEqual([
      {
        service: 'mail',
        environment: '',
        endpoints: 1,
        calls: 1,
        first_seen_at: '2026-03-18T11:00:30.000Z',
        last_seen_at: '2026-03-18T11:00:30.000Z',
      },
      {
        service: 'shop',
        environment: 'production',
        endpoints: 5,
        calls: 212,
        first_seen_at: '2026-02-04T12:00:30.000Z',
        last_seen_at: '2026-03-18T12:00:30.000Z',
      },
    ]);
    expect(answer.window.from).toBe('2026-02-04T12:00:00.000Z');
    const day = await door.get('/services?window=24h&service=shop');
    expect(day.services).toMatchObject([{ service: 'shop', calls: 207 }]);
  });

  test('one endpoint by its id', async () => {
    const [row] = await rows('route=/orders/{id}');
    const answer = await door.get(`/endpoints/${row.id}`);
    expect(answer.endpoint).toEqual(row);
    expect(answer.status_codes).toEqual({ 200: 180, 404: 16, 503: 4 });
    expect(answer.clients[0]).toMatchObject({ calls: 26, errors: 0 });
    const sum = answer.time_series.reduce(
      (all: number, point: { calls: number }) => all + point.calls,
      0,
    );
    expect(sum).toBe(200);
    const missing = await door.fetch('/api/v1/endpoints/987654');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toEqual({
      error: { code: 'not_found', message: 'there is no endpoint "987654"', field: 'id' },
    });
    expect((await door.fetch('/api/v1/endpoints/abc')).status).toBe(404);
  });

  test('clients, most calls first', async () => {
    const answer = await door.get('/clients?window=1h');
    expect(answer.clients).toHaveLength(9);
    expect(answer.clients.find((row: { client: string }) => row.client === errorClient)).toEqual({
      client: errorClient,
      calls: 20,
      share_pct: 9.9502,
      errors: 20,
      error_rate_pct: 100,
      answered_count: 0,
      refused_count: 0,
      missing_count: 16,
      failed_count: 4,
      endpoints: 1,
      // Of calls from 11:01:30 to 11:04:40: clients are kept by the minute.
      first_called_at: '2026-03-18T11:01:00.000Z',
      last_called_at: '2026-03-18T11:04:00.000Z',
    });
  });
});

test('CSV begins with a byte order mark where it is asked for', async () => {
  const door = await openDoor(oracleReader([call()]), nowMs);
  const bytes = async (query: string) =>
    Buffer.from(await (await door.fetch(`/api/v1/services?${query}`)).arrayBuffer());
  expect((await bytes('format=csv&bom=true')).subarray(0, 10).toString('hex')).toBe(
    'efbbbf73657276696365',
  );
  expect((await bytes('format=csv')).subarray(0, 7).toString()).toBe('service');
  expect((await bytes('bom=true')).subarray(0, 1).toString()).toBe('{');
  await door.close();
});

test('CSV cells that would be formulas are text, and quotes and line ends are kept', async () => {
  const strange = [
    '=1+1',
    ' =1',
    '＝1',
    '\nx',
    '+1',
    '-1',
    '@x',
    '\tx',
    'a"b',
    'a,b',
    'a\r\nb',
    'plain',
  ];
  const door = await openDoor(oracleReader(strange.map((service) => call({ service }))), nowMs);
  const response = await door.fetch('/api/v1/services?format=csv');
  const text = await response.text();
  await door.close();
  const cells = [
    "'=1+1",
    "' =1",
    "'＝1",
    '"\'\nx"',
    "'+1",
    "'-1",
    "'@x",
    "'\tx",
    '"a""b"',
    '"a,b"',
    '"a\r\nb"',
    'plain',
  ];
  for (const cell of cells) expect(`\r\n${text}`).toContain(`\r\n${cell},production,1,1,2026-`);
});
