import { describe, expect, it } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { templatePath } from '../../../core/route/template.ts';

describe('values become parameters', () => {
  it.each([
    ['/users/1', '/users/{id}'],
    ['/users/42/orders/1001', '/users/{id}/orders/{id}'],
    ['/orders/1002/items/b7', '/orders/{id}/items/{id}'],
    ['/items/-1', '/items/{id}'],
    ['/things/6f1c2b9e-8a53-4f0e-9a7c-3d2b1e0f4a55', '/things/{id}'],
    ['/things/6F1C2B9E8A534F0E9A7C3D2B1E0F4A55', '/things/{id}'],
    ['/things/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/things/{id}'],
    ['/things/507f1f77bcf86cd799439011', '/things/{id}'],
    ['/commits/da39a3ee5e6b4b0d3255bfef95601890afd80709', '/commits/{id}'],
    ['/blobs/deadbeef01', '/blobs/{id}'],
    ['/v1/customers/cus_9s6XKzkNRiz8i3', '/v1/customers/{id}'],
    ['/hooks/tok-TfIyaUlonksPiRrmbVjMBBaz', '/hooks/{id}'],
    ['/watch/dQw4w9WgXcQ', '/watch/{id}'],
    ['/tokens/aGVsbG8gd29ybGQsIGhvdyBhcmU', '/tokens/{id}'],
    ['/rest/api/3/issue/PROJ-123', '/rest/api/3/issue/{id}'],
    ['/invoices/INV-2024-001', '/invoices/{id}'],
    ['/users/jane.doe@example.com', '/users/{id}'],
    ['/users/jane%40example.com', '/users/{id}'],
    ['/users/~jane', '/users/{id}'],
    ['/@jane/posts', '/{id}/posts'],
    ['/reports/2024-01-31', '/reports/{date}'],
    ['/reports/2024-01', '/reports/{date}'],
    ['/events/2024-01-31T10:00:00Z', '/events/{date}'],
    ['/archive/2024/05/17', '/archive/{id}/{id}/{id}'],
    ['/hosts/10.0.0.1', '/hosts/{id}'],
    ['/hosts/2001:db8::1', '/hosts/{id}'],
    ['/geo/51.5,-0.12', '/geo/{id}'],
    ['/batch/1,2,3', '/batch/{id}'],
    ['/search/some%20phrase', '/search/{id}'],
    ['/users/J%C3%BCrgen', '/users/{id}'],
    ['/users/Jürgen', '/users/{id}'],
    ['/users/JÃ¼rgen', '/users/{id}'],
    ['/currencies/USD', '/currencies/{id}'],
    ['/domains/example.com/dns', '/domains/{id}/dns'],
    ['/en-US/products', '/{locale}/products'],
    ['/docs/pt_br/start', '/docs/{locale}/start'],
    ['/videos/7/captions/de', '/videos/{id}/captions/{locale}'],
    ['/users/jane', '/users/{id}'],
    ['/repos/jane-doe/silent-letter/issues/7', '/repos/{id}/{id}/issues/{id}'],
    ['/tags/coffee/posts', '/tags/{id}/posts'],
    ['/podcasts/quick-blanket/episodes/1', '/podcasts/{id}/episodes/{id}'],
    ['/fx/CHF/latest', '/fx/{id}/latest'],
    ['/issue/SHOP-39/transitions', '/issue/{id}/transitions'],
    ['/prices/BTC-USD/spot', '/prices/{id}/spot'],
    ['/incidents/PQYGCUX/notes', '/incidents/{id}/notes'],
    ['/embed/gdcLqgkWupd', '/embed/{id}'],
    ['/embed/VzSvUC2uMen', '/embed/{id}'],
    ['/blog/how-to-write-good-code-today', '/blog/{id}'],
    ['/products/iphone-15-pro', '/products/{id}'],
    ['/Users(5)/Orders', '/Users({id})/Orders'],
    ['/v1/things/123:cancel', '/v1/things/{id}:cancel'],
    ['/pods/web-7d4b9c6f5-x2x7q', '/pods/{id}'],
    [`/tokens/${'word-'.repeat(20)}`, '/tokens/{id}'],
  ])('%s is %s', (path, template) => {
    expect(templatePath(path)).toBe(template);
    expect(templatePath(template)).toBe(template);
  });
});

