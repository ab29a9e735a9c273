import { describe, expect, test } from 'vitest';
import {
  type AnyValue,
  encodeTraces,
  type Span,
} from '../../../../collector/otlp/traces-encoder.ts';
import { CallBatch } from '../../../../core/call.ts';
import { calledOf } from '../../support/called.ts';
import { extracting, message, nowNs, span } from '../../support/extracting.ts';

const local = 0x101;
const remote = 0x301;
const ms = 1_000_000n;

const id = (number: number) => Buffer.from(number.toString(16).padStart(16, '0'), 'hex');
const trace = (number: number) => Buffer.from(number.toString(16).padStart(32, 'a'), 'hex');

const get = {
  'http.request.method': 'GET',
  'url.path': '/users/7',
  'http.response.status_code': 200,
};
const routed = { ...get, 'http.route': '/users/:id' };

/** A span of trace 1 that lasted from one millisecond to another, a minute ago. */
function at(
  own: number,
  parent: number | undefined,
  flags: number,
  [from, to]: [number, number],
  attributes: Record<string, AnyValue>,
  change: Partial<Omit<Span, 'attributes'>> = {},
): Span {
  const start = nowNs - 60_000n * ms;
  return span(attributes, {
    traceId: trace(1),
    spanId: id(own),
    ...(parent !== undefined && { parentSpanId: id(parent) }),
    flags,
    startTimeUnixNano: start + BigInt(from) * ms,
    endTimeUnixNano: start + BigInt(to) * ms,
    ...change,
  });
}

const internal = { kind: 1, name: 'middleware' };

/** What was counted of requests that come one after another, as `method route status duration`. */
function counted(...requests: Buffer[]) {
  const { extract, called } = extracting();
  const extracted = requests.map((request) => extract(request));
  const calls = called().map(
    ({ method, route, status, durationNs }) => `${method} ${route} ${status} ${durationNs / 1e6}`,
  );
  return { calls, extracted };
}

/** One request in which spans stand in scopes of their own. */
function scopes(resource: Record<string, AnyValue>, ...each: [string, Span[]][]): Buffer {
  const attributes = Object.entries(resource).map(([key, value]) => ({ key, value }));
  return encodeTraces([{ attributes, scopes: each.map(([name, spans]) => ({ name, spans })) }]);
}

