import { describe, expect, test } from 'vitest';
import { type AnyValue, encodeTraces, type Span } from '../../../collector/otlp/traces-encoder.ts';
import { extracting, nowNs, span } from '../support/extracting.ts';

/** Spans that public reports show, and the endpoint that each is a call of (docs/extraction.md, "Kinds of faults"). */
function calls(spans: readonly Span[], scope = 'library'): string[] {
  const { extract, called } = extracting();
  const attributes = [{ key: 'service.name', value: 'shop' }];
  extract(encodeTraces([{ attributes, scopes: [{ name: scope, spans: [...spans] }] }]));
  return called().map(({ method, route }) => `${method} ${route}`);
}

const ofPath = (route: string, path: string): Record<string, AnyValue> => ({
  'http.request.method': 'GET',
  'http.route': route,
  'url.path': path,
  'http.response.status_code': 200,
});

describe('B8, X24: spellings of a route that the path explains', () => {
  test.each<[source: string, route: string, path: string, endpoint: string]>([
    // The slashes were lost: the text is no route.
    ['otel-java#15503', '/fooapiv2bar*', '/foo/api/v2/bar/7', '/foo/api/v2/bar/{id}'],
    [
      'otel-java#15504',
      '/api/v2/orders/*/status',
      '/api/v2/orders/7/status',
      '/api/v2/orders/{param}/status',
    ],
    ['otel-java#7801 (Play)', '/foo/$bar<[^/]+>', '/foo/x', '/foo/{bar}'],
    ['opencensus-specs#49 (Play)', '/items/$id<[0-9]+>/edit', '/items/7/edit', '/items/{id}/edit'],
    [
      'tracing-opentelemetry#45 (axum)',
      '/zuul/:service/*path',
      '/zuul/a/b/c',
      '/zuul/{service}/{path}',
    ],
    [
      'otel-dotnet-contrib#1782',
      'api/{controller}/{action}/{id}',
      '/api/Auth/Login',
      '/api/Auth/Login',
    ],
    ['otel-python#1226 (a view)', 'myapp.views.user_detail', '/users/7', '/users/{id}'],
    ['otel-python-contrib#1098', '', '/', '/'],
    ['otel-js-contrib#1947', '/', '/reports/7', '/reports/{id}'],
    ['otel-js-contrib#453 (Hapi)', '/events/123', '/events/123', '/events/{id}'],
    [
      'otel-php#1841',
      'api_payments_capture',
      '/v1/payments/abc123/capture',
      '/v1/payments/{id}/capture',
    ],
    ['hapi-fhir#7790', '/*', '/fhir/Patient/123', '/fhir/Patient/{id}'],
    ['otel-java#7350 (netty)', '/', '/api/fruits/7', '/api/fruits/{id}'],
    [
      'PostHog#70674',
      'api/projects/<int:team_id>/insights/',
      '/api/projects/2/insights/',
      '/api/projects/{team_id}/insights',
    ],
    ['otel-go-contrib#6905 (ServeMux)', 'GET example.com/users/{id}', '/users/7', '/users/{id}'],
    ['ServeMux without a method', 'example.com/users/{id}', '/users/7', '/users/{id}'],
    ['ServeMux, a path like a host', 'v1.users/{id}', '/v1.users/7', '/v1.users/{id}'],
    ['ServeMux, end of a path', '/posts/{$}', '/posts/', '/posts'],
    ['chi, a mount within', '/api/*/users/{id}', '/api/users/7', '/api/users/{id}'],
    ['datadog-lambda-js#267 (a stage)', '/hello/{id}', '/test/hello/123', '/test/hello/{id}'],
    ['micronaut-tracing#182', 'GET - /users/{id}{?page}', '/users/17', '/users/{id}'],
    ['Micronaut, RFC 6570', '/books{/id}', '/books/7', '/books/{id}'],
    ['Express 5, an optional word', '/books{/edit}', '/books/edit', '/books/edit'],
    ['Slim, FastRoute', '/users/{id:[0-9]+}[/{name}]', '/users/7', '/users/{id}/{name}'],
    ['Laminas (dd-trace-php#2204)', '/user[/:id]', '/user/7', '/user/{id}'],
    ['Laminas, without the segment', '/user[/:id]', '/user', '/user/{id}'],
    ['Cowboy', '/hats/[page/:number]', '/hats/page/3', '/hats/page/{number}'],
    ['Cowboy, the rest', '/files/[...]', '/files/a/b', '/files/{path}'],
    ['a class of characters', '^/users/[0-9]+$', '/users/7', '/users/{id}'],
    ['SvelteKit', '/[[lang]]/about/[...rest]', '/en/about/a/b', '/{lang}/about/{rest}'],
    ['TanStack', '/users/$userId', '/users/ada', '/users/{userId}'],
    ['TanStack, the rest', '/files/$', '/files/a/b', '/files/{path}'],
    ['OData', '/odata/$metadata', '/odata/$metadata', '/odata/$metadata'],
    ['Django, an end', 'api/users/$', '/api/users/', '/api/users'],
    ['Rocket', '/search?<q>', '/search', '/search'],
    ['Mojolicious', '/users/<id:num>', '/users/7', '/users/{id}'],
    ['Sanic', '/users/<id:int>', '/users/7', '/users/{id}'],
    [
      'Ktor',
      '/(authenticate "default")/api/users/{id}/(method:GET)',
      '/api/users/7',
      '/api/users/{id}',
    ],
  ])('%s: %s for %s', (_, route, path, endpoint) => {
    expect(calls([span(ofPath(route, path))])).toEqual([`GET ${endpoint}`]);
  });

  test('vercel/next.js#91655: requests for server components, by their name alone', () => {
    const attributes = { 'http.method': 'GET', 'http.target': '/items/red-shoes?_rsc=a' };
    const named = span({ ...attributes, 'http.status_code': 200 }, { name: 'RSC GET /items/[id]' });
    expect(calls([named])).toEqual(['GET /items/{id}']);
  });

  test('Istio and Laravel: names that are no route', () => {
    const url = { 'http.method': 'GET', 'http.url': 'http://reviews:9080/reviews/7' };
    const istio = 'reviews.default.svc.cluster.local:9080/*';
    expect(calls([span({ ...url, 'http.status_code': 200 }, { name: istio })])).toEqual([
      'GET /reviews/{id}',
    ]);
    const laravel = { 'http.method': 'GET', 'http.target': '/user/7', 'http.status_code': 200 };
    expect(calls([span(laravel, { name: 'http_get' })])).toEqual(['GET /user/{id}']);
  });

  test('DataDog/datadog-lambda-python#442: API Gateway names a default route and any method', () => {
    const lambda = (route: string) =>
      span({ ...ofPath(route, '/hello/123'), 'faas.trigger': 'http' }, { name: route });
    const routes = ['ANY /hello/{id}', '$default', 'ANY /{proxy+}'];
    expect(calls(routes.map(lambda))).toEqual(routes.map(() => 'GET /hello/{id}'));
  });
});

