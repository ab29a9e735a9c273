import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeTraces, type Span } from '../../collector/otlp/traces-encoder.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';
import { rawCallsOf } from '../support/stored-calls.ts';

/** What extraction's options and odd spans come to, through the real doors: OTLP in, report and metrics out. */
const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(`${folder.path}/rollcall.db`, {
    ROLLCALL_OTLP_GRPC_PORT: '0',
    ROLLCALL_RPC: 'on',
    ROLLCALL_EXCLUDE_ROUTES: '/health*',
  });
  const response = await fetch(`${rollcall.addresses.otlp_http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: encodeTraces([{ attributes: resource, scopes: [{ name: 'test', spans: spans() }] }]),
  });
  expect(response.status).toBe(200);
});

afterAll(async () => {
  await rollcall?.stop();
  folder.remove();
});

const resource = [
  { key: 'service.name', value: 'shop' },
  { key: 'service.instance.id', value: 'shop-1' },
];
const secondNs = 1_000_000_000n;

function spans(): Span[] {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const span = (attributes: Record<string, string | number>, endsInS = -1, tookS = 1): Span => ({
    traceId: Buffer.alloc(16, 1),
    spanId: randomBytes(8),
    name: 'GET',
    kind: 2,
    startTimeUnixNano: nowNs + BigInt(endsInS - tookS) * secondNs,
    endTimeUnixNano: nowNs + BigInt(endsInS) * secondNs,
    attributes: Object.entries(attributes).map(([key, value]) => ({ key, value })),
  });
  const get = { 'http.request.method': 'GET', 'http.response.status_code': 200 };
  return [
    span({ ...get, 'http.route': '/users/<int:id>', 'url.path': '/users/7' }),
    span({ ...get, 'http.route': '^items/(?P<pk>[^/.]+)/$', 'url.path': '/items/9/' }),
    span({ ...get, 'http.route': 'app_user_show', 'url.path': '/user/9' }),
    span({ ...get, 'http.route': '/ws', 'url.path': '/ws' }, -1, 2),
    span({ ...get, 'http.route': '/ws', 'http.response.status_code': 101 }, -1, 3600),
    span({ ...get, 'http.route': '/ahead', 'url.path': '/ahead' }, 300),
    span({ ...get, 'http.route': '/healthz' }),
    span({ ...get, 'http.request.method': 'OPTIONS', 'http.route': '/users/<int:id>' }),
    span({
      'rpc.system.name': 'grpc',
      'rpc.method': 'shop.Cart/AddItem',
      'rpc.response.status_code': 'UNAVAILABLE',
    }),
  ];
}

test('routes as they are kept and as the service spells them, RPC, and sockets without latency', async () => {
  const url = `${rollcall.addresses.analyzer}/api/v1/report?window=24h&sort=route&order=asc`;
  // The span from the future is in no window that ends now.
  const { endpoints } = (await (await fetch(url)).json()) as {
    endpoints: Record<string, string | number>[];
  };
  const rows = endpoints.map(
    ({ method, route, route_display: shown, total_calls: calls, error_5xx_count: errors }) =>
      `${method} ${route} ${shown} ${calls} ${errors}`,
  );
  expect(rows.filter((row) => !row.includes('/ahead')).sort()).toEqual([
    'GET /items/{pk} /items/{pk}/ 1 0',
    'GET /user/{id} app_user_show 1 0',
    'GET /users/{id} /users/<int:id> 1 0',
    'GET /ws /ws 2 0',
    'POST /shop.Cart/AddItem /shop.Cart/AddItem 1 1',
  ]);
  const socket = endpoints.find(({ route }) => route === '/ws');
  expect(socket).toMatchObject({ avg_duration_ms: 2000, max_duration_ms: 2000 });
});

test('the raw calls hold a socket without a duration', () => {
  const sockets = rawCallsOf(`${folder.path}/rollcall.db`).filter(({ route }) => route === '/ws');
  expect(sockets.map(({ status, durationNs }) => [status, durationNs])).toEqual([
    [200, 2e9],
    [101, -1],
  ]);
});

test('what was left out and which clock is ahead is in the metrics, the clock in the log too', async () => {
  const metrics = await (await fetch(`${rollcall.addresses.otlp_http}/metrics`)).text();
  for (const line of [
    'rollcall_spans_total{outcome="excluded",reason="route"} 1',
    'rollcall_spans_total{outcome="excluded",reason="method"} 1',
    'rollcall_spans_total{outcome="stored",reason=""} 7',
    'rollcall_calls_other_total 0',
  ])
    expect(metrics).toContain(`${line}\n`);
  const ahead = /rollcall_clock_ahead_seconds\{service="shop",instance="shop-1"\} (\d+)/.exec(
    metrics,
  );
  expect(Number(ahead?.[1])).toBeGreaterThan(250);
  const logged = rollcall
    .output()
    .split('\n')
    .filter((line) => line.includes('clock is ahead'));
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('shop-1');
});