describe('X2: SERVER spans within a SERVER span of the same process', () => {
  const outer = at(1, undefined, local, [0, 20], get);
  const inner = at(2, 1, local, [1, 19], { ...routed, 'http.response.status_code': 201 });

  test('are one call: time and status of the outer, the route of the inner', () => {
    for (const spans of [
      [inner, outer],
      [outer, inner],
    ]) {
      const { calls, extracted } = counted(message(spans));
      expect(calls).toEqual(['GET /users/{id} 200 20']);
      expect(extracted[0]).toMatchObject({ stored: 1, duplicate: { nested: 1, sibling: 0 } });
    }
  });

  test('a status that the outer lacks is the inner’s', () => {
    const { 'http.response.status_code': _, ...bare } = get;
    const { calls } = counted(message([inner, at(1, undefined, local, [0, 20], bare)]));
    expect(calls).toEqual(['GET /users/{id} 201 20']);
  });

  test('a route of the outer stands', () => {
    const whole = at(1, undefined, local, [0, 20], { ...get, 'http.route': '/users/{user}' });
    expect(counted(message([inner, whole])).calls).toEqual(['GET /users/{user} 200 20']);
  });

  test('client and origin are the outer’s', () => {
    const { extract, called } = extracting();
    const outerOf = { ...get, 'client.address': '10.0.0.1', 'user_agent.original': 'curl/8' };
    const innerOf = { ...routed, 'client.address': '10.0.0.2', 'http.client_ip': '10.0.0.3' };
    extract(
      message([at(2, 1, local, [1, 19], innerOf), at(1, undefined, local, [0, 20], outerOf)]),
    );
    expect(called()).toMatchObject([{ client: '10.0.0.1', agent: 'curl', route: '/users/{id}' }]);
  });

  test('with INTERNAL spans between, and several of them', () => {
    const { calls, extracted } = counted(
      message([
        at(5, 4, local, [3, 17], routed),
        at(4, 3, local, [2, 18], {}, internal),
        at(3, 2, local, [2, 18], get),
        at(2, 1, local, [1, 19], {}, internal),
        at(1, 9, remote, [0, 20], get),
      ]),
    );
    expect(calls).toEqual(['GET /users/{id} 200 20']);
    expect(extracted[0]).toMatchObject({ stored: 1, notServer: 2, duplicate: { nested: 2 } });
  });

  test.each([
    ['a Lambda’s SERVER span without HTTP', { 'faas.trigger': 'other' }, { kind: 2 }],
    ['a CONSUMER', {}, { kind: 5 }],
    ['an INTERNAL root', {}, internal],
  ])('%s is no call: what is within it counts', (_, attributes, change) => {
    const { calls } = counted(
      message([inner, at(1, undefined, local, [0, 20], attributes, change)]),
    );
    expect(calls).toEqual(['GET /users/{id} 201 18']);
  });

  test('spans of another trace or without ids are calls of their own (X12)', () => {
    const other = at(1, undefined, local, [0, 20], get, { traceId: trace(2) });
    expect(counted(message([inner, other])).calls.length).toBe(2);
    const none = { spanId: Buffer.alloc(8), parentSpanId: Buffer.alloc(8) };
    const zeros = at(0, 0, local, [0, 20], routed, none);
    expect(counted(message([zeros, zeros])).calls.length).toBe(2);
  });

  test('parents in a circle are calls', () => {
    const circle = [at(1, 2, local, [0, 20], routed), at(2, 1, local, [0, 20], routed)];
    expect(counted(message(circle)).calls.length).toBeGreaterThan(0);
    expect(counted(message([at(1, 1, local, [0, 20], routed)])).calls.length).toBe(1);
    const internals = [
      at(1, 2, local, [0, 20], routed),
      at(2, 3, local, [0, 20], {}, internal),
      at(3, 2, local, [0, 20], {}, internal),
    ];
    expect(counted(message(internals)).calls.length).toBe(1);
  });

  test('in two requests they are one call, whichever comes first', () => {
    const [a, b] = [message([inner]), message([outer])];
    const first = counted(a, b);
    expect(first.calls).toEqual(['GET /users/{id} 201 18']);
    expect(first.extracted[1]).toMatchObject({ stored: 0, duplicate: { nested: 1 } });
    // The other way round it takes a service that is known for it.
    const known = message([inner, outer].map((one) => ({ ...one, traceId: trace(7) })));
    expect(counted(known, b, a).calls.slice(1)).toEqual(['GET /users/{id} 200 20']);
  });

  test('in two requests with the INTERNAL span between in the first, the second, or neither', () => {
    const deep = at(3, 2, local, [1, 19], routed);
    const between = at(2, 1, local, [1, 19], {}, internal);
    for (const [a, b] of [
      [[deep, between], [outer]],
      [[deep], [between, outer]],
      [[deep], [outer]],
    ]) {
      expect(counted(message(a!), message(b!)).calls).toEqual(['GET /users/{id} 200 18']);
    }
  });

  test('calls below one local parent that never comes are calls of their own', () => {
    // A service may keep a span open for as long as it runs: all its calls are below it.
    const below = (own: number, times: [number, number]) =>
      message([at(own, 99, local, times, get)]);
    const requests = [below(1, [0, 90]), below(2, [10, 20]), below(3, [0, 100])];
    expect(counted(...requests).calls.length).toBe(3);
    expect(counted(...requests, requests[0]!, requests[1]!).calls.length).toBe(3);
    expect(counted(Buffer.concat(requests)).calls.length).toBe(3);
  });

  test('only of one project', () => {
    const { extract, batch } = extracting();
    extract(message([inner]), 'a');
    extract(message([outer]), 'b');
    expect(batch.length).toBe(2);
  });
});

describe('X3: without the flag a parent is in this process when it is of this service', () => {
  const resource = { 'service.name': 'shop' };
  const outer = at(1, undefined, 0, [0, 20], get);
  const inner = at(2, 1, 0, [1, 19], routed);

  test('in one request', () => {
    expect(counted(message([inner, outer], resource)).calls).toEqual(['GET /users/{id} 200 20']);
  });

  test('in two requests', () => {
    const requests = [message([inner], resource), message([outer], resource)];
    expect(counted(...requests).calls).toEqual(['GET /users/{id} 200 18']);
  });

  test('a parent that is elsewhere is none of ours', () => {
    const { calls } = counted(
      message([inner], resource),
      message([outer], { 'service.name': 'web' }),
    );
    expect(calls.length).toBe(2);
  });
});

