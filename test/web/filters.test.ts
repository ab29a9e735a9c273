import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage, type Watched } from './browser.ts';
import { openWorld, sendShop, type World } from './world.ts';

describeInBrowser('filters of the dashboard in a browser', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld();
    await sendShop(world);
    const routes = ['/api/v2/orders', '/api/v2/orders/{orderId}', '/api/v1/orders'];
    const put = await fetch(`${world.url}/api/v1/services/orders/inventory`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        routes: routes.map((route) => ({ method: 'GET', route, owner: 'team-checkout' })),
      }),
    });
    expect(put.status).toBe(200);
  }, 180_000);
  afterAll(() => world?.close());
  beforeEach(async () => {
    watched = await openPage(world.browser, world.url);
  });

  const figure = (label: string) =>
    watched.page.getByRole('tab', { name: new RegExp(`^${label}`) }).first();
  const shown = async (label: string) =>
    Number(await figure(label).locator('data').getAttribute('value'));
  const open = async (path: string) => {
    await watched.page.goto(world.url + path);
    await figure('Requests').waitFor();
  };
  const chip = (name: string, value: string) =>
    watched.page.getByRole('button', { name: `take off the filter ${name} ${value}`, exact: true });
  /** Every figure of the overview is the API's under the same filters. */
  const isLike = async (filters: string) => {
    const { summary } = await world.get(`/summary?window=7d&${filters}`);
    const { endpoints } = await world.get(`/report?window=7d&${filters}`);
    await expect.poll(() => shown('Requests')).toBe(summary.total_requests);
    expect(await shown('Error rate')).toBe(summary.error_rate_pct ?? 0);
    expect(await shown('p95')).toBe(summary.p95_response_time_ms ?? 0);
    expect(await shown('Clients')).toBe(summary.unique_ips);
    const counted = endpoints.filter(({ status }: { status: string | null }) => status !== null);
    await expect.poll(() => shown('Endpoints')).toBe(counted.length);
    const charts = watched.page.getByRole('figure', { name: /^Outcomes/ });
    if ((await charts.locator('details[open]').count()) === 0) {
      await charts.getByText('As a table').click();
    }
    const series = await world.get(`/timeseries?window=7d&interval=hour&tz=UTC&${filters}`);
    const calls = series.points.slice(0, 50).map((point: { calls: number }) => point.calls);
    const sums = () =>
      charts
        .locator('tbody tr')
        .evaluateAll((rows) =>
          rows.map((row) =>
            [...row.querySelectorAll('td')]
              .slice(1)
              .reduce((sum, cell) => sum + Number(cell.textContent!.replace(/\D/g, '')), 0),
          ),
        );
    await expect.poll(sums).toEqual(calls);
  };

  it('a row narrows the whole page to its endpoint, filters stack, and each comes off', async () => {
    await open('/');
    const { page } = watched;
    const list = page.getByRole('region', { name: 'Endpoints to look at' });
    const { service, method, route } = (await world.get('/report?window=7d')).endpoints[4];
    const named = `service=${service}&method=${method}&route=${encodeURIComponent(route)}`;
    await list.getByRole('button', { name: `${method} ${route}`, exact: true }).click();
    await expect.poll(() => page.url()).toBe(`${world.url}/?${named}`);
    await isLike(named);
    expect(await axeFindings(page)).toEqual([]);
    await chip('method', method).click();
    await chip('route', route).click();
    await expect.poll(() => page.url()).toBe(`${world.url}/?service=${service}`);
    await isLike(`service=${service}`);
    await page.goBack();
    await isLike(`service=${service}&route=${encodeURIComponent(route)}`);
    await list.getByRole('link', { name: `open ${method} ${route}`, exact: true }).click();
    await page.getByRole('complementary', { name: 'Endpoint' }).waitFor();
    await watched.close();
  });

  it('a status narrows figures, charts and callers, and goes along to the other pages', async () => {
    await open('/?figure=endpoints');
    const { page } = watched;
    await page.getByRole('button', { name: /^dead \d/ }).click();
    await chip('status', 'dead').waitFor();
    await isLike('status=dead');
    await page.getByRole('link', { name: /^Clients/ }).click();
    const clients = page.getByRole('table', { name: 'Clients' });
    const ofDead = await world.get('/clients?window=7d&status=dead&limit=10000');
    expect(ofDead.clients.length).toBeGreaterThan(0);
    await expect
      .poll(() => clients.getAttribute('aria-rowcount'))
      .toBe(String(ofDead.clients.length + 1));
    await page.getByRole('link', { name: 'Compare', exact: true }).click();
    const compared = await world.get('/compare?window=7d&status=dead');
    await expect
      .poll(() => page.getByRole('table', { name: 'Comparison' }).getAttribute('aria-rowcount'))
      .toBe(String(compared.endpoints.length + 1));
    await chip('status', 'dead').click();
    await expect.poll(() => page.url()).toBe(`${world.url}/compare`);
    await watched.close();
  });

  it('an owner narrows every page that has endpoints', async () => {
    await open('/?owner=team-checkout');
    const { page } = watched;
    await isLike('owner=team-checkout');
    const { endpoints } = await world.get('/report?window=7d&owner=team-checkout');
    await page.getByRole('link', { name: /^Endpoints/ }).click();
    const table = page.getByRole('table', { name: 'Endpoints' });
    await expect.poll(() => table.getAttribute('aria-rowcount')).toBe(String(endpoints.length + 1));
    expect(await page.locator('select[aria-label=Owner]').inputValue()).toBe('of team-checkout');
    await page.getByRole('link', { name: /^Dead list/ }).click();
    const dead = await world.get('/report/dead?window=7d&owner=team-checkout');
    await page.getByRole('button', { name: `Dead list ${dead.endpoints.length}` }).waitFor();
    await watched.close();
  });

  it('a pattern of routes is the same filter in tables of the page and in the API', async () => {
    const pattern = '/api/v?/*s';
    await open(`/?route=${encodeURIComponent(pattern)}`);
    const { page } = watched;
    await isLike(`route=${encodeURIComponent(pattern)}`);
    const { endpoints } = await world.get(`/report?window=7d&route=${encodeURIComponent(pattern)}`);
    expect(endpoints.length).toBeGreaterThan(3);
    await page.getByRole('link', { name: /^Endpoints/ }).click();
    const table = page.getByRole('table', { name: 'Endpoints' });
    await expect.poll(() => table.getAttribute('aria-rowcount')).toBe(String(endpoints.length + 1));
    await page.getByRole('link', { name: 'Calls', exact: true }).click();
    expect(await page.getByLabel('Route').inputValue()).toBe(pattern);
    await watched.close();
  });

  it('Share copies absolute times and the zone; the page itself stays relative', async () => {
    await watched.close();
    watched = await openPage(world.browser, world.url, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await open('/?window=24h&service=payments');
    const { page } = watched;
    await page.getByRole('button', { name: 'Share' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const shared = new URL(await page.evaluate(() => navigator.clipboard.readText()));
    const { searchParams: query } = shared;
    expect(query.get('service')).toBe('payments');
    expect(query.get('tz')).toBe('UTC');
    const [from, to] = ['from', 'to'].map((name) => Date.parse(query.get(name)!));
    expect(to! - from!).toBe(24 * 3_600_000);
    expect(Math.abs(to! - Date.now())).toBeLessThan(120_000);
    expect(page.url()).toContain('window=24h');
    const requests = await shown('Requests');
    await page.goto(shared.href);
    await expect.poll(() => shown('Requests')).toBe(requests);
    await watched.close();
  });
});
