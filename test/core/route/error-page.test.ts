import { describe, expect, test } from 'vitest';
import { endpointRoute } from '../../../core/route/route.ts';

/**
 * Frameworks that forward a failed request to a page of its own report that page's route (docs/extraction.md
 * X23). The failure belongs to the endpoint that failed, which the path tells.
 */
function routeOf(httpRoute: string, path: string, status: number, spanName = ''): string {
  return endpointRoute({ httpRoute, path, status, spanName, method: 'GET' }).route;
}

describe('X23: an error page in place of the endpoint', () => {
  test.each([
    // dotnet/aspnetcore#68551: UseStatusCodePagesWithReExecute and UseExceptionHandler.
    ['Error/{statusCode:int?}', '/orders/7'],
    ['Home/Error', '/orders/7'],
    ['Home/HandleError/{code:int}', '/orders/7'],
    // .NET 10's Blazor template re-executes to /not-found.
    ['/not-found', '/orders/7'],
    ['StatusCode/{0}', '/orders/7'],
    ['Account/AccessDenied', '/orders/7'],
    // vercel/next.js#82102: the pages router's 404s and 500s.
    ['/_error', '/orders/7'],
    ['/500', '/orders/7'],
    // open-telemetry/opentelemetry-ruby-contrib#1555: Rails with an exceptions_app.
    ['/500(.:format)', '/orders/7'],
    ['/:code(.:format)', '/orders/7'],
    ['/errors/:status', '/orders/7'],
    // Spring Boot's BasicErrorController, its placeholder unresolved.
    ['$' + '{server.error.path:$' + '{error.path:/error}}', '/orders/7'],
    // nginx: error_page 500 502 503 504 /50x.html.
    ['= /50x.html', '/orders/7'],
    // Symfony's preview of error pages, Yii's errorAction, Twig.
    ['/_error/{code}.{_format}', '/orders/7'],
    ['site/error', '/orders/7'],
    ['/oops', '/orders/7'],
  ])('%s, 500 at %s: the endpoint is that of the path', (httpRoute, path) => {
    expect(routeOf(httpRoute, path, 500)).toBe('/orders/{id}');
    expect(routeOf(httpRoute, path, 503, `GET ${httpRoute}`)).toBe('/orders/{id}');
    expect(routeOf(httpRoute, path, 403)).toBe('/orders/{id}');
    expect(routeOf(httpRoute, path, 404)).toBe('(unmatched)');
  });

  test('a parameter that holds a status takes no other path', () => {
    expect(routeOf('/:code', '/orders', 500)).toBe('/orders');
    expect(routeOf('/:status(.:format)', '/orders', 500)).toBe('/orders');
  });

  test("Laravel's fallback route is no endpoint of what a scanner tried", () => {
    expect(routeOf('{fallbackPlaceholder}', '/wp-login.php', 404)).toBe('(unmatched)');
    expect(routeOf('{fallbackPlaceholder}', '/a/b', 404)).toBe('(unmatched)');
  });

  test('a page of errors that is asked for by itself is an endpoint', () => {
    expect(routeOf('Home/Error', '/Home/Error', 500)).toBe('/Home/Error');
    expect(routeOf('/errors/{id}', '/errors/7', 404)).toBe('/errors/{id}');
    expect(routeOf('Error/{statusCode:int?}', '/Error/500', 500)).toBe('/Error/{statusCode}');
    expect(routeOf('/:code', '/404', 404)).toBe('/{code}');
  });
});

describe('X23: a rewritten route is right, though it does not fit the path', () => {
  test.each([
    // Apache and nginx rewrites, Next.js rewrites, Laravel's and ASP.NET's UseRewriter.
    ['/items/{id}', '/i/7', 200],
    ['/items/{id}', '/i/7', 500],
    ['/items/{id}', '/old/items/by-number/7', 503],
    ['/shop/{category}/{product}', '/lamps', 422],
    ['/{locale}/home', '/', 500],
    // Words of errors only in a parameter's name, or in a route of an API of errors that succeeds.
    ['/reports/{error}/lines', '/r/7', 500],
    ['/error-reports/{id}', '/r/7', 200],
  ])('%s at %s, %i', (httpRoute, path, status) => {
    expect(routeOf(httpRoute, path, status)).toBe(httpRoute);
  });
});
