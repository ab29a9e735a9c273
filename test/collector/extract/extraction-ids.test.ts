import { describe, expect, test } from 'vitest';
import { ClockSkew } from '../../../collector/extract/clock-skew.ts';
import type { AnyValue } from '../../../collector/otlp/traces-encoder.ts';
import { excludedLatency } from '../../../core/config/values.ts';
import { limits } from '../../../core/limits.ts';
import { callOf, extracting, message, nowMs, nowNs, span } from '../support/extracting.ts';

/**
 * Rules of docs/extraction.md that no other file proves. X1, X8 to X10, X12 and X19 are in extractor.test.ts;
 * X14, X15, X17, X18, X20 in test/core/route/route.test.ts; the table of 2.5 in test/core/route/parse.test.ts.
 */
const get = { 'http.request.method': 'GET', 'url.path': '/users/7', 'http.route': '/users/{id}' };
const secondNs = 1_000_000_000n;

describe('2.1: numbers come as text, doubles and integers, and the first that says something wins', () => {
  test.each<[AnyValue]>([['503'], [{ double: 503 }], [503], [503n]])('status %s', (status) => {
    expect(callOf({ ...get, 'http.response.status_code': status }).status).toBe(503);
    const both = { 'http.response.status_code': '', 'http.status_code': status };
    expect(callOf({ ...get, ...both }).status).toBe(503);
  });

  test.each<[Record<string, AnyValue>, string]>([
    [{ 'http.route': '', 'url.template': '/a/{x}', 'next.route': '/b/[x]' }, '/a/{x}'],
    [{ 'next.route': '/b/[x]' }, '/b/{x}'],
    [{ 'http.route': '/c/:x', 'url.template': '/a/{x}' }, '/c/{x}'],
  ])('the route of %j is %s', (attributes, route) => {
    expect(callOf({ 'http.request.method': 'GET', ...attributes }).route).toBe(route);
  });

  test.each<[Record<string, AnyValue>]>([
    [{ 'url.path': '/a/7', 'http.target': '/b/7' }],
    [{ 'http.target': '/a/7?x=/b', 'url.full': 'http://h/b/7' }],
    [{ 'url.full': 'https://h:8443/a/7?x#y', 'http.url': 'http://h/b/7' }],
    [{ 'http.url': 'http://h/a/7' }],
    [{ 'url.path': '', 'http.target': '/a/7' }],
  ])('the path of %j is /a/7', (attributes) => {
    expect(callOf({ 'http.request.method': 'GET', ...attributes }).route).toBe('/a/{id}');
  });
});

