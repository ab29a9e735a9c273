import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statusRange } from '../../../analyzer/reports/calls/call-parameters.ts';
import { callTable } from '../../../analyzer/reports/calls/call-row.ts';
import { limits } from '../../../core/limits.ts';
import {
  call,
  dayMs,
  type ListenOptions,
  minuteMs,
  nowMs,
  openDoor,
  repeat,
} from '../support/door.ts';
import { engines, type Opened } from '../support/engines.ts';
import { oracleReader, type PlainCall } from '../support/oracle.ts';

const trace = (n: number): string => `f${n.toString(16).padStart(31, '0')}`;

/** Two services; statuses, durations, callers and versions in turn; one call a second. */
const plain: PlainCall[] = repeat(240, (n) =>
  call({
    service: n % 3 === 0 ? 'orders' : 'shop',
    method: n % 2 === 0 ? 'GET' : 'POST',
    route: `/r${n % 5}`,
    status: [200, 200, 404, 503, 201, 0][n % 6]!,
    durationNs: n % 17 === 0 ? -1 : ((n * 7919) % 1000) * 1_000_001,
    endMs: nowMs - minuteMs - n * 1000,
    client: n % 7 === 0 ? '' : `203.0.113.${n % 4}`,
    consumer: ['', 'ada', 'grace'][n % 3]!,
    agent: ['curl', 'Googlebot'][n % 2]!,
    bot: n % 2 === 1 ? true : undefined,
    version: ['1.0.0', '1.1.0'][n % 2]!,
    errorType: n % 6 === 3 ? 'timeout' : '',
    traceId: n % 11 === 0 ? '' : trace(n),
    requestBytes: n % 2 === 0 ? n : -1,
    responseBytes: 1_000 + n,
    ...(n % 40 === 39 && { weight: 8 }),
  } as Partial<PlainCall>),
);
const old = call({ route: '/old', endMs: nowMs - 40 * dayMs, traceId: trace(9_000) });
const calls = [...plain, old];

/** The seconds of the day at which a call ended: names it in these tests. */
const endsOf = (rows: { ended_at: string }[]): number[] =>
  rows.map(({ ended_at }) => (nowMs - minuteMs - Date.parse(ended_at)) / 1000);

/** Indexes of the plain calls that pass, newest first: as they were made. */
const indexes = (passes: (call: PlainCall, n: number) => boolean): number[] =>
  plain.flatMap((one, n) => (passes(one, n) ? [n] : []));