describe('X4: Ruby’s span of the server in front', () => {
  const proxy = at(1, 9, 0, [0, 20], {}, { name: 'http_server.proxy' });

  test('its INTERNAL child is the call', () => {
    const { calls, extracted } = counted(
      message([at(2, 1, 0, [5, 20], routed, { kind: 1, name: 'GET' }), proxy]),
    );
    expect(calls).toEqual(['GET /users/{id} 200 15']);
    expect(extracted[0]).toMatchObject({ stored: 1, notServer: 0, notHttp: 1 });
  });

  test('the next request has no such child', () => {
    const child = at(2, 1, 0, [5, 20], routed, { kind: 1, name: 'GET' });
    const { extracted } = counted(
      message([child, proxy]),
      message([at(3, undefined, local, [0, 20], get)]),
    );
    expect(extracted[1]).toMatchObject({ stored: 1, notServer: 0, notHttp: 0 });
  });

  test('by name only, and only a child with HTTP attributes', () => {
    const child = at(2, 1, 0, [5, 20], routed, { kind: 1, name: 'GET' });
    const other = { ...proxy, name: 'http_server.queue' };
    expect(counted(message([child, other])).calls).toEqual([]);
    expect(counted(message([{ ...child, attributes: [] }, proxy])).calls).toEqual([]);
  });
});

describe('X5: a proxy and an application are two services, each with its call', () => {
  test.each([remote, 0])('flags %d', (flags) => {
    const attributes = (name: string) => [{ key: 'service.name', value: name }];
    const request = encodeTraces([
      {
        attributes: attributes('nginx'),
        scopes: [{ name: 'a', spans: [at(1, 9, flags, [0, 20], routed)] }],
      },
      {
        attributes: attributes('shop'),
        scopes: [{ name: 'a', spans: [at(2, 1, flags, [1, 19], routed)] }],
      },
    ]);
    expect(counted(request).calls.length).toBe(2);
    expect(counted(request, request).calls.length).toBe(2);
  });

  test('a service that calls itself over the network answers two calls', () => {
    const client = at(2, 1, local, [1, 19], {}, { kind: 3 });
    const spans = [at(3, 2, remote, [2, 18], routed), client, at(1, 9, remote, [0, 20], routed)];
    expect(counted(message(spans)).calls.length).toBe(2);
  });
});

describe('X14: what is behind a mount an INTERNAL span may tell', () => {
  const path = '/api/v1/things/9';
  const mounted = at(1, undefined, local, [0, 20], {
    ...get,
    'url.path': path,
    'http.route': '/api/v1',
  });
  const tells = (route: string) => at(2, 1, local, [1, 19], { 'http.route': route }, internal);

  test('joined to the mount it takes the whole path', () => {
    const { calls, extracted } = counted(message([tells('/things/{thing_id}'), mounted]));
    expect(calls).toEqual(['GET /api/v1/things/{thing_id} 200 20']);
    expect(extracted[0]).toMatchObject({ stored: 1, notServer: 1 });
  });

  test.each(['/other/{id}', '/', '*', '/{*splat}', '/things'])('%s does not', (route) => {
    expect(counted(message([tells(route), mounted])).calls).toEqual([
      'GET /api/v1/things/{id} 200 20',
    ]);
  });

  test('of several the most literal one', () => {
    const spans = [tells('/{kind}/{id}'), tells('/things/{thing}'), tells('/{path:path}'), mounted];
    expect(counted(message(spans)).calls).toEqual(['GET /api/v1/things/{thing} 200 20']);
  });

  test('not one of another trace or another service', () => {
    const elsewhere = { ...tells('/things/{t}'), traceId: trace(5) };
    expect(counted(message([elsewhere, mounted])).calls).toEqual([
      'GET /api/v1/things/{id} 200 20',
    ]);
  });
});

