import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { routeTakesPath } from '../../../core/route/match.ts';
import { endpointRoute, type RouteEvidence, routeShape } from '../../../core/route/route.ts';

function route(evidence: Partial<RouteEvidence>): string {
  return endpointRoute({ ...nothing, ...evidence }).route;
}
const nothing = { httpRoute: '', spanName: '', path: '', method: 'GET', status: 200 };

describe('captured services', () => {
  interface Call {
    method: string;
    path: string;
    status: number;
    canonicalRoute: string | null;
    observed?: { name: string; route: string | null; status: number | null };
  }
  const fixtures = new URL('../../fixtures/', import.meta.url);
  const stacks = readdirSync(fixtures).filter((name) =>
    existsSync(new URL(`${name}/truth.json`, fixtures)),
  );

  it('are eleven', () => expect(stacks).toHaveLength(11));

  it.each(stacks)('%s: every call has its true route, however its path is spelled', (stack) => {
    const text = readFileSync(new URL(`${stack}/truth.json`, fixtures), 'utf8');
    const calls: Call[] = JSON.parse(text).calls;
    let seen = 0;
    for (const { method, path, canonicalRoute, observed } of calls) {
      if (!observed) continue;
      const { name: spanName, route: httpRoute, status } = observed;
      const expected = canonicalRoute === null ? '(unmatched)' : routeShape(canonicalRoute);
      const told = { method, spanName, httpRoute: httpRoute ?? '', status: status ?? 0 };
      const decoded = decodeURIComponent(path);
      const mojibake = Buffer.from(decoded, 'utf8').toString('latin1');
      for (const spelled of [path, decoded, mojibake, `${path}?q=secret`, `http://host:80${path}`])
        expect(routeShape(route({ ...told, path: spelled })), spelled).toBe(expected);
      seen += 1;
    }
    expect(seen).toBe(25);
  });
});

describe('X14: a route that covers only a prefix of the path', () => {
  it('is a mount, and the remainder is templated', () => {
    const evidence = { ...nothing, httpRoute: '/api/v1', path: '/api/v1/things/9' };
    const mounted = { route: '/api/v1/things/{id}', templated: true, mount: '/api/v1' };
    expect(endpointRoute(evidence)).toEqual(mounted);
  });

  it('takes the rest of the path when it ends in a parameter (X25), unless another span says more', () => {
    const evidence = { ...nothing, httpRoute: '/t/{tenant}', path: '/t/acme/things/9' };
    const told = { route: '/t/{tenant}', templated: false, mount: '/t/{tenant}' };
    expect(endpointRoute(evidence)).toEqual(told);
    expect(endpointRoute({ ...evidence, status: 404 })).toEqual(told);
    // Wagtail's pages, Tornado's names of `(.*)`, aiohttp's `/files/{path:.*}`.
    expect(route({ httpRoute: '^((?:[\\w\\-]+/)*)$', path: '/blog/2026/a-post/' })).toBe('/{re}');
    expect(route({ spanName: 'GET /files/%s', path: '/files/docs/a.txt' })).toBe('/files/{param}');
    expect(route({ httpRoute: '/files/{path}', path: '/files/docs/a.txt' })).toBe('/files/{path}');
    // A suffix behind the parameter is no rest of the path.
    expect(route({ httpRoute: '/t/{tenant}.json', path: '/t/a.json/things/9' })).toBe(
      '/t/{tenant}.json/things/{id}',
    );
  });

  it('is a wildcard that lost its star', () => {
    expect(route({ httpRoute: '/files', path: '/files/a.txt' })).toBe('/files/{path}');
  });

  it('is nothing when it is the root', () => {
    const evidence = { ...nothing, httpRoute: '/', path: '/users/7' };
    expect(endpointRoute(evidence)).toEqual({ route: '/users/{id}', templated: true });
  });

  it("yields to a span's name that takes the whole path", () => {
    const spanName = 'GET /api/v1/things/{thing}';
    const path = '/api/v1/things/9';
    expect(route({ httpRoute: '/api/v1', spanName, path })).toBe('/api/v1/things/{thing}');
    expect(route({ httpRoute: '/api/v1/*', spanName, path })).toBe('/api/v1/things/{thing}');
  });

  it.each([404, 405])('is unmatched with status %d', (status) => {
    const evidence = { httpRoute: '/api/v1', path: '/api/v1/nope', status };
    expect(route(evidence)).toBe('(unmatched)');
  });
});