describe('2.1, note 1: RPC server spans', () => {
  const rpc = { 'rpc.system': 'grpc', 'rpc.service': 'shop.Cart', 'rpc.method': 'AddItem' };
  const on = (attributes: Record<string, AnyValue>, name = 'shop.Cart/AddItem') =>
    callOf(attributes, { name }, { rpc: true });

  test('are not counted unless asked for, also those that look like HTTP', () => {
    expect(callOf(rpc).extracted).toMatchObject({ stored: 0, notHttp: 1 });
    expect(callOf({ ...get, ...rpc }).extracted).toMatchObject({ stored: 0, notHttp: 1 });
    expect(on(rpc).extracted).toMatchObject({ stored: 1, notHttp: 0 });
    expect(on({ 'messaging.system': 'kafka' }).extracted).toMatchObject({ stored: 0, notHttp: 1 });
  });

  test.each<[string, Record<string, AnyValue>]>([
    ['old', rpc],
    ['new', { 'rpc.system.name': 'grpc', 'rpc.method': 'shop.Cart/AddItem' }],
    ['both', { ...rpc, 'rpc.method': 'shop.Cart/AddItem' }],
    ['only the name', { 'rpc.system': 'grpc' }],
    ['beside HTTP', { ...get, ...rpc, 'http.request.method': 'GET' }],
  ])('%s names: POST /shop.Cart/AddItem', (_names, attributes) => {
    expect(on(attributes)).toMatchObject({ method: 'POST', route: '/shop.Cart/AddItem' });
  });

  test.each<[AnyValue, number]>([
    [0, 200],
    ['0', 200],
    ['OK', 200],
    [1, 499],
    ['canceled', 499],
    [2, 500],
    [3, 400],
    ['DEADLINE_EXCEEDED', 504],
    [5, 404],
    [7, 403],
    [8, 429],
    [13, 500],
    ['unavailable', 503],
    [16, 401],
    [17, 0],
    ['strange', 0],
  ])('code %j counts as %d', (code, status) => {
    for (const key of ['rpc.response.status_code', 'rpc.status_code', 'rpc.grpc.status_code'])
      expect(on({ ...rpc, [key]: code }).status).toBe(status);
  });

  test('its own code says more than the 200 of the HTTP response that carries it', () => {
    const carried = { ...get, ...rpc, 'http.response.status_code': 200 };
    expect(on({ ...carried, 'rpc.grpc.status_code': 14 })).toMatchObject({
      status: 503,
      errorType: '503',
    });
  });

  test('without a code an error is a 500, as for HTTP (X19)', () => {
    const failed = callOf(rpc, { status: { code: 2 } }, { rpc: true });
    expect(failed).toMatchObject({ status: 500, extracted: { statusAssumed: 1 } });
  });

  test('a method that nobody has makes no endpoint', () => {
    const scan = { ...rpc, 'rpc.service': 'no.Such', 'rpc.grpc.status_code': 12 };
    expect(on(scan)).toMatchObject({ route: '(unmatched)', status: 501 });
    expect(on({ ...rpc, 'rpc.method': '_OTHER' }).route).toBe('(unmatched)');
    expect(on({ 'rpc.system': 'grpc' }, 'POST').route).toBe('(unknown)');
  });

  test('its route may be excluded', () => {
    const health = { ...rpc, 'rpc.service': 'grpc.health.v1.Health', 'rpc.method': 'Check' };
    const config = { rpc: true, excludeRoutes: ['/grpc.health.*'] };
    expect(callOf(health, {}, config).extracted.excluded).toEqual({ method: 0, route: 1 });
  });
});

describe('2.4: the span’s name when there is no route', () => {
  const named = (name: string, path: AnyValue = '/users/7') =>
    callOf({ 'http.request.method': 'GET', 'url.path': path }, { name }).route;

  test.each([
    'GET /users/{user}',
    '/users/:user',
    'HTTP GET /users/:user',
    'GET users/<int:user>/',
  ])('%s is one', (name) => expect(named(name)).toBe('/users/{user}'));

  test.each([
    'GET',
    'HTTP GET',
    'HTTP',
    'HTTP POST route not found',
    'GET <unknown_route>',
    'request',
    'HTTP request',
    'middleware - x',
    '/users/7',
    'GET /users/7',
    'GET /users/7?token=6f1c2b9e-8a53-4f0e-9a7c-3d2b1e0f4a55',
  ])('%s is none', (name) => expect(named(name)).toBe('/users/{id}'));

  test('a name with the query in it is never a route, also without a path', () => {
    const names = ['GET /a?x=1', 'GET /a?id={id}', '/a?uuid=6f1c2b9e-8a53-4f0e-9a7c-3d2b1e0f4a55'];
    for (const name of names) expect(named(name, '')).not.toMatch(/\?|=|6f1c/);
  });
});

test('X5: a proxy and the service behind it both count, each for itself', () => {
  const { extract, called } = extracting();
  const traced = span(get);
  extract(message([traced], { 'service.name': 'nginx' }));
  extract(message([traced], { 'service.name': 'shop' }));
  expect(called().map(({ service, route }) => `${service} ${route}`)).toEqual([
    'nginx /users/{id}',
    'shop /users/{id}',
  ]);
});

