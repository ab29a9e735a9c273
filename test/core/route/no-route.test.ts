import { describe, expect, test } from 'vitest';
import { endpointRoute } from '../../../core/route/route.ts';

/** Texts in `http.route` that are no route, or not this request's, with the reports that show them. */
function routeOf(httpRoute: string, path: string, status = 200, spanName = 'GET'): string {
  return endpointRoute({ httpRoute, spanName, path, method: 'GET', status }).route;
}

describe('X24: texts that are no route', () => {
  test.each([
    // elysiajs/opentelemetry#40.
    ['undefined', '/users/7', '/users/{id}'],
    ['<unknown_route>', '/users/7', '/users/{id}'],
    // traefik/traefik#11230, #13504.
    ['PathPrefix(`/api/v1/ml-scribe`)', '/api/v1/ml-scribe/7', '/api/v1/ml-scribe/{id}'],
    ['HostRegexp(`{sub:[a-z]+}.a.example`)', '/users/7', '/users/{id}'],
    // Istio's and Envoy's names of routes.
    ['inbound|8080||', '/users/7', '/users/{id}'],
    ['outbound|9080||reviews.default.svc.cluster.local', '/users/7', '/users/{id}'],
    // open-telemetry/opentelemetry-php#1841.
    ['_api_/books/{id}{._format}_get', '/books/5', '/books/{id}'],
    // Rails, before it named routes.
    ['UsersController#show', '/users/7', '/users/{id}'],
  ])('%s: the path decides', (text, path, expected) => {
    expect(routeOf(text, path)).toBe(expected);
    expect(routeOf(text, path, 200, `GET ${text}`)).toBe(expected);
  });

  test.each([
    ['undefined', 404],
    ['_api_/books/{id}{._format}_get', 404],
    ['Host(`a.example`)', 404],
  ])('%s, %i: unmatched, as without a route', (text, status) => {
    expect(routeOf(text, '/books/5', status)).toBe('(unmatched)');
  });
});

describe('X24: segments that no path has', () => {
  test.each([
    // A base URL that is not set, as in PayU/prometheus-api-metrics#17 and #18.
    ['/undefined/users/:id', '/users/7', '/users/{id}'],
    ['undefined/users/:id', '/users/7', '/users/{id}'],
    ['/api/null/users/:id', '/api/users/7', '/api/users/{id}'],
    ['/[object Object]/users/:id', '/users/7', '/users/{id}'],
    ['/null/x', '/users/7', '/users/{id}'],
    // vercel/next.js#77150: the app router's files.
    ['/api/app/[param]/data/route', '/api/app/7/data', '/api/app/{param}/data'],
    ['/users/[id]/page', '/users/7', '/users/{id}'],
    ['/@modal/(.)photos/[id]', '/photos/7', '/photos/{id}'],
    // Verdaccio: a middleware below the mount puts the request's URL back.
    ['/-/npm/v1/-/npm/v1/user', '/-/npm/v1/user', '/-/npm/v1/user'],
    [
      '/-/verdaccio/-/verdaccio/data/sidebar/:pkg',
      '/-/verdaccio/data/sidebar/x',
      '/-/verdaccio/data/sidebar/{pkg}',
    ],
    // TanStack Router and Remix: layouts without a path.
    ['/_auth/dashboard/$id<[^/]+>', '/dashboard/7', '/dashboard/{id}'],
  ])('%s at %s is %s', (text, path, expected) => {
    expect(routeOf(text, path)).toBe(expected);
  });

  test('an optional group may hold a segment (Verdaccio)', () => {
    const tags = '/-/package/(@[^/]+/)?:package/dist-tags';
    const expected = '/-/package/@{re}/{package}/dist-tags';
    expect(routeOf(tags, '/-/package/lodash/dist-tags')).toBe(expected);
    expect(routeOf(tags, '/-/package/@babel/core/dist-tags')).toBe(expected);
    const files = '/(@[^/]+/)?:package/-/:filename';
    expect(routeOf(files, '/lodash/-/lodash-4.tgz')).toBe('/@{re}/{package}/-/{filename}');
    expect(routeOf(files, '/@babel/core/-/core-7.tgz')).toBe('/@{re}/{package}/-/{filename}');
  });

  test('segments that the path has stay', () => {
    expect(routeOf('/a/a/:id', '/a/a/7')).toBe('/a/a/{id}');
    expect(routeOf('/undefined/users/:id', '/undefined/users/7')).toBe('/undefined/users/{id}');
    expect(routeOf('/users/:id/page', '/users/7/page')).toBe('/users/{id}/page');
    expect(routeOf('/_search/:index', '/_search/books')).toBe('/_search/{index}');
  });
});

describe('X24: conventional routes are filled from the path', () => {
  const mvc = '{controller=Home}/{action=Index}/{id?}';
  test.each([
    // open-telemetry/opentelemetry-dotnet-contrib#1730; open-telemetry/semantic-conventions#2734.
    [mvc, '/', '/'],
    [mvc, '/Home', '/Home'],
    [mvc, '/Home/Privacy', '/Home/Privacy'],
    [mvc, '/Products/Details/5', '/Products/Details/{id}'],
    [
      '{area:exists}/{controller=Home}/{action=Index}/{id?}',
      '/Admin/Users/Edit/5',
      '/Admin/Users/Edit/{id}',
    ],
    ['api/{controller}/{id}', '/api/values/5', '/api/values/{id}'],
    ['{culture}/{controller}/{action}', '/de/Home/About', '/{culture}/Home/About'],
    // Rails' match ':controller(/:action(/:id))', CakePHP, Yii.
    [':controller(/:action(/:id))', '/posts/show/7', '/posts/show/{id}'],
    ['/:controller/:action', '/posts/add', '/posts/add'],
    ['<controller:\\w+>/<action:\\w+>', '/site/contact', '/site/contact'],
  ])('%s at %s is %s', (text, path, expected) => {
    expect(routeOf(text, path)).toBe(expected);
  });

  test('a value that is no name stays a parameter, and a 404 is the endpoint’s own', () => {
    expect(routeOf('/:controller/:action', '/posts/17')).toBe('/posts/{action}');
    expect(routeOf(mvc, '/Products/Details/5', 404)).toBe('/Products/Details/{id}');
  });
});

describe('X24: folders of pages', () => {
  test.each([
    // sveltejs/kit#14333.
    ['/(app)/users/[id=integer]', '/users/42', '/users/{id}'],
    ['/(app)/(public)/[[lang]]/about', '/about', '/{lang}/about'],
    ['/(marketing)', '/', '/'],
    ['/feed/(..)photo/[id]', '/feed/photo/7', '/feed/photo/{id}'],
    ['/(.)photo/[id]', '/photo/7', '/photo/{id}'],
  ])('%s at %s is %s', (text, path, expected) => {
    expect(routeOf(text, path)).toBe(expected);
  });

  test('groups of a regular expression stay', () => {
    expect(routeOf('/(users|orders)/(\\d+)', '/users/7')).toBe('/{re}/{id}');
    expect(routeOf('/v1/(users)/(\\d+)', '/v1/users/7')).toBe('/v1/users/{id}');
  });
});
