import { describe, expect, test } from 'vitest';
import { type AnyValue, encodeTraces, type Span } from '../../../collector/otlp/traces-encoder.ts';
import { extracting, span } from '../support/extracting.ts';

/** Spans of other conventions, as their senders or a Collector's receiver make them (docs/extraction.md X26). */
function calls(scope: string, spans: readonly Span[]): string[] {
  const { extract, called } = extracting();
  const scopes = [{ name: scope, spans: [...spans] }];
  extract(encodeTraces([{ attributes: [{ key: 'service.name', value: 'x' }], scopes }]));
  return called().map(({ method, route, status }) => `${method} ${route} ${status}`);
}

const one = (name: string, attributes: Record<string, AnyValue>, change: Partial<Span> = {}) =>
  span(attributes, { name, ...change });

describe('X26: Spring Boot: Micrometer Observation', () => {
  const observation = (uri: string, url: string, status: string, exception = 'none') =>
    one(`http get ${uri}`, { method: 'GET', uri, status, exception, 'http.url': url });

  // pinpoint-apm/pinpoint#14198; micrometer-metrics/tracing#294.
  test.each(['org.springframework.boot', 'io.micrometer.tracing', ''])('scope %j', (scope) => {
    expect(
      calls(scope, [
        observation('/orders/{orderId}', '/orders/17', '200'),
        observation('/orders/{orderId}', '/orders/18', '404'),
        observation('/**', '/wp-login.php', '404'),
        // Micrometer's words for calls without a template.
        observation('UNKNOWN', '/orders/19', '500', 'IllegalStateException'),
        observation('NOT_FOUND', '/nothing', '404'),
        observation('REDIRECTION', '/old', '302'),
        observation('root', '/', '200'),
      ]),
    ).toEqual([
      'GET /orders/{orderId} 200',
      'GET /orders/{orderId} 404',
      'GET (unmatched) 404',
      'GET /orders/{id} 500',
      'GET (unmatched) 404',
      'GET /old 302',
      'GET / 200',
    ]);
  });

  test('an exception is the error type, `none` is not', () => {
    const { extract, called } = extracting();
    const scopes = [
      {
        name: 'org.springframework.boot',
        spans: [
          observation('/a', '/a', '503', 'IllegalStateException'),
          observation('/a', '/a', '503'),
        ],
      },
    ];
    extract(encodeTraces([{ attributes: [], scopes }]));
    expect(called().map(({ errorType }) => errorType)).toEqual(['IllegalStateException', '503']);
  });

  test('another scope is not believed, nor are names without an observation', () => {
    const foreign = observation('/orders/{orderId}', '/orders/17', '503');
    expect(calls('com.example.orders', [foreign])).toEqual(['GET /orders/{orderId} 0']);
    const custom = one('work', { method: 'GET', uri: '/a', status: '200' });
    expect(calls('', [custom])).toEqual([]);
    const order = one('GET /orders', {
      method: 'create',
      status: 'shipped',
      uri: '/x',
      exception: '',
    });
    expect(calls('org.springframework.boot', [order])).toEqual([]);
  });
});

describe('X26: other formats through a Collector', () => {
  test('SkyWalking, with its new and old names of the status', () => {
    // open-telemetry/opentelemetry-collector-contrib#8549; apache/skywalking#12564.
    const url = 'http://10.0.0.9:8080/orders/5';
    const get = { 'http.method': 'GET', url };
    expect(
      calls('', [
        one('GET:/orders/{id}', { ...get, 'http.status_code': '200' }),
        one('{GET}/orders/{id}', { ...get, status_code: '503' }),
        // Tomcat without a framework: the name holds the raw path.
        one('GET:/orders/5', { ...get, 'http.status_code': 200 }),
      ]),
    ).toEqual(['GET /orders/{id} 200', 'GET /orders/{id} 503', 'GET /orders/{id} 200']);
  });

  test('Brave says no status of a success (openzipkin/brave#919)', () => {
    const get = { 'http.method': 'GET', 'http.path': '/books/5' };
    const failed = { 'http.status_code': '500', error: '500' };
    expect(
      calls('', [
        one('get /books/{id}', get),
        one('get /books/{id}', { ...get, ...failed }, { status: { code: 2 } }),
        one('get not_found', {
          'http.method': 'GET',
          'http.path': '/x',
          'http.status_code': '404',
        }),
      ]),
    ).toEqual(['GET /books/{id} 200', 'GET /books/{id} 500', 'GET (unmatched) 404']);
  });

  test('Sleuth 1 and zipkin-js: method or path only in the name', () => {
    expect(
      calls('', [
        one('http:/books/5', { 'http.method': 'GET', 'http.path': '/books/5' }),
        one('get', { 'http.path': '/books/5', 'http.status_code': '200' }),
      ]),
    ).toEqual(['GET /books/{id} 200', 'GET /books/{id} 200']);
  });

  test('aiozipkin and OpenCensus (aio-libs/aiozipkin constants; census-instrumentation/opencensus-specs#49)', () => {
    const get = { 'http.method': 'GET', 'http.path': '/books/5', 'http.status_code': 200 };
    expect(
      calls('', [
        one('GET /books/{id}', get),
        one('Recv./books/5', { ...get, 'http.route': '/books/:id' }),
        one('Recv./books/5', get),
      ]),
    ).toEqual(['GET /books/{id} 200', 'GET /books/{id} 200', 'GET /books/{id} 200']);
  });

  test('Envoy (kgateway-dev/kgateway#9311): standard names, and the route only in the URL', () => {
    const attributes = {
      'http.url': 'http://localhost:8080/books/5',
      'http.method': 'GET',
      'http.status_code': '404',
      'peer.address': '127.0.0.1',
    };
    expect(calls('', [one('ingress', attributes)])).toEqual(['GET (unmatched) 404']);
    expect(calls('', [one('ingress', { ...attributes, 'http.status_code': '200' })])).toEqual([
      'GET /books/{id} 200',
    ]);
  });
});