describe('X6: functions behind a gateway (AWS Lambda)', () => {
  const of = (attributes: Record<string, AnyValue>) =>
    callOf(
      { 'http.method': 'GET', 'faas.trigger': 'http', ...attributes },
      { name: 'my-function' },
    );

  test('a raw path in http.route is a path', () => {
    const jane = { 'http.route': '/users/jane-doe-the-third-of-them', 'http.status_code': 200 };
    expect(of(jane)).toMatchObject({ route: '/users/{id}', templated: true });
    expect(of({ ...jane, 'http.target': '/users/7' })).toMatchObject({ route: '/users/{id}' });
    expect(of({ ...jane, 'http.status_code': 404 }).route).toBe('(unmatched)');
    const plain = callOf({ 'http.method': 'GET', ...jane, 'url.path': jane['http.route'] });
    expect(plain).toMatchObject({ route: jane['http.route'], templated: false });
  });

  test('the gateway’s own template stands', () => {
    const attributes = { 'http.route': '/users/{user}', 'url.path': '/users/7' };
    expect(of(attributes)).toMatchObject({ route: '/users/{user}', templated: false });
  });

  test('a greedy {proxy+} says nothing of the routes behind it', () => {
    const behind = { 'http.route': '/{proxy+}', 'url.path': '/users/7' };
    expect(of(behind)).toMatchObject({ route: '/users/{id}', templated: true });
    expect(of({ ...behind, 'http.status_code': 404 }).route).toBe('(unmatched)');
    expect(of({ 'http.route': '/{proxy+}' }).route).toBe('/{proxy}');
  });

  test('one that says nothing of HTTP is no call', () => {
    const { extracted } = callOf({ 'faas.trigger': 'timer', 'faas.execution': 'x' });
    expect(extracted).toMatchObject({ stored: 0, notHttp: 1 });
  });
});