describe('X18, X25: an INTERNAL span says more than the route that covers a prefix', () => {
  const spans = (route: string, path: string, status: number, tells: string) => [
    at(2, 1, local, [1, 19], { 'http.route': tells }, internal),
    at(1, undefined, local, [0, 20], {
      'http.request.method': 'GET',
      'url.path': path,
      'http.route': route,
      'http.response.status_code': status,
    }),
  ];

  test('a handler below a mount answers its own 404 (FastAPI mounts, Prefect)', () => {
    const own = spans('/api', '/api/flows/9', 404, '/flows/{id}');
    expect(counted(message(own)).calls).toEqual(['GET /api/flows/{id} 404 20']);
    const full = spans('/api', '/api/flows/9', 404, '/api/flows/{id}');
    expect(counted(message(full)).calls).toEqual(['GET /api/flows/{id} 404 20']);
  });

  test.each(['/other/{id}', '/api', '*', '/{path:path}'])(
    'a 404 below a mount that %s does not name is unmatched',
    (tells) => {
      const scanned = spans('/api', '/api/wp-login.php', 404, tells);
      expect(counted(message(scanned)).calls).toEqual(['GET (unmatched) 404 20']);
    },
  );

  test('a 405 is unmatched, whatever a span names', () => {
    const refused = spans('/api', '/api/flows/9', 405, '/flows/{id}');
    expect(counted(message(refused)).calls).toEqual(['GET (unmatched) 405 20']);
  });

  test('behind a route that ends in a parameter', () => {
    const mounted = spans('/t/{tenant}', '/t/acme/things/9', 200, '/things/{id}');
    expect(counted(message(mounted)).calls).toEqual(['GET /t/{tenant}/things/{id} 200 20']);
    const files = spans('/t/{tenant}', '/t/acme/things/9', 200, '/other');
    expect(counted(message(files)).calls).toEqual(['GET /t/{tenant} 200 20']);
  });
});

describe('X27: a sidecar under the service’s own name', () => {
  // Istio and Envoy: the sidecar's span is the direct parent, without a CLIENT span between.
  const shop = (name: string) => [
    { key: 'service.name', value: 'shop' },
    { key: 'telemetry.sdk.name', value: name },
  ];
  const request = (sdk: string, ...spans: Span[]) =>
    encodeTraces([{ attributes: shop(sdk), scopes: [{ name: sdk, spans }] }]);
  const sidecar = (parent: number | undefined) => at(1, parent, remote, [0, 22], get);
  const app = at(2, 1, remote, [1, 20], { ...routed, 'http.response.status_code': 201 });

  test.each([undefined, 9])(
    'in one request: the sidecar’s time, the route (parent %s)',
    (parent) => {
      const spans = [sidecar(parent), app];
      for (const order of [spans, spans.toReversed()]) {
        const both = Buffer.concat(order.map((one) => request(one === app ? 'app' : 'envoy', one)));
        const { calls, extracted } = counted(both);
        expect(calls).toEqual(['GET /users/{id} 200 22']);
        expect(extracted[0]).toMatchObject({ stored: 1, duplicate: { nested: 1 } });
      }
    },
  );

  test.each([undefined, 9])('in two requests, whichever comes first (parent %s)', (parent) => {
    const [a, b] = [request('envoy', sidecar(parent)), request('app', app)];
    expect(counted(a, b).calls).toEqual(['GET /users/{id} 200 22']);
    expect(counted(b, a).calls).toEqual(['GET /users/{id} 201 19']);
    // Sent again it says the same again.
    expect(counted(a, b, b).calls.length).toBe(1);
  });

  test('with an inner span of the application, which has two siblings', () => {
    const framework = at(3, 1, remote, [2, 19], routed);
    const three = [
      request('envoy', sidecar(9)),
      encodeTraces([
        {
          attributes: shop('app'),
          scopes: [
            { name: 'server', spans: [app] },
            { name: 'framework', spans: [framework] },
          ],
        },
      ]),
    ];
    expect(counted(...three).calls.length).toBe(1);
    expect(counted(Buffer.concat(three)).calls.length).toBe(1);
  });

  test.each<[string, Span]>([
    ['another path', at(2, 1, remote, [1, 20], { ...routed, 'url.path': '/users/8' })],
    ['another method', at(2, 1, remote, [1, 20], { ...routed, 'http.request.method': 'PUT' })],
    ['a longer time', at(2, 1, remote, [1, 60], routed)],
  ])('%s: a service that calls itself answers two calls', (_, inner) => {
    const [a, b] = [request('envoy', sidecar(9)), request('app', inner)];
    expect(counted(Buffer.concat([a, b])).calls.length).toBe(2);
    expect(counted(a, b).calls.length).toBe(2);
    expect(counted(b, a).calls.length).toBe(2);
  });
});