describe('words and versions stay', () => {
  it.each([
    '/',
    '/health',
    '/users/me',
    '/users/search',
    '/users/sign_in',
    '/user/repos',
    '/users/password/edit',
    '/tags/popular',
    '/products/best-sellers',
    '/repos/search',
    '/data/2.5/weather',
    '/rest/agile/1.0/board',
    '/exports/today/PDF',
    '/exportPdf/parseHtmlToXml',
    '/getHTTPSUrl/toHtml',
    '/wiki/Special:Search',
    '/auth/log-in',
    '/users/@me/guilds',
    '/api/v1/users',
    '/apis/apps/v1beta1/deployments',
    '/v1.1/statuses/home_timeline.json',
    '/1.1/statuses/home_timeline.json',
    '/2/tweets/search',
    '/2010-04-01/Accounts',
    '/api/0/projects',
    '/admin/api/2024-01/products.json',
    '/oauth2/token',
    '/k8s/ipv6/sha256/base64',
    '/auth/forgot-password',
    '/auth/sign-in-with-google',
    '/auth/sign-in-to-workspace',
    '/stats/last-30-days',
    '/odata/$metadata',
    '/Users()/Orders',
    '/v1/things:batchGet',
    '/getUserOrdersByCustomerId',
    '/getOAuth2Token',
    '/CreateShipmentWithTracking',
    '/admin/internationalization-settings',
    '/.well-known/openid-configuration',
    '/api/openapi.json',
  ])('%s', (path) => expect(templatePath(path)).toBe(path));
});

describe('files', () => {
  it.each([
    ['/favicon.ico', '/favicon.ico'],
    ['/robots.txt', '/robots.txt'],
    ['/index.html', '/index.html'],
    ['/wp-login.php', '/wp-login.php'],
    ['/users/7.json', '/users/{id}.json'],
    ['/invoices/123.pdf', '/invoices/{id}.pdf'],
    ['/guide/intro.pdf', '/guide/{file}'],
    ['/main.3f2a1bc9.js', '/{file}'],
    ['/users/5/avatar.png', '/users/{id}/avatar.png'],
    ['/users/5/IMG_2041.png', '/users/{id}/{file}'],
    ['/statements/2024-02.pdf', '/statements/{date}.pdf'],
    ['/static/css/main.3f2a1b.css', '/static/{path}'],
    ['/assets/logo.png', '/assets/{path}'],
    ['/files/a.txt', '/files/{path}'],
    ['/files/docs/2026/read%20me.md', '/files/{path}'],
    ['/api/v1/uploads/2024/05/photo.jpg', '/api/v1/uploads/{path}'],
    ['/tiles/12/2200/1343.png', '/tiles/{id}/{id}/{id}.png'],
  ])('%s is %s', (path, template) => {
    expect(templatePath(path)).toBe(template);
    expect(templatePath(template)).toBe(template);
  });
});

it('the query, matrix parameters, doubled and trailing slashes are no part of a route', () => {
  expect(templatePath('/users/7?name=x#y')).toBe('/users/{id}');
  expect(templatePath('/a;v=1/b;w=2')).toBe('/a/b');
  expect(templatePath('//a///b/')).toBe('/a/b');
  expect(templatePath('http://host:80/users/7')).toBe('/users/{id}');
});

it('a deep path ends in {path} at the bound of a route', () => {
  const template = templatePath('/word'.repeat(400));
  expect(Buffer.byteLength(template)).toBeLessThanOrEqual(limits.routeBytes);
  expect(template.endsWith('/word/{path}')).toBe(true);
});