describe('rpc.system beside HTTP', () => {
  const cart = {
    'http.request.method': 'GET',
    'http.route': '/v1/carts/{id}',
    'url.path': '/v1/carts/7',
    'rpc.service': 'shop.v1.Cart',
  };

  test('go-kratos (go-kratos/kratos#3442): its status is an HTTP status', () => {
    expect(
      calls('kratos', [
        one('/shop.v1.Cart/GetCart', { ...cart, 'rpc.system': 'http' }, { status: { code: 1 } }),
        one('/shop.v1.Cart/GetCart', { ...cart, 'rpc.system': 'http', 'rpc.status_code': 404 }),
        one('/shop.v1.Cart/GetCart', { ...cart, 'rpc.system': 'http' }, { status: { code: 2 } }),
      ]),
    ).toEqual(['GET /v1/carts/{id} 200', 'GET /v1/carts/{id} 404', 'GET /v1/carts/{id} 500']);
  });

  test.each(['twirp', 'jsonrpc', 'connect_rpc', 'trpc', 'dotnet_wcf', 'go-zero'])(
    '%s over HTTP with a status of its own is HTTP',
    (system) => {
      const call = { ...cart, 'rpc.system': system, 'http.response.status_code': 503 };
      expect(calls('x', [one('x', call)])).toEqual(['GET /v1/carts/{id} 503']);
    },
  );

  test.each(['grpc', 'apache_dubbo'])('%s is none: its HTTP status is always 200', (system) => {
    expect(calls('x', [one('x', { ...cart, 'rpc.system': system })])).toEqual([]);
  });

  test('without the method or the path it is RPC', () => {
    const { 'http.request.method': _, ...noMethod } = cart;
    expect(calls('x', [one('x', { ...noMethod, 'rpc.system': 'http' })])).toEqual([]);
    const noPath = { 'http.request.method': 'POST', 'rpc.system.name': 'jsonrpc' };
    expect(calls('x', [one('x', noPath)])).toEqual([]);
  });
});

describe('X24: a gateway says what it was configured to match', () => {
  const get = (url: string, route: string, status = 200) =>
    one('x', {
      'http.method': 'GET',
      'http.url': url,
      'http.route': route,
      'http.status_code': status,
    });

  test.each(['kong-internal', 'github.com/traefik/traefik', 'nginx', 'opentelemetry-lua'])(
    '%s: only a route that takes the whole path is believed',
    (scope) => {
      expect(
        calls(scope, [
          // Kong/kong#10981, #14852: the first of the paths, whichever matched.
          get('http://a.example/v2/orders/7', '/v1/orders'),
          get('http://a.example/v2/orders', '/v1/orders'),
          get('http://a.example/v1/orders/7', '/v1/orders'),
          get('http://a.example/users/42', '~/users/(?<id>\\d+)$'),
          // traefik/traefik#11673: the rule.
          get('http://a.example/api/users/7', 'Host(`a.example`) && PathPrefix(`/api`)'),
          get('http://a.example/nothing', '/v1/orders', 404),
        ]),
      ).toEqual([
        'GET /v2/orders/{id} 200',
        'GET /v2/orders 200',
        'GET /v1/orders/{id} 200',
        'GET /users/{id} 200',
        'GET /api/users/{id} 200',
        'GET (unmatched) 404',
      ]);
    },
  );

  test('a rewrite of an application stays', () => {
    expect(calls('express', [get('http://a.example/i/7', '/items/:id')])).toEqual([
      'GET /items/{id} 200',
    ]);
  });
});