describe('X7: how long a connection stayed open is no latency', () => {
  const socket = { ...get, 'http.response.status_code': 101 };
  const stream = { ...get, 'http.response.header.content-type': { array: ['text/event-stream'] } };
  const durations = (text?: string) => {
    const config = text === undefined ? {} : { excludeLatency: excludedLatency(text) };
    return [get, socket, stream].map((attributes) => callOf(attributes, {}, config).durationNs);
  };

  test.each<[string, Record<string, AnyValue>]>([
    // open-telemetry/opentelemetry-python-contrib#505, #1197: ASGI says no method, and 200 or no status.
    ['ASGI, old names', { 'http.scheme': 'ws', 'http.url': 'ws://h/rooms/9/ws' }],
    ['ASGI, new names', { 'url.scheme': 'wss', 'url.path': '/rooms/9/ws' }],
    ['a URL alone', { 'url.full': 'wss://h/rooms/9/ws' }],
    [
      'an Upgrade header',
      {
        'http.request.method': 'GET',
        'url.path': '/rooms/9/ws',
        'http.request.header.upgrade': { array: ['websocket'] },
      },
    ],
    ['status 101', { 'url.path': '/rooms/9/ws', 'http.response.status_code': 101 }],
  ])('a WebSocket is a GET without a latency: %s', (_, attributes) => {
    const route = { 'http.route': '/rooms/{room}/ws' };
    const name = '/rooms/{room}/ws';
    const open = callOf({ ...attributes, ...route }, { name });
    expect(open).toMatchObject({ method: 'GET', route: '/rooms/{room}/ws', durationNs: -1 });
    const answered = { ...route, 'http.status_code': 200, ...attributes };
    expect(callOf(answered, { name }).durationNs).toBe(-1);
  });

  test('a refused handshake took as long as it says', () => {
    const refused = { 'url.scheme': 'ws', 'url.path': '/ws', 'http.response.status_code': 403 };
    expect(callOf(refused)).toMatchObject({ method: 'GET', durationNs: 20_000_000 });
  });

  test.each<[string, Record<string, AnyValue>, number]>([
    // lokalise/shared-ts-libs#1123, Wave-RF/WaveHouse#421: the request's header was captured.
    ['accepts a stream', { 'http.request.header.accept': { array: ['text/event-stream'] } }, -1],
    ['accepts a stream, as text', { 'http.request.header.accept': 'text/event-stream' }, -1],
    // MCP's clients: every POST accepts both, and mostly JSON comes.
    [
      'accepts JSON too',
      { 'http.request.header.accept': 'application/json, text/event-stream' },
      20_000_000,
    ],
    [
      'accepts a stream and gets JSON',
      {
        'http.request.header.accept': 'text/event-stream',
        'http.response.header.content-type': 'application/json',
      },
      20_000_000,
    ],
    [
      'is a camera',
      { 'http.response.header.content-type': 'multipart/x-mixed-replace; boundary=f' },
      -1,
    ],
  ])('a call that %s', (_, attributes, durationNs) => {
    expect(callOf({ ...get, ...attributes }).durationNs).toBe(durationNs);
    const refused = { ...get, ...attributes, 'http.response.status_code': 503 };
    expect(callOf(refused).durationNs).toBe(20_000_000);
  });

  test('WebSockets and event streams are calls without one, unless it is asked for', () => {
    expect(durations()).toEqual([20_000_000, -1, -1]);
    expect(durations('none')).toEqual([20_000_000, 20_000_000, 20_000_000]);
    expect(durations('upgrades')).toEqual([20_000_000, -1, 20_000_000]);
    expect(durations('streams')).toEqual([20_000_000, 20_000_000, -1]);
    expect(callOf(socket).extracted.stored).toBe(1);
  });

  test('very long calls too, when told what is long', () => {
    const of = (startTimeUnixNano: bigint) =>
      callOf(get, { startTimeUnixNano }, { excludeLatency: excludedLatency('5m') }).durationNs;
    const endNs = nowNs - secondNs;
    expect(of(endNs - 300n * secondNs)).toBe(300e9);
    expect(of(endNs - 300n * secondNs - 1n)).toBe(-1);
  });

  test('another type of content changes nothing', () => {
    const page = { ...get, 'http.response.header.content_type': 'text/html' };
    expect(callOf(page).durationNs).toBe(20_000_000);
  });
});

describe('X11: clocks that are ahead', () => {
  const ending = (aheadS: number) =>
    span(get, { endTimeUnixNano: nowNs + BigInt(aheadS) * secondNs });
  const resource = { 'service.name': 'shop', 'service.instance.id': 'shop-1', 'host.name': 'h' };

  test('an instance is named with the most it was ahead, once a resource', () => {
    const { extract } = extracting();
    const { clocksAhead, stored, rejected } = extract(
      message([ending(-1), ending(5), ending(90), ending(30)], resource),
    );
    expect(clocksAhead).toEqual([{ service: 'shop', instance: 'shop-1', aheadS: 90 }]);
    expect({ stored, rejected }).toMatchObject({ stored: 4, rejected: { future: 0 } });
    const host = extract(message([ending(60)], { 'host.name': 'h' })).clocksAhead;
    expect(host).toEqual([{ service: 'unknown_service', instance: 'h', aheadS: 60 }]);
  });

  test('also when its spans are refused for it', () => {
    const { extract } = extracting();
    const { clocksAhead, rejected } = extract(message([ending(limits.futureS + 60)], resource));
    expect(clocksAhead).toMatchObject([{ aheadS: limits.futureS + 60 }]);
    expect(rejected.future).toBe(1);
  });

  test('a second is nobody’s fault', () => {
    const { extract } = extracting();
    expect(extract(message([ending(0), ending(1)], resource)).clocksAhead).toEqual([]);
  });

  test('each is told once an hour, and forgotten when it was right for an hour', () => {
    let atMs = nowMs;
    const clocks = new ClockSkew(() => atMs);
    const found = { service: 'shop', instance: 'a', aheadS: 5 };
    expect([clocks.note(found), clocks.note({ ...found, aheadS: 7 })]).toEqual([true, false]);
    expect(clocks.note({ ...found, instance: 'b' })).toBe(true);
    expect(clocks.current().map(({ instance, aheadS }) => `${instance} ${aheadS}`)).toEqual([
      'a 7',
      'b 5',
    ]);
    atMs += 3_500_000;
    expect(clocks.note(found)).toBe(false);
    atMs += 100_000;
    expect(clocks.current()).toEqual([found]);
    expect(clocks.note(found)).toBe(true);
  });

  test('they are bounded; the rest share one name', () => {
    const clocks = new ClockSkew(() => nowMs);
    for (let i = 0; i < limits.clocksAhead + 50; i += 1)
      clocks.note({ service: 'shop', instance: String(i), aheadS: i });
    expect(clocks.current()).toHaveLength(limits.clocksAhead + 1);
    expect(clocks.current().at(-1)).toEqual({ service: '{other}', instance: '', aheadS: 149 });
  });
});