describe('X16: siblings under one remote parent', () => {
  const server = at(1, 9, remote, [0, 20], get);
  const framework = at(2, 9, remote, [1, 19], { ...routed, 'http.response.status_code': 201 });

  test('are one call: the outer’s time, the inner’s route', () => {
    const inner: [string, Span[]] = ['framework', [framework]];
    const outer: [string, Span[]] = ['server', [server]];
    for (const request of [scopes({}, inner, outer), scopes({}, outer, inner)]) {
      const { calls, extracted } = counted(request);
      expect(calls).toEqual(['GET /users/{id} 200 20']);
      expect(extracted[0]).toMatchObject({ stored: 1, duplicate: { nested: 0, sibling: 1 } });
    }
  });

  test('the inner one may end up to a millisecond later: the JS SDK starts spans on whole ones', () => {
    const ending = (endMs: number) => {
      const inner = at(2, 9, remote, [21, endMs], routed);
      return counted(scopes({}, ['framework', [inner]], ['server', [server]])).calls;
    };
    // As @hono/otel below instrumentation-http: 0.1 ms in truth, the outer's last (npm run interop).
    expect(ending(21)).toEqual(['GET /users/{id} 200 20']);
    expect(ending(22).length).toBe(2);
  });

  test('one after the other they are two calls: a client that retries', () => {
    const again = at(2, 9, remote, [20, 40], routed);
    expect(counted(message([server, at(2, 9, remote, [21, 40], routed)])).calls.length).toBe(2);
    expect(counted(message([at(1, 9, remote, [0, 30], get), again])).calls.length).toBe(2);
  });

  test.each([
    ['path', { ...routed, 'url.path': '/users/8' }],
    ['method', { ...routed, 'http.request.method': 'PUT' }],
  ])('with another %s they are two calls', (_, attributes) => {
    expect(counted(message([at(2, 9, remote, [1, 19], attributes), server])).calls.length).toBe(2);
  });

  test('from two ports of the client they are two calls at once, whatever their scopes', () => {
    const from = (own: number, times: [number, number], port: number) =>
      at(own, 9, remote, times, { ...routed, 'network.peer.port': port });
    const request = (port: number): [string, Span[]][] => [
      ['framework', [from(2, [1, 19], port)]],
      ['server', [from(1, [0, 20], 4001)]],
    ];
    expect(counted(scopes({}, ...request(4002))).calls.length).toBe(2);
    expect(counted(scopes({}, ...request(4001))).calls.length).toBe(1);
  });

  test('of one scope they are one call only on one connection of HTTP/1', () => {
    const pair = (connection: Record<string, AnyValue>) =>
      counted(
        message([
          at(2, 9, remote, [1, 19], { ...routed, ...connection }),
          at(1, 9, remote, [0, 20], { ...routed, ...connection }),
        ]),
      ).calls.length;
    // Instrumentation that is set up twice: one connection of HTTP/1 carries one call at a time.
    expect(pair({ 'network.peer.port': 4001, 'network.protocol.version': '1.1' })).toBe(1);
    expect(pair({ 'net.peer.port': 4001, 'http.flavor': '1.1' })).toBe(1);
    expect(pair({ 'network.peer.port': 4001, 'network.protocol.version': '2' })).toBe(2);
    expect(pair({ 'network.peer.port': 4001 })).toBe(2);
    expect(pair({ 'network.protocol.version': '1.1' })).toBe(2);
  });

  test('of two instances they are two calls', () => {
    const instance = (name: string) => [{ key: 'service.instance.id', value: name }];
    const request = encodeTraces([
      { attributes: instance('a'), scopes: [{ name: 's', spans: [server] }] },
      { attributes: instance('b'), scopes: [{ name: 'f', spans: [framework] }] },
    ]);
    expect(counted(request).calls.length).toBe(2);
  });

  test('two calls at once, each of a server and a framework', () => {
    const servers = [server, at(3, 9, remote, [5, 15], get)];
    const frameworks = [framework, at(4, 9, remote, [6, 14], routed)];
    const { calls } = counted(scopes({}, ['framework', frameworks], ['server', servers]));
    expect(calls).toEqual(['GET /users/{id} 200 20', 'GET /users/{id} 200 10']);
  });

  test('in two requests they are one call, once the service is known for it', () => {
    const known = scopes(
      {},
      ['framework', [{ ...framework, traceId: trace(7) }]],
      ['server', [{ ...server, traceId: trace(7) }]],
    );
    const [a, b] = [scopes({}, ['framework', [framework]]), scopes({}, ['server', [server]])];
    expect(counted(known, a, b).calls.slice(1)).toEqual(['GET /users/{id} 201 18']);
    expect(counted(known, b, a).calls.slice(1)).toEqual([
      'GET /users/7 200 20'.replace('7', '{id}'),
    ]);
    const later = scopes({}, ['framework', [at(2, 9, remote, [21, 30], routed)]]);
    expect(counted(known, b, later).calls.length).toBe(3);
  });
});

