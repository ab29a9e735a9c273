import { describe, expect, test } from 'vitest';
import { encodeTraces, type Span } from '../../../../collector/otlp/traces-encoder.ts';
import { CallBatch } from '../../../../core/call.ts';
import { calledOf } from '../../support/called.ts';
import { extracting, message } from '../../support/extracting.ts';
import { at, counted, get, internal, local, remote, routed, trace } from './joined-spans.ts';

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
