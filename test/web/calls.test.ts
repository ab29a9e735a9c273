import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { serverSpan } from '../support/export-request.ts';
import { axeFindings, describeInBrowser, openPage, type Watched } from './browser.ts';
import { openWorld, sendShop, type World } from './world.ts';

describeInBrowser('raw calls in a browser', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld({ ROLLCALL_TRACE_URL: 'https://jaeger.example/trace/{trace_id}' });
    await sendShop(world);
  }, 180_000);
  afterAll(() => world?.close());
  beforeEach(async () => {
    watched = await openPage(world.browser, world.url);
  });

  const table = () => watched.page.getByRole('table', { name: 'Calls' });
  const open = async (search = '') => {
    await watched.page.goto(`${world.url}/calls${search}`);
    await table().locator('[data-row]').first().waitFor();
  };
  const ids = () =>
    table()
      .locator('[data-row]')
      .evaluateAll((rows) => rows.slice(0, 10).map((row) => row.getAttribute('data-row')));
  const expected = async (search: string) =>
    (
      await world.get(`/calls?limit=10&${search.includes('window=') ? '' : 'window=7d&'}${search}`)
    ).calls.map(({ id }: { id: string }) => id);

  /** A call that ends now. */
  const sendCall = (status: number, route: string): Promise<void> =>
    world.send([
      {
        attributes: [{ key: 'service.name', value: 'shop' }],
        scopes: [
          {
            name: 'test',
            spans: [
              serverSpan({
                attributes: [
                  { key: 'http.request.method', value: 'GET' },
                  { key: 'http.route', value: route },
                  { key: 'http.response.status_code', value: status },
                  { key: 'error.type', value: '<script>alert(1)</script>\u202e' },
                ],
              }),
            ],
          },
        ],
      },
    ]);

  it('lists the newest calls as the API does, and narrows them by status and order', async () => {
    await open();
    expect(await ids()).toEqual(await expected(''));
    const { page } = watched;
    await page.getByLabel('Status').selectOption('4xx,5xx');
    await expect.poll(() => page.url()).toContain('http=4xx%2C5xx');
    await expect.poll(ids).toEqual(await expected('status=4xx,5xx'));
    await page.getByLabel('Order').selectOption('duration_ms');
    await expect.poll(ids).toEqual(await expected('status=4xx,5xx&sort=duration_ms'));
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(ids).toEqual(await expected('sort=duration_ms'));
    await page.goBack();
    await expect.poll(ids).toEqual(await expected('status=4xx,5xx&sort=duration_ms'));
    await watched.close();
  });

  it('finds by route and duration, pages on, and says when there is nothing', async () => {
    await open('?window=30d');
    const { page } = watched;
    const some = (await world.get('/calls?window=30d&limit=1')).calls[0];
    await page.getByLabel('Route').fill(some.route);
    await page.getByLabel('At least').fill('1');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('duration_min=1');
    const search = `window=30d&route=${encodeURIComponent(some.route)}&duration_min=1`;
    await expect.poll(ids).toEqual(await expected(search));
    await page.getByLabel('Trace id').fill('f'.repeat(32));
    await page.keyboard.press('Enter');
    await page.getByText('No call like this').waitFor();
    await watched.close();
  });

  it('shows all of one call, with a link to its trace; Escape returns to the row', async () => {
    await sendCall(503, '/<b>hostile</b>/{id}');
    await open();
    const { page } = watched;
    await table()
      .getByRole('button')
      .filter({ has: page.locator('time') })
      .first()
      .click();
    const detail = page.getByRole('complementary', { name: 'Call' });
    const { calls } = await world.get('/calls?limit=1');
    const link = detail.getByRole('link', { name: /^trace / });
    expect(await link.getAttribute('href')).toBe(
      `https://jaeger.example/trace/${calls[0].trace_id}`,
    );
    expect(await link.getAttribute('rel')).toBe('noreferrer');
    expect(await detail.getByText('<script>alert(1)</script>').count()).toBe(1);
    expect(await axeFindings(page)).toEqual([]);
    await page.screenshot({ path: '/tmp/calls-detail.png' });
    await page.keyboard.press('Escape');
    await expect.poll(() => detail.count()).toBe(0);
    const focused = await page.evaluate(
      () => document.activeElement?.closest('[data-row]')?.getAttribute('data-row') ?? '',
    );
    expect(focused).toBe(calls[0].id);
    await watched.close();
  });

  it('goes on with calls that arrive while it is live', async () => {
    await open();
    const { page } = watched;
    await page.getByRole('button', { name: 'Live' }).click();
    await sendCall(500, '/live/{id}');
    await expect
      .poll(() => table().locator('[data-row]').first().textContent(), { timeout: 20_000 })
      .toContain('/live/{id}');
    await sendCall(200, '/live-again');
    await expect
      .poll(() => table().locator('[data-row]').first().textContent(), { timeout: 20_000 })
      .toContain('/live-again');
    expect(new Set(await ids()).size).toBe(10);
    await watched.close();
  });

  it('an endpoint shows its slowest calls and latest errors, with a way to all of them', async () => {
    const { calls } = await world.get('/calls?status=4xx,5xx&limit=1');
    const { page } = watched;
    await page.goto(`${world.url}/endpoints/${calls[0].endpoint}`);
    const drawer = page.getByRole('complementary', { name: 'Endpoint' });
    await drawer.getByText('Latest errors').waitFor();
    const detail = await world.get(`/endpoints/${calls[0].endpoint}?window=7d`);
    expect(
      await drawer
        .getByRole('link', { name: /^trace / })
        .first()
        .getAttribute('href'),
    ).toBe(detail.slowest_calls[0].trace_url);
    expect(await axeFindings(page)).toEqual([]);
    await drawer.getByText('Slowest calls').scrollIntoViewIfNeeded();
    await page.screenshot({ path: '/tmp/calls-endpoint.png' });
    await drawer.getByRole('link', { name: 'All of them' }).last().click();
    await table().locator('[data-row]').first().waitFor();
    expect(page.url()).toContain(`endpoint=${calls[0].endpoint}`);
    await watched.close();
  });

  it('is clean for axe on a desk and on a phone, light and dark', async () => {
    await watched.close();
    for (const [name, options] of [
      ['light', {}],
      ['dark', { colorScheme: 'dark' as const }],
      ['phone', { viewport: { width: 360, height: 740 } }],
    ] as const) {
      watched = await openPage(world.browser, world.url, options);
      await open();
      expect(await axeFindings(watched.page), name).toEqual([]);
      const overflow = await watched.page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      expect(overflow, name).toBeLessThanOrEqual(0);
      await watched.page.screenshot({ path: `/tmp/calls-${name}.png` });
      await watched.close();
    }
  });
});