describe('B10, X2: spans beside or within the span of a call', () => {
  const trace = { traceId: Buffer.alloc(16, 0x77) };
  const remote = Buffer.alloc(8, 0x55);

  test('fastify/otel#172: `request` within the span of instrumentation-http is one call', () => {
    const outer = span(ofPath('/orders/:id', '/orders/7'), { ...trace, flags: 0x301 });
    const inner = span(
      { 'http.route': '/orders/:id', 'http.request.method': 'GET' },
      { ...trace, name: 'request', parentSpanId: outer.spanId, flags: 0x101 },
    );
    expect(calls([inner, outer])).toEqual(['GET /orders/{id}']);
  });

  test('otel-go-instrumentation#471: middleware that serves again is one call on one connection', () => {
    const peer = {
      ...ofPath('/orders/{id}', '/orders/7'),
      'network.peer.port': 40_001,
      'network.protocol.version': '1.1',
    };
    const sibling = (startMs: bigint, endMs: bigint) =>
      span(peer, {
        ...trace,
        parentSpanId: remote,
        flags: 0x301,
        startTimeUnixNano: nowNs - startMs * 1_000_000n,
        endTimeUnixNano: nowNs - endMs * 1_000_000n,
      });
    expect(calls([sibling(100n, 50n), sibling(99n, 51n), sibling(98n, 52n)])).toHaveLength(1);
  });

  test('semantic-conventions#2083: a SERVER span of an MCP message is no call, its POST is one', () => {
    const post = span(
      { ...ofPath('/mcp', '/mcp'), 'http.request.method': 'POST' },
      { ...trace, flags: 0x301 },
    );
    const message = span(
      {
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': 'get_weather',
        'rpc.system': 'jsonrpc',
        'rpc.method': 'tools/call',
        'network.protocol.name': 'http',
      },
      { ...trace, name: 'tools/call get_weather', parentSpanId: post.spanId, flags: 0x101 },
    );
    expect(calls([message, post])).toEqual(['POST /mcp']);
  });
});

