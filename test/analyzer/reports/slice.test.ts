import { describe, expect, test } from 'vitest';
import { Random } from '../../../core/random.ts';
import { call, hourMs, minuteMs, nowMs, openDoor, repeat } from '../support/door.ts';
import { engines } from '../support/engines.ts';
import type { PlainCall } from '../support/oracle.ts';

/** The whole window of the questions here, half a minute from its edges: two days that end now. */
const random = new Random(20_261_127);
const calls = repeat(600, (n) =>
  call({
    service: random.pick(['shop', 'shop', 'mail']),
    method: random.pick(['GET', 'POST']),
    route: `/${random.pick(['a', 'b', 'c'])}`,
    status: random.pick([200, 200, 204, 302, 401, 404, 429, 500, 503, 0]),
    client: random.pick(['', '192.0.2.1', '192.0.2.2', '2001:db8::1']),
    consumer: random.pick(['', '', 'anna', 'curl']),
    agent: random.pick(['', 'curl', 'okhttp']),
    endMs: nowMs - n * 4 * minuteMs - 30_000,
  }),
);

// biome-ignore lint/suspicious/noExplicitAny: answers are checked by what the test expects of them
type Answer = any;

const classes: Record<string, readonly number[]> = {
  answered_count: [200, 204, 302],
  refused_count: [401, 429],
  missing_count: [404],
  failed_count: [0, 500, 503],
};

function counts(own: readonly PlainCall[]): Record<string, number | null> {
  const of = (statuses: readonly number[]) =>
    own.filter(({ status }) => statuses.includes(status)).length;
  const errors = own.filter(({ status }) => status >= 400).length;
  return {
    calls: own.length,
    errors,
    error_rate_pct: own.length === 0 ? null : Math.round((1e6 * errors) / own.length) / 1e4,
    ...Object.fromEntries(Object.entries(classes).map(([name, among]) => [name, of(among)])),
  };
}

const slices: [string, (one: PlainCall) => boolean][] = [
  ['', () => true],
  ['client=192.0.2.1', ({ client }) => client === '192.0.2.1'],
  ['client=2001:db8::1', ({ client }) => client === '2001:db8::1'],
  ['client=203.0.113.99', () => false],
  ['consumer=anna', ({ consumer }) => consumer === 'anna'],
  // The span names it, and its user agent is something else.
  ['consumer=curl', ({ consumer, agent }) => consumer === 'curl' && agent !== 'curl'],
  [
    'consumer=curl&named_by=agent',
    ({ consumer, agent }) => agent === 'curl' && (consumer === '' || consumer === 'curl'),
  ],
  ['status_code=503', ({ status }) => status === 503],
  ['status_code=4xx', ({ status }) => status >= 400 && status < 500],
  ['status_code=none', ({ status }) => status === 0],
];
const narrowings: [string, (one: PlainCall) => boolean][] = [
  ['', () => true],
  ['&service=shop&method=GET', ({ service, method }) => service === 'shop' && method === 'GET'],
  ['&route=/b&window=7h', (one) => one.route === '/b' && one.endMs >= nowMs - 7 * hourMs],
];