describe('a request that comes again', () => {
  const inner = message([at(2, 1, local, [1, 19], routed)]);
  const outer = message([at(1, undefined, local, [0, 20], get)]);

  test('counts nothing again: every one of its spans was counted, or is of a call that was', () => {
    const { extracted } = counted(inner, outer, inner, outer, inner);
    expect(extracted.map(({ stored }) => stored)).toEqual([1, 0, 0, 0, 0]);
  });

  test('after a commit that failed it counts, and what relied on it does not', () => {
    const { extractor } = extracting();
    const stored = (body: Buffer, batch: CallBatch) => extractor.extract('p', body, batch).stored;
    const failed = new CallBatch();
    expect(stored(inner, failed)).toBe(1);
    // Acknowledged already: nothing of it had to be stored.
    expect(stored(outer, new CallBatch())).toBe(0);
    extractor.forget(failed);
    expect(stored(inner, new CallBatch())).toBe(1);
    expect(stored(outer, new CallBatch())).toBe(0);
  });

  test('after a commit that failed, without it, the other span counts', () => {
    const { extractor } = extracting();
    const failed = new CallBatch();
    extractor.extract('p', inner, failed);
    extractor.forget(failed);
    expect(extractor.extract('p', outer, new CallBatch()).stored).toBe(1);
    expect(extractor.extract('p', inner, new CallBatch()).stored).toBe(0);
  });

  test('a request that is refused is not remembered', () => {
    const { extract, batch } = extracting();
    const broken = Buffer.concat([inner, Buffer.from([0x0a, 0x7f])]);
    expect(() => extract(broken)).toThrow(/malformed/);
    extract(outer);
    expect(batch.length).toBe(1);
  });
});

describe('joins never cross projects', () => {
  const shop = { 'service.name': 'shop' };
  const framework = at(2, 9, remote, [1, 19], routed);
  const server = at(1, 9, remote, [0, 20], get);
  const asOf = (number: number, one: Span): Span => ({ ...one, traceId: trace(number) });
  const known = [
    scopes(
      shop,
      ['framework', [asOf(7, framework)]],
      ['server', [asOf(7, server)]],
      [
        'local',
        [asOf(8, at(2, 1, local, [1, 19], routed)), asOf(8, at(1, undefined, local, [0, 20], get))],
      ],
    ),
  ];
  const flat = (one: Span) => message([one], shop);

  // Each pair is one call in one project: the second request brings nothing to store.
  test.each<[string, Buffer, Buffer]>([
    [
      'X2, the inner span first',
      flat(at(2, 1, local, [1, 19], routed)),
      flat(at(1, undefined, local, [0, 20], get)),
    ],
    [
      'X2, the outer span first',
      flat(at(1, undefined, local, [0, 20], get)),
      flat(at(2, 1, local, [1, 19], routed)),
    ],
    [
      'X3, by the name of the service',
      flat(at(2, 1, 0, [1, 19], routed)),
      flat(at(1, undefined, 0, [0, 20], get)),
    ],
    [
      'X16, the framework first',
      scopes(shop, ['framework', [framework]]),
      scopes(shop, ['server', [server]]),
    ],
    [
      'X16, the server first',
      scopes(shop, ['server', [server]]),
      scopes(shop, ['framework', [framework]]),
    ],
    ['the same span', flat(server), Buffer.concat([flat(server), message([], shop)])],
  ])('%s', (_, one, other) => {
    const stored = (projects: [string, string]) => {
      const { extract } = extracting();
      // Both projects have a service of that name whose calls have several spans.
      for (const project of ['a', 'b']) for (const request of known) extract(request, project);
      return [extract(one, projects[0]).stored, extract(other, projects[1]).stored];
    };
    expect(stored(['a', 'a'])).toEqual([1, 0]);
    expect(stored(['a', 'b'])).toEqual([1, 1]);
    expect(stored(['b', 'a'])).toEqual([1, 1]);
  });
});