describe('B11, X21: the client', () => {
  const clientOf = (attributes: Record<string, AnyValue>): string => {
    const { extract, called } = extracting();
    const spans = [span({ ...ofPath('/a', '/a'), ...attributes })];
    extract(
      encodeTraces([
        { attributes: [{ key: 'service.name', value: 'x' }], scopes: [{ name: 's', spans }] },
      ]),
    );
    return called()[0]!.client;
  };

  test.each<[source: string, attributes: Record<string, AnyValue>, client: string]>([
    ['otel-js#5933: a port', { 'client.address': '143.99.116.4:58596' }, '143.99.116.4'],
    ['opentelemetry_plug#14: a list', { 'http.client_ip': '203.0.113.7, 10.0.0.1' }, '203.0.113.7'],
    [
      'otel-java#3651: Forwarded with quotes, brackets and a port',
      { 'http.request.header.forwarded': { array: ['for="[2001:db8:cafe::17]:4711"'] } },
      '2001:db8:cafe::17',
    ],
    [
      'authentik#25679: a list with ports',
      {
        'http.request.header.x_forwarded_for': { array: ['203.0.113.7:1234, 10.0.0.1:80'] },
        'network.peer.address': '10.0.0.2',
      },
      '203.0.113.7',
    ],
    [
      'snap-core#272: an IPv6 address without a port',
      { 'client.address': '2600:1f18::7' },
      '2600:1f18::7',
    ],
    [
      'tracing-opentelemetry#68: the first hop is the caller’s to write',
      {
        'client.address': '1.2.3.4',
        'http.request.header.x-forwarded-for': { array: ['1.2.3.4, 203.0.113.7'] },
        'network.peer.address': '10.0.0.2',
      },
      '203.0.113.7',
    ],
  ])('%s', (_, attributes, client) => {
    expect(clientOf(attributes)).toBe(client);
  });
});

describe('X24: routes that a longer text holds', () => {
  test.each<[source: string, route: string, path: string, endpoint: string]>([
    // Spring WebFlux names a function by its predicates.
    ['WebFlux', '(GET && /users/{id})', '/users/42', '/users/{id}'],
    [
      'WebFlux, a header',
      '((GET && /users/{id}) && Accept: application/json)',
      '/users/42',
      '/users/{id}',
    ],
    ['WebFlux, one of two', '(/people/{id} || /users/{id})', '/users/42', '/users/{id}'],
    ['WebFlux, nested', '(/api => (GET && /users/{id}))', '/api/users/42', '/api/users/{id}'],
    ['WebFlux without a path', '(GET && /users/{id})', '', '/users/{id}'],
    // Apache Camel names an endpoint by its URI.
    ['Camel', 'netty-http:0.0.0.0:8080/users/{id}', '/users/42', '/users/{id}'],
    ['Camel', 'jetty:http://0.0.0.0:80/users/{id}?x=true', '/users/42', '/users/{id}'],
    ['Camel', 'platform-http:/users/{id}?httpMethodRestrict=GET', '/users/42', '/users/{id}'],
    ['Camel', 'rest:get:users:/{id}', '/users/42', '/users/{id}'],
    ['Camel below a servlet', 'servlet:/users/{id}', '/camel/users/42', '/camel/users/{id}'],
    // Nitro, Next.js, Astro, SvelteKit and Remix name a route by its file.
    ['Nitro', 'server/api/users/[id].get.ts', '/api/users/42', '/api/users/{id}'],
    ['Nitro', 'routes/users/index.post.ts', '/users', '/users'],
    ['Nitro', '/api/users/[id].get', '/api/users/42', '/api/users/{id}'],
    ['Next.js', 'app/api/users/[id]/route.ts', '/api/users/42', '/api/users/{id}'],
    ['Next.js', '/pages/api/[...slug].ts', '/api/a/b', '/api/{slug}'],
    ['Astro', '/src/pages/users/[id].astro', '/users/42', '/users/{id}'],
    ['SvelteKit', 'src/routes/(app)/users/[id]/+server.ts', '/users/42', '/users/{id}'],
    ['Remix', 'app/routes/users.$id.tsx', '/users/42', '/users/{id}'],
    // The path decides: these are files and folders of URLs.
    ['a script', '/app/report.php', '/app/report.php', '/app/report.php'],
    ['a folder', '/app/items', '/app/items', '/app/items'],
    ['another path', 'routes/users.$id', '/orders/42', '/routes/users.$id'],
    [
      "Traefik's rule",
      'Host(`a.example`) && PathPrefix(`/api`)',
      '/api/users/42',
      '/api/users/{id}',
    ],
  ])('%s: %s', (_source, route, path, endpoint) => {
    const attributes = ofPath(route, path);
    if (path === '') delete attributes['url.path'];
    expect(calls([span(attributes)])).toEqual([`GET ${endpoint}`]);
  });

  test.each<[source: string, name: string, path: string, endpoint: string]>([
    ['WebFlux', '(GET && /users/{id})', '/users/x', '/users/{id}'],
    ['Camel', 'jetty:http://0.0.0.0:8080/users/{id}', '/users/x', '/users/{id}'],
    // A raw path is no route, whatever stands before it.
    ['Camel', 'jetty:http://0.0.0.0:8080/users/active', '/users/active', '/users/active'],
  ])('%s, in the name of the span: %s', (_source, name, path, endpoint) => {
    const attributes = { ...ofPath('', path) };
    delete attributes['http.route'];
    expect(calls([span(attributes, { name })])).toEqual([`GET ${endpoint}`]);
  });
});
