import { describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import { canonicalRoute, endpointRoute, routePattern, routeShape } from '../../core/route.ts';

/** [framework, its spelling, canonical, a path it serves, what people see unless it is the spelling itself],
 *  for every row of OTLP.md 2.5. docs/routes.md has the same table in short. */
const spellings: [string, string, string, string, string?][] = [
  ['Express', '/users/:id', '/users/{id}', '/users/7'],
  ['Express', '/a/:x(\\d+)', '/a/{x}', '/a/12'],
  ['Express', '/a/:x(\\\\d+)', '/a/{x}', '/a/12'],
  ['Express', '/v1/:f?', '/v1/{f}', '/v1'],
  ['Express', '/v1/:f?', '/v1/{f}', '/v1/x'],
  ['Express', '/flights/:from-:to', '/flights/{from}-{to}', '/flights/LAX-SFO'],
  ['Express', '/users/:id/report.:format', '/users/{id}/report.{format}', '/users/1/report.pdf'],
  ['Express', '/v:version/users', '/v{version}/users', '/v2/users'],
  ['Express', '/files/:path*', '/files/{path}', '/files/a/b'],
  ['Express 5', '/{*splat}', '/{splat}', '/any/thing'],
  ['Express 5', '/files/*path', '/files/{path}', '/files/a/b'],
  ['Express 5', '/posts{/:id}', '/posts/{id}', '/posts'],
  ['Express 5', '/posts{/:id}', '/posts/{id}', '/posts/9'],
  ['Express RegExp', '/\\/re.*/', '/re{path}', '/really/long', '/re.*'],
  ['Express RegExp', '/^\\/users\\/(\\d+)\\/?$/i', '/users/{id}', '/users/5', '/users/(\\d+)'],
  ['Restify', '/hello/:name', '/hello/{name}', '/hello/mark'],
  ['Connect', '/users//list/', '/users/list', '/users/list'],
  [
    'Koa',
    '/orders/:orderId/items/:itemId',
    '/orders/{orderId}/items/{itemId}',
    '/orders/1/items/2',
  ],
  ['Koa RegExp', '/^\\/things\\/([^\\/]+)$/', '/things/{re}', '/things/x', '/things/([^/]+)'],
  ['Fastify', '/a/:x(^\\d+$)', '/a/{x}', '/a/3'],
  ['Fastify', '/at/:hour(^\\d{2})h:minute(^\\d{2})m', '/at/{hour}h{minute}m', '/at/08h24m'],
  ['Fastify', '/files/*', '/files/{path}', '/files/a/b.txt'],
  ['Fastify', '/name::verb', '/name:verb', '/name:verb'],
  ['Hapi', '/users/{id}', '/users/{id}', '/users/5'],
  ['Hapi', '/f/{p*}', '/f/{p}', '/f/a/b/c'],
  ['Hapi', '/f/{p*2}', '/f/{p}', '/f/a/b'],
  ['Hapi', '/f/{p?}', '/f/{p}', '/f'],
  ['Hapi', '/{name}.jpg', '/{name}.jpg', '/cat.jpg'],
  ['Nest', '/cats/:id', '/cats/{id}', '/cats/1'],
  ['Next.js', '/users/[id]', '/users/{id}', '/users/5'],
  ['Next.js', '/docs/[[...slug]]', '/docs/{slug}', '/docs/a/b'],
  ['FastAPI', '/users/{user_id}', '/users/{user_id}', '/users/5'],
  ['Starlette', '/f/{p:path}', '/f/{p}', '/f/a/b'],
  ['Starlette', '/u/{id:int}', '/u/{id}', '/u/5'],
  ['Flask', '/users/<int:id>', '/users/{id}', '/users/5'],
  ['Flask', '/users/<id>', '/users/{id}', '/users/5'],
  ['Flask', '/f/<path:p>', '/f/{p}', '/f/a/b'],
  ['Flask', '/f/<any("a/b",c):x>', '/f/{x}', '/f/c'],
  ['Flask', '/u/<string(length=2):code>', '/u/{code}', '/u/de'],
  ['Sanic', '/users/<id:int>', '/users/{id}', '/users/5'],
  ['Bottle', '/f/<p:path>', '/f/{p}', '/f/a/b'],
  ['Django', 'api/users/<int:pk>/', '/api/users/{pk}', '/api/users/5/'],
  ['Django', '^users/(?P<pk>[^/.]+)/$', '/users/{pk}', '/users/5/', '/users/{pk}/'],
  ['Django', 'api/^users/(?P<pk>[^/.]+)/$', '/api/users/{pk}', '/api/users/5/', '/api/users/{pk}/'],
  [
    'Django',
    '^^api/^users/(?P<pk>[0-9]{1,5})/posts/$',
    '/api/users/{pk}/posts',
    '/api/users/5/posts/',
    '/api/users/{pk}/posts/',
  ],
  [
    'Django REST',
    '^users\\.(?P<format>[a-z0-9]+)/?$',
    '/users.{format}',
    '/users.json',
    '/users.{format}',
  ],
  ['Django', '^files/(?P<path>.*)$', '/files/{path}', '/files/a/b', '/files/{path}'],
  ['Django', '^a/(?:page-(?P<page>\\d+)/)?$', '/a/page-{page}', '/a/', '/a/(page-{page}/)?'],
  ['Tornado', '/users/([^/]+)', '/users/{re}', '/users/x'],
  ['Tornado', '/users/([0-9]+)/items/(\\w+)/?', '/users/{id}/items/{re}', '/users/1/items/b/'],
  ['Tornado', '/files/(.*)', '/files/{path}', '/files/a/b'],
  ['Tornado name', '/orders/%s/items/%s', '/orders/{param}/items/{param}', '/orders/1/items/2'],
  ['aiohttp', '/u/{id}', '/u/{id}', '/u/5'],
  ['aiohttp', '/u/{id:\\d+}', '/u/{id}', '/u/5'],
  ['aiohttp', '/f/{tail:.*}', '/f/{tail}', '/f/a/b'],
  ['Pyramid', '/u/{id}/*rest', '/u/{id}/{rest}', '/u/5/a/b'],
  ['Falcon', '/u/{id:int}', '/u/{id}', '/u/5'],
  [
    'Falcon',
    '/repos/{org}/{repo}/compare/{a}...{b}',
    '/repos/{org}/{repo}/compare/{a}...{b}',
    '/repos/o/r/compare/x...y',
  ],
  ['Spring', '/ctx/users/{id}', '/ctx/users/{id}', '/ctx/users/5'],
  ['Spring', '/f/{*rest}', '/f/{rest}', '/f/a/b'],
  ['Spring', '/u/{id:[a-z]{2}\\d+}', '/u/{id}', '/u/ab1'],
  ['Spring', '/a/*/b', '/a/{param}/b', '/a/x/b'],
  ['Spring', '/a/**/b', '/a/{param}/b', '/a/x/b'],
  ['Servlet', '/app/*', '/app/{path}', '/app/x/y'],
  ['JAX-RS', '/app/u/{id}', '/app/u/{id}', '/app/u/5'],
  ['JAX-RS', '/u/{id : [0-9]+}', '/u/{id}', '/u/5'],
  ['JAX-RS', '/f/{path: .+}', '/f/{path}', '/f/a/b'],
  ['Ktor', '/u/{id?}', '/u/{id}', '/u'],
  ['Ktor', '/f/{path...}', '/f/{path}', '/f/a/b'],
  ['Ktor', '/(authenticate "jwt")/users/{id}/(method:GET)', '/users/{id}', '/users/5'],
  ['Vert.x', '/u/:id', '/u/{id}', '/u/5'],
  ['Play', '/u/$id<[^/]+>', '/u/{id}', '/u/5'],
  ['Play', '/f/$file<.+>', '/f/{file}', '/f/a/b'],
  ['ASP.NET', 'users/{id:int}', '/users/{id}', '/users/5'],
  ['ASP.NET', 'users/{id:int:min(1)}', '/users/{id}', '/users/5'],
  ['ASP.NET', 'u/{ssn:regex(^\\d{{3}}-\\d{{2}}$)}', '/u/{ssn}', '/u/123-45'],
  [
    'ASP.NET',
    '{controller=Home}/{action=Index}/{id?}',
    '/{controller}/{action}/{id}',
    '/Home/Index',
  ],
  ['ASP.NET', 'api/v{version:apiVersion}/x', '/api/v{version}/x', '/api/v1.0/x'],
  ['ASP.NET', 'api/[controller]/{id}', '/api/{controller}/{id}', '/api/users/5'],
  ['ASP.NET', 'files/{**slug}', '/files/{slug}', '/files/a/b'],
  ['Go', '/u/{id}', '/u/{id}', '/u/5'],
  ['Go', 'GET /u/{id}', '/u/{id}', '/u/5', '/u/{id}'],
  ['Go', 'GET example.com/u/{id}', '/u/{id}', '/u/5', 'example.com/u/{id}'],
  ['Go', '/f/{p...}', '/f/{p}', '/f/a/b'],
  ['Go', '/posts/{$}', '/posts', '/posts/'],
  ['gin', '/f/*any', '/f/{any}', '/f/a/b'],
  ['gin', '/u/:id', '/u/{id}', '/u/5'],
  ['echo', '/f/*', '/f/{path}', '/f/a/b'],
  ['mux', '/u/{id:[0-9]+}', '/u/{id}', '/u/5'],
  ['mux', '/f/{p:.*}', '/f/{p}', '/f/a/b'],
  ['chi', '/u/{id:[0-9]{3}}', '/u/{id}', '/u/555'],
  ['Rails', '/users/:id(.:format)', '/users/{id}', '/users/5'],
  ['Rails', '(/:locale)/posts/:id(.:format)', '/{locale}/posts/{id}', '/posts/5'],
  ['Rails', '/pages/*path', '/pages/{path}', '/pages/a/b'],
  ['Sinatra', '/users/:id', '/users/{id}', '/users/5'],
  ['Sinatra', '/say/*/to/*', '/say/{param}/to/{path}', '/say/hi/to/bob'],
  ['Sinatra regexp', '\\A/hello/([\\w]+)\\z', '/hello/{re}', '/hello/bob', '/hello/([\\w]+)'],
  ['Grape', '/v1/users/:id', '/v1/users/{id}', '/v1/users/5'],
  ['Grape', '/v1/users/:id(.json)', '/v1/users/{id}', '/v1/users/5'],
  ['Laravel', 'api/users/{id}', '/api/users/{id}', '/api/users/5'],
  ['Laravel', 'api/users/{id?}', '/api/users/{id}', '/api/users'],
  ['Slim', '/u/{id}', '/u/{id}', '/u/5'],
  ['axum 0.7', '/u/:id', '/u/{id}', '/u/5'],
  ['axum', '/u/{id}/{*rest}', '/u/{id}/{rest}', '/u/5/a/b'],
  ['actix', '/f/{tail:.*}', '/f/{tail}', '/f/a/b'],
  ['Rocket', '/f/<path..>', '/f/{path}', '/f/a/b'],
  ['nginx', '= /exact', '/exact', '/exact'],
  ['API Gateway', '/{proxy+}', '/{proxy}', '/a/b'],
  [
    'gRPC gateway',
    '/v1/{name=projects/*}/things',
    '/v1/projects/{param}/things',
    '/v1/projects/p/things',
  ],
  ['Google', '/v1/things:batchGet', '/v1/things:batchGet', '/v1/things:batchGet'],
  ['Google', '/v1/things/{id}:cancel', '/v1/things/{id}:cancel', '/v1/things/5:cancel'],
  ['OData', "/Users('{id}')/Orders", '/Users({id})/Orders', "/Users('x')/Orders"],
  ['RFC 6570', '/users{?page,limit}', '/users', '/users'],
  ['OpenAPI', '/geo/{lat},{lon}', '/geo/{lat},{lon}', '/geo/51.5,0.1'],
];

describe('every framework has one canonical spelling', () => {
  it.each(spellings)('%s: %s is %s', (_framework, raw, canonical, path, shown = raw) => {
    expect(canonicalRoute(raw)).toBe(canonical);
    expect(canonicalRoute(canonical)).toBe(canonical);
    const evidence = { httpRoute: raw, spanName: 'GET', path, method: 'GET', status: 200 };
    const { display, ...found } = endpointRoute(evidence);
    expect(found).toEqual({ route: canonical, templated: false });
    expect(display ?? canonical).toBe(shown);
    const { canonical: told, segments } = routePattern(raw);
    expect(told).toBe(canonical);
    if (segments !== -1) expect(path.split('/').filter(Boolean)).toHaveLength(segments);
  });

  it.each(['', '*', '/*', '/**', '**', '@fallback', '~ ^/v\\d+', '~* \\.php$', '(.*)', '/.*'])(
    '%j is no route',
    (raw) => {
      expect(routePattern(raw)).toEqual({ canonical: '', segments: -1 });
      const found = {
        httpRoute: raw,
        spanName: 'GET',
        path: '/users/7',
        method: 'GET',
        status: 200,
      };
      expect(endpointRoute(found)).toEqual({ route: '/users/{id}', templated: true });
    },
  );

  /** [framework, what it puts into http.route, a path, the route made up from it, what people see] */
  it.each([
    ['Express', '*', '/users/7', '/users/{id}', '/users/{id}'],
    ['Spring, no handler', '/**', '/users/7', '/users/{id}', '/users/{id}'],
    ['Servlet', '/*', '/users/7', '/users/{id}', '/users/{id}'],
    ['FastAPI mount', '/api/v1', '/api/v1/things/9', '/api/v1/things/{id}', '/api/v1/things/{id}'],
    ['Express router', '/api/', '/api/things/9', '/api/things/{id}', '/api/things/{id}'],
    ['Symfony', 'app_user_show', '/user/5', '/user/{id}', 'app_user_show'],
    ['Slim name', 'user.show', '/u/5', '/u/{id}', 'user.show'],
    ['Yii', 'User.view', '/user/5', '/user/{id}', 'User.view'],
    ['CodeIgniter', 'App\\Users::show', '/users/5', '/users/{id}', 'App\\Users::show'],
    ['nginx location', '/api/', '/api/users/7', '/api/users/{id}', '/api/users/{id}'],
    ['nginx regex', '~ ^/v\\d+', '/v2/users/7', '/v2/users/{id}', '/v2/users/{id}'],
    ['nginx name', '@fallback', '/users/7', '/users/{id}', '/users/{id}'],
  ])('%s: %s on %s is %s', (_framework, httpRoute, path, route, shown) => {
    const evidence = { httpRoute, spanName: 'GET', path, method: 'GET', status: 200 };
    const found = endpointRoute(evidence);
    expect(found).toMatchObject({ route, templated: true });
    expect(found.display ?? found.route).toBe(shown);
  });

  it('an array of paths is the alternative that was called', () => {
    const evidence = { httpRoute: '/a,/b/:id', spanName: '', path: '', method: 'GET', status: 200 };
    expect(endpointRoute({ ...evidence, path: '/b/3' }).route).toBe('/b/{id}');
    expect(endpointRoute({ ...evidence, path: '/a' }).route).toBe('/a');
    expect(endpointRoute(evidence)).toMatchObject({ route: '/a,/b/{id}', display: '/a,/b/:id' });
    expect(endpointRoute({ ...evidence, path: '/b/3' }).display).toBeUndefined();
    expect(routePattern('/a,/b/:id').segments).toBe(-1);
  });

  it('says how many segments a path has, or that only the path tells', () => {
    expect(routePattern('/')).toEqual({ canonical: '/', segments: 0 });
    expect(routePattern('/users/:id')).toEqual({ canonical: '/users/{id}', segments: 2 });
    expect(routePattern('/files/*').segments).toBe(-1);
    expect(routePattern('/v1/:f?').segments).toBe(-1);
    expect(routePattern('/error').segments).toBe(-1);
    expect(routePattern('app_user_show').segments).toBe(-1);
    expect(routePattern('/users/7').segments).toBe(-1);
  });

  it('a shape does not depend on the names of parameters', () => {
    expect(routeShape('/users/{id}')).toBe(routeShape('/users/{user_id}'));
    expect(routeShape('/users/{id}.json')).toBe('/users/{}.json');
    expect(routeShape('/users/{id}')).not.toBe(routeShape('/users/me'));
    expect(routeShape('(unmatched)')).toBe('(unmatched)');
    expect(routeShape('{other}')).toBe('{other}');
  });

  it('a literal has one spelling, encoded or not', () => {
    expect(canonicalRoute('/caf%C3%A9/{x}')).toBe('/café/{x}');
    expect(canonicalRoute('/cafÃ©/{x}')).toBe('/café/{x}');
    expect(canonicalRoute('/a%20b')).toBe('/a%20b');
    expect(canonicalRoute('/a b')).toBe('/a%20b');
  });

  it('stays within the bound of a route', () => {
    const long = canonicalRoute(`/users/${'a/*/'.repeat(600)}`);
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(limits.routeBytes);
    expect(long.endsWith('/{path}')).toBe(true);
    expect(canonicalRoute(long)).toBe(long);
    expect(canonicalRoute(`/${'ü'.repeat(600)}`)).toBe('/{path}');
    expect(routePattern(`/${'a'.repeat(2000)}`)).toEqual({ canonical: '', segments: -1 });
    const cut = `/users/{${'i'.repeat(600)}}`.slice(0, limits.routeBytes);
    expect(routePattern(cut)).toEqual({ canonical: '', segments: -1 });
  });
});