describe('X15: a route that covers only the end of the path', () => {
  it('gets its leading words back', () => {
    const found = endpointRoute({
      ...nothing,
      httpRoute: '/things/{id}',
      path: '/api/v1/things/9',
    });
    expect(found).toEqual({ route: '/api/v1/things/{id}', templated: false });
    expect(route({ spanName: 'GET /things/{id}', path: '/api/things/9' })).toBe('/api/things/{id}');
    expect(route({ httpRoute: '/{id}', path: '/things/9' })).toBe('/things/{id}');
    expect(route({ httpRoute: '/files/*p', path: '/v1/files/a/b' })).toBe('/v1/files/{p}');
  });

  it('stays as it is when they are values', () => {
    const evidence = { httpRoute: '/orders/{id}', path: '/4711/orders/9' };
    expect(route(evidence)).toBe('/orders/{id}');
  });

  it('is an endpoint that answers 404 itself', () => {
    const evidence = { httpRoute: '/things/{id}', path: '/api/v1/things/9', status: 404 };
    expect(route(evidence)).toBe('/api/v1/things/{id}');
  });
});

describe("X17: the route is in the span's name", () => {
  it.each([
    ['GET /users/{id}', '/users/7', '/users/{id}'],
    ['/users/:id', '/users/7', '/users/{id}'],
    ['HTTP GET /users/:id', '/users/7', '/users/{id}'],
    ['GET api/users/<int:pk>/', '/api/users/7/', '/api/users/{pk}'],
    ['GET example.com/users/{id}', '/users/7', '/users/{id}'],
    ['GET /users/{parameters}', '/users/7', '/users/{parameters}'],
    ['GET /orders/%s/items/%s', '/orders/1/items/2', '/orders/{param}/items/{param}'],
    ['GET /api/v1/', '/api/v1/things/9', '/api/v1/things/{id}'],
    ['GET /health', '/health', '/health'],
    ['GET /health', '', '/health'],
    ['GET /users/{id}', '', '/users/{id}'],
    ['GET /users/7', '', '/users/{id}'],
  ])('%s on %j is %s', (spanName, path, expected) => {
    expect(route({ spanName, path })).toBe(expected);
  });

  it.each([
    'GET',
    'HTTP GET',
    'HTTP',
    'HTTP request',
    'request',
    'middleware - x',
    'middleware - /x/:id',
    'HTTP POST route not found',
    'GET <unknown_route>',
    'GET /users/7',
    'GET /users/7/',
    'GET /users/7?q=a',
    'GET /users/7?q={id}',
    'GET /other',
    'Reading /users/{id} of the shop',
  ])('%j is no evidence', (spanName) => {
    const evidence = { ...nothing, spanName, path: '/users/7' };
    expect(endpointRoute(evidence)).toEqual({ route: '/users/{id}', templated: true });
    expect(route({ spanName, path: '/users/7', status: 404 })).toBe('(unmatched)');
  });

  it.each(['GET', 'HTTP GET', 'request', 'middleware - x', 'GET <unknown_route>', ''])(
    '%j alone is unknown',
    (spanName) => expect(route({ spanName })).toBe('(unknown)'),
  );

  it('an http.route comes first', () => {
    const evidence = { httpRoute: '/users/:id', spanName: 'GET /people/{x}', path: '/users/7' };
    expect(route(evidence)).toBe('/users/{id}');
  });
});