describe.each(engines)('calls of $name', ({ open }) => {
  let opened: Opened;
  let door: ListenOptions;

  beforeAll(async () => {
    opened = await open(calls, nowMs);
    door = await openDoor(opened.reader, nowMs, undefined, undefined, {
      traceUrl: 'https://jaeger.example/trace/{trace_id}?x={trace_id}',
    });
  });
  afterAll(async () => {
    await door.close();
    await opened.remove();
  });

  /** Every page of a list. */
  const walk = async (path: string) => {
    const rows = [];
    for (let cursor = ''; ; ) {
      const page = await door.get(`${path}${cursor}`);
      rows.push(...page.calls);
      if (page.next_cursor === null) return rows;
      cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
    }
  };

  test('a call is shown with all that is known of it; what is unknown is null', async () => {
    const { calls: rows } = await door.get('/calls?limit=4');
    expect(
      rows.map(({ id: _, endpoint: _e, ...row }: { id: string; endpoint: string }) => row),
    ).toEqual(
      [0, 1, 2, 3].map((n) => ({
        ended_at: `${new Date(plain[n]!.endMs).toISOString().slice(0, -1)}000000Z`,
        service: plain[n]!.service,
        environment: 'production',
        method: plain[n]!.method,
        route: plain[n]!.route,
        route_display: plain[n]!.route,
        status: plain[n]!.status,
        duration_ms: [null, 919.000919, 838.000838, 757.000757][n],
        client: [null, '203.0.113.1', '203.0.113.2', '203.0.113.3'][n],
        consumer: [null, 'ada', 'grace', null][n],
        agent: ['curl', 'Googlebot', 'curl', 'Googlebot'][n],
        bot: n % 2 === 1,
        service_version: ['1.0.0', '1.1.0', '1.0.0', '1.1.0'][n],
        error_type: [null, null, null, 'timeout'][n],
        request_bytes: [0, null, 2, null][n],
        response_bytes: 1_000 + n,
        trace_id: n === 0 ? null : trace(n),
        ...(n > 0 && { trace_url: `https://jaeger.example/trace/${trace(n)}?x=${trace(n)}` }),
      })),
    );
    const weighted = await door.get('/calls?limit=40');
    expect(weighted.calls[39].weight).toBe(8);
    expect(weighted.calls[38]).not.toHaveProperty('weight');
  });

  test.each<[string, (call: PlainCall, n: number) => boolean]>([
    ['service=orders', ({ service }) => service === 'orders'],
    ['service=nobody', () => false],
    ['environment=production', () => true],
    ['environment=', () => false],
    ['method=post', ({ method }) => method === 'POST'],
    ['method=GET,POST', () => true],
    ['route=/r1', ({ route }) => route === '/r1'],
    ['route=/r*&method=GET', ({ method }) => method === 'GET'],
    ['status=503', ({ status }) => status === 503],
    ['status=5xx', ({ status }) => status === 503],
    ['status=4xx,5xx', ({ status }) => status >= 400],
    ['status=none', ({ status }) => status === 0],
    ['status=none,2xx', ({ status }) => status < 300],
    ['status=418', () => false],
    ['client=203.0.113.1', ({ client }) => client === '203.0.113.1'],
    ['client=', ({ client }) => client === ''],
    ['client=198.51.100.99', () => false],
    ['consumer=ada', ({ consumer }) => consumer === 'ada'],
    ['consumer=', ({ consumer }) => consumer === ''],
    ['agent=Googlebot', ({ agent }) => agent === 'Googlebot'],
    ['bot=true', ({ bot = false }) => bot],
    ['bot=false', ({ bot = false }) => !bot],
    ['version=1.1.0', ({ version }) => version === '1.1.0'],
    ['error_type=timeout', ({ errorType }) => errorType === 'timeout'],
    ['error_type=', ({ errorType }) => errorType === ''],
    ['duration_min=500', ({ durationNs }) => durationNs >= 500e6],
    ['duration_max=500.0005', ({ durationNs }) => durationNs >= 0 && durationNs <= 500_000_500],
    [
      'duration_min=919.000919&duration_max=919.000919',
      ({ durationNs }) => durationNs === 919_000_919,
    ],
    [`trace_id=${trace(7).toUpperCase()}`, (_, n) => n === 7],
    [`trace_id=${'f'.repeat(32)}`, () => false],
    ['window=3m', ({ endMs }) => endMs >= Math.floor(nowMs / minuteMs) * minuteMs - 2 * minuteMs],
    [
      'service=shop&status=5xx&bot=true',
      (one) => one.service === 'shop' && one.status === 503 && one.bot === true,
    ],
  ])(
    '?%s holds exactly the calls that pass, newest first, page by page',
    async (search, passes) => {
      expect(endsOf(await walk(`/calls?${search}&limit=7`))).toEqual(indexes(passes));
    },
  );

  test('sort=duration_ms gives the slowest first, and calls without a latency last', async () => {
    const rows = await walk('/calls?sort=duration_ms&limit=50');
    const expected = plain
      .map(({ durationNs }, n) => ({ durationNs, n }))
      .sort((a, b) => b.durationNs - a.durationNs || a.n - b.n);
    expect(endsOf(rows)).toEqual(expected.map(({ n }) => n));
    expect(rows.at(-1).duration_ms).toBeNull();
  });

  test("an endpoint's detail has its slowest calls and its latest errors", async () => {
    const { calls: any } = await door.get('/calls?route=/r3&method=GET&service=shop&limit=1');
    const { endpoint: id } = any[0];
    const own = indexes(
      (one) => one.route === '/r3' && one.method === 'GET' && one.service === 'shop',
    );
    const detail = await door.get(`/endpoints/${id}`);
    const slowest = own
      .filter((n) => plain[n]!.durationNs >= 0)
      .sort((a, b) => plain[b]!.durationNs - plain[a]!.durationNs || a - b);
    expect(endsOf(detail.slowest_calls)).toEqual(slowest.slice(0, 10));
    expect(endsOf(detail.latest_errors)).toEqual(
      own.filter((n) => plain[n]!.status >= 400).slice(0, 10),
    );
    expect(detail.slowest_calls[0].trace_url).toContain('https://jaeger.example/trace/');
  });

  test('a window of its own finds older calls, and says which window it is', async () => {
    const answer = await door.get('/calls?window=60d&route=/old');
    expect(answer.calls).toHaveLength(1);
    expect(answer.window.from).toBe('2026-01-17T12:01:00.000Z');
    expect(answer.filters).toMatchObject({ route: '/old', status: null, trace_id: null });
    const { endpoint } = answer.calls[0];
    const detail = await door.get(`/endpoints/${endpoint}`);
    expect(detail.endpoint.route).toBe('/old');
    expect(detail.slowest_calls).toEqual([]);
    expect((await door.get(`/calls?window=60d&endpoint=${endpoint}`)).calls).toHaveLength(1);
  });

  test('pages of a list are of the moment of the first one', async () => {
    const first = await door.get('/calls?limit=3&status=404');
    const second = await door.get(`/calls?limit=2&status=404&cursor=${first.next_cursor}`);
    expect([second.generated_at, second.window]).toEqual([first.generated_at, first.window]);
    expect(endsOf([...first.calls, ...second.calls])).toEqual([2, 8, 14, 20, 26]);
  });

  test.each([
    ['status=600x', 'status'],
    ['status=', 'status'],
    ['status=4xx;5xx', 'status'],
    ['bot=maybe', 'bot'],
    ['duration_min=-1', 'duration_min'],
    ['duration_max=1e3', 'duration_max'],
    ['duration_min=0.0000001', 'duration_min'],
    ['trace_id=abc', 'trace_id'],
    [`trace_id=${'g'.repeat(32)}`, 'trace_id'],
    ['sort=route', 'sort'],
    ['limit=0', 'limit'],
    [`limit=${limits.callPageRows + 1}`, 'limit'],
    [`client=${'1'.repeat(limits.clientBytes + 1)}`, 'client'],
    ['cursor=x', 'cursor'],
    ['cursor=W10', 'cursor'],
    ['follow=x', 'follow'],
    ['format=parquet', 'format'],
    ['order=asc', 'order'],
    ['from=2026-03-18T12:00:00Z&to=2026-03-18T11:00:00Z', 'from'],
  ])('?%s is refused by name', async (search, field) => {
    const response = await door.fetch(`/api/v1/calls?${search}`);
    const { error } = (await response.json()) as { error: { field: string; message: string } };
    expect([response.status, error.field]).toEqual([400, field]);
    expect(error.message).not.toMatch(/SELECT|\.ts/);
    expect(error.message).not.toContain(process.cwd());
  });

  test('an endpoint that does not exist is 404', async () => {
    const response = await door.fetch('/api/v1/calls?endpoint=nobody');
    expect(response.status).toBe(404);
  });

  test('a cursor of other filters, of another order or changed by one character is refused', async () => {
    const { next_cursor: cursor, follow_cursor: follow } = await door.get(
      '/calls?limit=3&status=2xx',
    );
    const at = Math.floor(cursor.length / 2);
    const changed = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
    for (const search of [
      `cursor=${cursor}`,
      `status=4xx&cursor=${cursor}`,
      `status=2xx&sort=duration_ms&cursor=${cursor}`,
      `status=2xx&window=1h&cursor=${cursor}`,
      `status=2xx&cursor=${follow}`,
      `status=2xx&follow=${cursor}`,
      `status=4xx&follow=${follow}`,
      `status=2xx&window=1h&follow=${follow}`,
      `status=2xx&cursor=${cursor}&follow=${follow}`,
    ]) {
      const response = await door.fetch(`/api/v1/calls?${search}`);
      expect(response.status, search).toBe(400);
    }
    const response = await door.fetch(`/api/v1/calls?status=2xx&cursor=${changed}`);
    expect([200, 400]).toContain(response.status);
  });

  test('csv, md and ndjson hold the same calls', async () => {
    const texts = [];
    for (const format of ['csv', 'md', 'ndjson']) {
      const response = await door.fetch(`/api/v1/calls?limit=50&format=${format}`);
      texts.push({ text: await response.text(), headers: response.headers });
    }
    const [csv, md, ndjson] = texts as [(typeof texts)[0], (typeof texts)[0], (typeof texts)[0]];
    const { calls: rows } = await door.get('/calls?limit=50');
    expect(csv.text.split('\r\n')).toHaveLength(52);
    expect(csv.text).toMatch(
      /^ended_at,service,environment,method,route,route_display,status,duration_ms,/,
    );
    expect(md.text.split('\n').filter((line) => line.startsWith('| 2026'))).toHaveLength(50);
    expect(ndjson.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(ndjson.headers.get('link')).toMatch(/^<\?.*cursor=.*>; rel="next"$/);
    expect(linesOf(ndjson.text)).toEqual(rows);
  });

  test('ndjson without a limit is the whole list, of all pages', async () => {
    const response = await door.fetch('/api/v1/calls?window=60d&format=ndjson');
    const all = await walk('/calls?window=60d&limit=100');
    expect(linesOf(await response.text())).toEqual(all);
    expect(all).toHaveLength(241);
  });
});

test('follow= gives each later call once, in the order of arrival', async () => {
  const grown: PlainCall[] = [...plain];
  const door = await openDoor(oracleReader(grown), nowMs);
  try {
    const first = await door.get('/calls?status=5xx&limit=2');
    let follow = first.follow_cursor;
    const seen = [];
    for (let n = 0; n < 4; n += 1) {
      const late = repeat(3, (i) => ({ ...plain[i]!, status: 500 + i, endMs: nowMs - n * dayMs }));
      grown.push(...late, plain[0]!);
      for (let more = true; more; ) {
        const page = await door.get(`/calls?status=5xx&limit=2&follow=${follow}`);
        seen.push(...page.calls);
        follow = page.follow_cursor;
        more = page.next_cursor !== null;
      }
    }
    expect(seen.map(({ status }) => status)).toEqual(Array(4).fill([500, 501, 502]).flat());
  } finally {
    await door.close();
  }
});

const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

test('a status is itself, a class its hundred, none a call without one', () => {
  expect(statusRange('503')).toEqual({ from: 503, to: 503 });
  expect(statusRange('4xx')).toEqual({ from: 400, to: 499 });
  expect(statusRange('1xx')).toEqual({ from: 100, to: 199 });
  expect(statusRange('none')).toEqual({ from: 0, to: 0 });
});

test('a duration of 0 is a latency, and an unknown one is null', () => {
  const shown = (durationNs: number) =>
    callTable.columns.duration_ms.value({ call: { durationNs } } as never);
  expect(shown(0)).toBe(0);
  expect(shown(1_500_000)).toBe(1.5);
  expect(shown(-1)).toBe(null);
});
