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

  /** What the page says of a slice of the calls is what `/slice` and `/report` say. */
  const isSlice = async (parameters: string) => {
    const answer = await world.get(`/slice?window=7d&interval=hour&limit=10000&${parameters}`);
    const { slice } = answer;
    expect(slice.calls).toBeGreaterThan(0);
    await expect.poll(() => shown('Requests')).toBe(slice.calls);
    expect(await shown('Error rate')).toBe(slice.error_rate_pct);
    await expect.poll(() => shown('Endpoints')).toBe(slice.endpoints);
    expect(await figure('p95').locator('data').getAttribute('value')).toBe('');
    const outcomes = watched.page.getByRole('region', { name: 'Callers and answers' });
    for (const outcome of ['answered', 'refused', 'missing', 'failed']) {
      const item = outcomes.getByRole('listitem').filter({ hasText: outcome });
      const count = slice[`${outcome}_count`];
      if (count === 0) expect(await item.count()).toBe(0);
      else expect(await item.locator('data').getAttribute('value')).toBe(String(count));
    }
    const busiest = watched.page
      .getByRole('region', { name: 'Endpoints to look at' })
      .getByRole('listitem')
      .locator('data');
    const values = await busiest.evaluateAll((all) => all.map((one) => one.getAttribute('value')));
    const rows = answer.endpoints.slice(0, 8);
    expect(values).toEqual(rows.map(({ calls }: { calls: number }) => String(calls)));
    const charts = watched.page.getByRole('figure', { name: /^Requests/ });
    await charts.getByText('As a table').click();
    const cells = charts.locator('tbody tr td:nth-child(2)');
    const told = await cells.evaluateAll((all) =>
      all.map((one) => Number(one.textContent!.replace(/\D/g, ''))),
    );
    const points = answer.points.map(({ calls }: { calls: number }) => calls);
    expect(told).toEqual(points.slice(0, told.length));
    await charts.getByText('As a table').click();
  };

  it('a client narrows the whole overview, stacks with other filters, and comes off', async () => {
    await open('/');
    const { page } = watched;
    const callers = page.getByRole('region', { name: 'Callers and answers' });
    const { top_ips: clients } = await world.get('/summary?window=7d');
    const { ip } = clients[1];
    await callers.getByRole('button', { name: ip, exact: true }).click();
    await expect.poll(() => page.url()).toBe(`${world.url}/?client=${encodeURIComponent(ip)}`);
    await isSlice(`client=${ip}`);
    expect(await axeFindings(page)).toEqual([]);
    await figure('p95').click();
    await page.getByText('Durations are not kept by client').first().waitFor();
    await figure('Requests').click();
    // A row narrows further.
    const { endpoints } = await world.get(`/slice?window=7d&client=${ip}`);
    const { service, method, route } = endpoints[0];
    const list = page.getByRole('region', { name: 'Endpoints to look at' });
    await list.getByRole('button', { name: `${method} ${route}`, exact: true }).click();
    const named = `service=${service}&method=${method}&route=${encodeURIComponent(route)}`;
    await isSlice(`client=${ip}&${named}`);
    await chip('method', method).click();
    await chip('route', route).click();
    await isSlice(`client=${ip}&service=${service}`);
    // The page of calls takes it along, and brings it back.
    await page.getByRole('link', { name: 'Calls', exact: true }).click();
    expect(await page.getByLabel('Address').inputValue()).toBe(ip);
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    await chip('client', ip).click();
    await isLike(`service=${service}`);
    await page.goBack();
    await isSlice(`client=${ip}&service=${service}`);
    await watched.close();
  });

  it('a consumer and a status code narrow the whole overview', async () => {
    await open('/');
    const { page } = watched;
    const callers = page.getByRole('region', { name: 'Callers and answers' });
    await callers.getByRole('tab', { name: 'Consumers' }).click();
    const { consumers } = await world.get('/consumers?window=7d&limit=8');
    const ofKind = (kind: string) =>
      consumers.find((row: { named_by: string; consumer: string }) => row.named_by === kind);
    const agent = ofKind('agent').consumer;
    await callers.getByRole('button', { name: agent, exact: true }).click();
    await chip('user agent', agent).waitFor();
    await isSlice(`consumer=${agent}&named_by=agent`);
    await page.getByText('Durations are not kept by consumer').first().waitFor();
    await chip('user agent', agent).click();
    // The page of clients leads there too.
    await page.goto(`${world.url}/clients?callers=consumers`);
    await page.getByRole('link', { name: `overview of ${agent}`, exact: true }).click();
    await isSlice(`consumer=${agent}&named_by=agent`);
    await chip('user agent', agent).click();
    await callers.getByRole('tab', { name: 'Status codes' }).click();
    await callers.getByRole('button', { name: '404', exact: true }).click();
    await isSlice('status_code=404');
    expect(page.url()).toBe(`${world.url}/?http=404`);
    const spanNamed = ofKind('span')?.consumer ?? 'nobody';
    await page.goto(`${world.url}/?consumer=${encodeURIComponent(spanNamed)}`);
    if (spanNamed !== 'nobody') await isSlice(`consumer=${encodeURIComponent(spanNamed)}`);
    await watched.close();
  });

  it('a client and a status code together are no figures, and the page says where they are', async () => {
    await watched.page.goto(`${world.url}/?client=10.0.9.9&http=200`);
    const { page } = watched;
    await page.getByText('Calls are not counted by client and status code together').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole('link', { name: 'the single calls' }).click();
    await expect.poll(() => page.url()).toBe(`${world.url}/calls?http=200&client=10.0.9.9`);
    expect(await page.getByLabel('Address').inputValue()).toBe('10.0.9.9');
    await page.goBack();
    await chip('status code', '200').click();
    await figure('Requests').waitFor();
    await watched.close();
  });

  it('the change of the endpoints is that of those called, as /summary has it', async () => {
    await open('/?window=24h&compare=previous');
    const { summary, previous } = await world.get('/summary?window=24h');
    const change = summary.called_endpoints - previous.called_endpoints;
    const text = change === 0 ? '±0' : `${change < 0 ? '−' : '+'}${Math.abs(change)}`;
    await expect.poll(() => figure('Endpoints').textContent()).toContain(`${text} called`);
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