describe('X18: 404 and 405', () => {
  it.each(['', '*', '/*', '/**', '/error', '/api/v1', '/api/v1/*', '/{*splat}', '/', '/api/v1/**'])(
    'a 404 below %j is unmatched',
    (httpRoute) => {
      const evidence = { httpRoute, spanName: `GET ${httpRoute}`, status: 404 };
      expect(route({ ...evidence, path: '/api/v1/nope' })).toBe('(unmatched)');
    },
  );

  it.each([
    ['/users/:id', '/users/999', '/users/{id}'],
    ['/files/{path...}', '/files/missing.txt', '/files/{path}'],
    ['/health', '/health', '/health'],
    ['/Users/:id', '/users/9/', '/Users/{id}'],
  ])("a 404 of %s on %s is that endpoint's own", (httpRoute, path, expected) => {
    expect(route({ httpRoute, path, status: 404 })).toBe(expected);
    expect(route({ httpRoute, status: 404 })).toBe(expected);
  });

  it("a name's template answers 404 itself, a raw path in it never does", () => {
    const status = 404;
    expect(route({ spanName: 'GET /users/{id}', path: '/users/9', status })).toBe('/users/{id}');
    expect(route({ spanName: 'GET /wp-login.php', path: '/wp-login.php', status })).toBe(
      '(unmatched)',
    );
    expect(route({ spanName: 'GET /wp-login.php', status })).toBe('(unmatched)');
    expect(route({ spanName: 'GET /J%C3%BCrgen', path: '/Jürgen', status })).toBe('(unmatched)');
  });

  it.each(['/orders', '/error', '/users/{id}', ''])('a 405 of %j is unmatched', (httpRoute) => {
    const evidence = { httpRoute, spanName: `DELETE ${httpRoute}`, path: '/orders', status: 405 };
    expect(route(evidence)).toBe('(unmatched)');
  });

  it("Spring's error page stands for the path", () => {
    expect(route({ httpRoute: '/error', path: '/boom', status: 500 })).toBe('/boom');
    expect(route({ httpRoute: '/error', path: '/error', status: 500 })).toBe('/error');
  });
});

describe('X20: the spelling of the path', () => {
  it.each(['/b%C3%BCcher/J%C3%B6rg', '/bücher/Jörg', '/bÃ¼cher/JÃ¶rg', '/BÜCHER/x;v=1?q#f'])(
    '%s is below /bücher',
    (path) => {
      for (const httpRoute of ['/bücher/{name}', '/b%C3%BCcher/{name}'])
        expect(route({ httpRoute, path, status: 404 })).toBe('/bücher/{name}');
    },
  );

  it('an encoded slash does not divide a segment', () => {
    expect(route({ httpRoute: '/f/{name}', path: '/f/a%2Fb', status: 404 })).toBe('/f/{name}');
  });

  it('nothing at all is unknown', () => {
    expect(endpointRoute(nothing)).toEqual({ route: '(unknown)', templated: false });
    expect(route({ path: '*', method: 'OPTIONS' })).toBe('(unknown)');
    expect(route({ status: 404 })).toBe('(unmatched)');
  });
});

describe('routes that are none', () => {
  it('a raw path in http.route is templated (X6, AWS Lambda)', () => {
    const evidence = { ...nothing, httpRoute: '/users/7', path: '/users/7' };
    expect(endpointRoute(evidence)).toEqual({ route: '/users/{id}', templated: true });
  });

  it("a handler's name gives way to the path (Symfony, Yii)", () => {
    expect(route({ httpRoute: 'app_user_show', path: '/user/5' })).toBe('/user/{id}');
    expect(route({ httpRoute: 'app_user_show', path: '/user/5', status: 404 })).toBe('/user/{id}');
    expect(route({ httpRoute: 'app_user_show' })).toBe('/app_user_show');
    expect(route({ httpRoute: 'health', path: '/health' })).toBe('/health');
  });

  it("an error page's name makes no endpoint of what a scanner tried", () => {
    for (const httpRoute of ['Error', 'Errors.show404', 'app_not_found'])
      expect(route({ httpRoute, path: '/wp-login.php', status: 404 })).toBe('(unmatched)');
    expect(route({ httpRoute: 'Error', path: '/users/7', status: 500 })).toBe('/users/{id}');
  });

  it('a route of more than the bound is absent', () => {
    const httpRoute = `/users/{${'i'.repeat(600)}}`;
    expect(route({ httpRoute, path: '/users/7' })).toBe('/users/{id}');
  });
});

it('routeTakesPath compares any spelling with any path', () => {
  expect(routeTakesPath('/api/v1/things/{id}', '/api/v1/things/9?x=1')).toBe(true);
  expect(routeTakesPath('^things/(?P<pk>\\d+)/$', '/things/9/')).toBe(true);
  expect(routeTakesPath('/things/{id}', '/api/v1/things/9')).toBe(false);
  expect(routeTakesPath('/things', '/things/9')).toBe(false);
});