describe.each(engines)('a slice of the calls on $name', (engine) => {
  test('counts in all, by endpoint and over time what counting each call counts', async () => {
    const { reader, remove } = await engine.open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    for (const [asked, isOwn] of slices) {
      for (const [narrowed, isIn] of narrowings) {
        const window = narrowed.includes('window') ? '' : '&window=48h';
        const path = `/slice?${asked}${narrowed}${window}&interval=hour`;
        const answer: Answer = await door.get(path);
        const selected = calls.filter(isIn);
        const own = selected.filter(isOwn);
        expect(answer.total_calls, path).toBe(selected.length);
        expect(answer.other_calls, path).toBe(0);
        expect(answer.slice, path).toMatchObject(counts(own));
        const byEndpoint = Map.groupBy(own, endpointOf);
        expect(answer.slice.endpoints, path).toBe(byEndpoint.size);
        const rows = answer.endpoints.map((row: Answer) => [endpointOf(row), row]);
        expect(new Map(rows), path).toEqual(
          new Map(
            [...byEndpoint].map(([name, part]) => [name, expect.objectContaining(counts(part))]),
          ),
        );
        const called = answer.endpoints.map((row: Answer) => row.calls);
        expect(called, path).toEqual(called.toSorted((a: number, b: number) => b - a));
        const starts = answer.points.map(({ timestamp }: Answer) => Date.parse(timestamp));
        const ends = [...starts.slice(1), Number.POSITIVE_INFINITY];
        answer.points.forEach((point: Answer, n: number) => {
          const within = own.filter(({ endMs }) => endMs >= starts[n]! && endMs < ends[n]!);
          expect(point, `${path} ${point.timestamp}`).toMatchObject(counts(within));
        });
      }
    }
    await door.close();
    await remove();
  });

  test('agrees with what /clients, /consumers and /summary say', async () => {
    const { reader, remove } = await engine.open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const { clients } = await door.get('/clients?window=48h');
    expect(clients.length).toBe(3);
    for (const { client, calls: count, endpoints, share_pct } of clients) {
      const { slice } = await door.get(`/slice?window=48h&client=${encodeURIComponent(client)}`);
      expect(slice).toMatchObject({ calls: count, endpoints, share_pct });
    }
    const { consumers } = await door.get('/consumers?window=48h');
    for (const { consumer, named_by, calls: count, errors, endpoints } of consumers) {
      if (consumer === null) continue;
      const { slice } = await door.get(
        `/slice?window=48h&consumer=${consumer}&named_by=${named_by}`,
      );
      expect(slice).toMatchObject({ calls: count, errors, endpoints });
    }
    const { status_codes } = await door.get('/summary?window=48h');
    for (const [status, count] of Object.entries(status_codes)) {
      const code = status === '0' ? 'none' : status;
      const { slice, filters } = await door.get(`/slice?window=48h&status_code=${code}`);
      expect([slice.calls, filters.status_code]).toEqual([count, code]);
    }
    await door.close();
    await remove();
  });
});

test('calls of no route are in a list of a slice, and are no endpoint', async () => {
  const { reader } = await engines[0]!.open(
    [call({ route: '/a' }), call({ route: '(unmatched)', status: 404 })],
    nowMs,
  );
  const door = await openDoor(reader, nowMs);
  const answer = await door.get('/slice?window=1h');
  expect(answer.slice).toMatchObject({ calls: 2, missing_count: 1, endpoints: 1 });
  expect(answer.endpoints.map(({ route }: Answer) => route).sort()).toEqual(['(unmatched)', '/a']);
  const { summary } = await door.get('/summary?window=1h');
  expect(summary.called_endpoints).toBe(1);
  await door.close();
});

test('several slices at once are refused, with the reason', async () => {
  const { reader } = await engines[0]!.open(calls, nowMs);
  const door = await openDoor(reader, nowMs);
  for (const [query, field, message] of [
    ['client=1.2.3.4&consumer=anna', 'consumer', /^2 of client=/],
    ['client=1.2.3.4&status_code=200', 'status_code', /^2 of client=/],
    ['client=1.2.3.4&consumer=anna&status_code=200', 'consumer', /^3 of client=/],
    ['client=1.2.3.4&named_by=agent', 'named_by', /only with consumer=/],
    ['status_code=200,404', 'status_code', /status_code/],
    ['client=', 'client', /client/],
  ] as const) {
    const response = await door.fetch(`/api/v1/slice?${query}`);
    expect(response.status, query).toBe(400);
    const { error } = (await response.json()) as { error: { field: string; message: string } };
    expect(error.field, query).toBe(field);
    expect(error.message, query).toMatch(message);
  }
  await door.close();
});

const endpointOf = ({ service, method, route }: Pick<PlainCall, 'service' | 'method' | 'route'>) =>
  `${service} ${method} ${route}`;