describe('X16: the ingest batch ends between the siblings of one call', () => {
  const [a, b] = [1, 2].map((number) => trace(number + 20));
  const pair = (traceId: Buffer) => ({
    framework: scopes({}, ['framework', [{ ...at(2, 9, remote, [1, 19], routed), traceId }]]),
    server: scopes({}, ['server', [{ ...at(1, 9, remote, [0, 20], get), traceId }]]),
  });
  /** An extractor that knows that calls of the service have two spans. */
  const knowing = () => {
    const { extractor } = extracting();
    const known = new CallBatch();
    const both: [string, Span[]][] = [
      ['framework', [{ ...at(2, 9, remote, [1, 19], routed), traceId: trace(19) }]],
      ['server', [{ ...at(1, 9, remote, [0, 20], get), traceId: trace(19) }]],
    ];
    expect(extractor.extract('p', scopes({}, ...both), known).stored).toBe(1);
    extractor.committed(known);
    return extractor;
  };

  test.each(['framework', 'server'] as const)('after the %s: one call', (first) => {
    const extractor = knowing();
    const second = first === 'framework' ? 'server' : 'framework';
    const batches = [new CallBatch(), new CallBatch()];
    expect(extractor.extract('p', pair(a!)[first], batches[0]!).stored).toBe(1);
    extractor.committed(batches[0]!);
    const { stored, duplicate } = extractor.extract('p', pair(a!)[second], batches[1]!);
    expect([stored, duplicate]).toEqual([0, { nested: 0, sibling: 1, same_span: 0 }]);
    expect(batches.map(({ length }) => length)).toEqual([1, 0]);
    // A call of another trace is a call of its own.
    expect(extractor.extract('p', pair(b!)[second], batches[1]!).stored).toBe(1);
  });

  test.each(['framework', 'server'] as const)(
    'after the %s: another parent’s are another call',
    (first) => {
      const extractor = knowing();
      const second = first === 'framework' ? 'server' : 'framework';
      const of = (scope: 'framework' | 'server', parent: number) => {
        const [own, times] = scope === 'framework' ? [2, [1, 19]] : [1, [0, 20]];
        const one = at(own as number, parent, remote, times as [number, number], routed);
        return scopes({}, [scope, [{ ...one, traceId: a! }]]);
      };
      const batch = new CallBatch();
      expect(extractor.extract('p', of(first, 9), batch).stored).toBe(1);
      expect(extractor.extract('p', of(second, 8), batch).stored).toBe(1);
    },
  );

  test.each(['framework', 'server'] as const)(
    'after the %s, whose commit fails: sent again it is one call',
    (first) => {
      const extractor = knowing();
      const second = first === 'framework' ? 'server' : 'framework';
      const failed = new CallBatch();
      const next = new CallBatch();
      expect(extractor.extract('p', pair(a!)[first], failed).stored).toBe(1);
      expect(extractor.extract('p', pair(a!)[second], next).stored).toBe(0);
      extractor.forget(failed);
      // Its sender was refused and repeats it; the other one was acknowledged.
      expect(extractor.extract('p', pair(a!)[first], next).stored).toBe(1);
      expect(extractor.extract('p', pair(a!)[second], next).stored).toBe(0);
      expect(next.length).toBe(1);
    },
  );
});

test('an INTERNAL span that is malformed behind its kind spoils nothing', () => {
  const { extract, called, dictionary } = extracting();
  const good = message([
    at(3, 2, local, [1, 19], routed),
    at(2, 1, local, [1, 19], {}, { ...internal, name: 'x'.repeat(40) }),
    at(1, undefined, local, [0, 20], get),
  ]);
  const broken = Buffer.from(good);
  const kindAt = broken.indexOf(Buffer.from('x'.repeat(40))) + 40;
  expect(broken[kindAt]).toBe(0x30);
  // The start time's tag becomes one of a wire type that does not exist.
  broken[kindAt + 2] = 0x3f;
  expect(extract(broken).stored).toBe(2);
  expect(called().length).toBe(2);
  expect(calledOf(new CallBatch(), dictionary.takeNew())).toEqual([]);
});