describe('X12: without ids', () => {
  test('spans with zero or no ids are all counted', () => {
    const { extract } = extracting();
    const zero = { traceId: Buffer.alloc(16), spanId: Buffer.alloc(8) };
    const none = { traceId: Buffer.alloc(0), spanId: Buffer.alloc(0) };
    const spans = [zero, zero, none, none].map((ids) => span(get, ids));
    expect(extract(message(spans)).stored).toBe(4);
  });
});

describe('scanners', () => {
  const tried = (n: number, status: number, attributes: Record<string, AnyValue> = {}) =>
    span({
      'http.request.method': ['GET', 'POST', 'PUT'][n % 3]!,
      'url.path': `/${['admin', 'backup', 'shell'][n % 3]}${String.fromCharCode(97 + (n % 26))}/x.php`,
      'http.response.status_code': status,
      ...attributes,
    });

  test('make no endpoint of what is not there, whatever catches it', () => {
    const { extract, called } = extracting();
    const catches = [{}, { 'http.route': '/*' }, { 'http.route': '*' }, { 'http.route': '/admin' }];
    const spans = Array.from({ length: 600 }, (_, n) =>
      tried(n, n % 2 === 0 ? 404 : 405, catches[n % catches.length]),
    );
    extract(message(spans));
    const endpoints = new Set(called().map(({ method, route }) => `${method} ${route}`));
    expect([...endpoints].sort()).toEqual(['GET', 'POST', 'PUT'].map((m) => `${m} (unmatched)`));
  });

  test.each([
    [200, undefined],
    [301, true],
    [304, undefined],
    [400, true],
    [401, true],
    [403, true],
    [409, undefined],
    [422, undefined],
    [429, true],
    [500, undefined],
  ])('a made-up route with status %d: refused is %s', (status, refused) => {
    const { extract, called } = extracting();
    extract(message([tried(0, status), tried(0, status, { 'http.route': '/told' })]));
    const [made] = called();
    expect(made).toMatchObject({ route: '/admina/x.php', templated: true });
    expect(made!.refused).toBe(refused);
  });

  test('a route that the service tells is never refused', () => {
    expect(callOf({ ...get, 'http.response.status_code': 401 }).refused).toBeUndefined();
  });
});

test('X22: what is said of the server, the scheme and the sampling changes nothing', () => {
  const odd: Record<string, AnyValue>[] = [
    { 'server.address': 'shop', 'url.scheme': '' },
    { 'server.address': 'localhost:8080', 'server.port': '8080' },
    { 'http.server_name': 'a, b', 'http.host': 'h:1' },
    { 'client.address': '127.0.0.1:51234', 'http.response.status_code': '200' },
  ];
  for (const attributes of odd) {
    const call = callOf({ ...get, 'http.response.status_code': 200, ...attributes });
    expect(call).toMatchObject({ method: 'GET', route: '/users/{id}', status: 200 });
    expect(call.client).toBe('client.address' in attributes ? '127.0.0.1' : '');
  }
});
