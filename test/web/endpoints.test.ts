import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage, type Watched } from './browser.ts';
import { openWorld, sendShop, type World } from './world.ts';

describeInBrowser('the endpoints in a browser', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld();
    await sendShop(world);
  }, 180_000);
  afterAll(() => world?.close());
  beforeEach(async () => {
    watched = await openPage(world.browser, world.url);
  });

  const table = () => watched.page.getByRole('table', { name: 'Endpoints' });
  const links = () => table().getByRole('link').allTextContents();
  const open = async (search = '') => {
    await watched.page.goto(`${world.url}/endpoints${search}`);
    await table().getByRole('link').first().waitFor();
  };
  const named = ({ method, route }: { method: string; route: string }) => `${method} ${route}`;
  const ranked = async (query: string): Promise<string[]> =>
    (await world.get(`/report?window=7d&${query}`)).endpoints.map(named);

  it('shows every figure of a row as the API has it', async () => {
    await open(
      '?columns=route,total_calls,p50_duration_ms,p95_duration_ms,p99_duration_ms,max_duration_ms,unique_clients,lifetime_calls',
    );
    const { endpoints } = await world.get('/report?window=7d&limit=10');
    for (const [index, row] of endpoints.entries()) {
      const shown = table()
        .getByRole('row')
        .nth(index + 1);
      expect(await shown.getByRole('link').textContent()).toBe(named(row));
      const values = await shown
        .locator('data')
        .evaluateAll((data) => data.map((element) => Number(element.getAttribute('value'))));
      expect(values).toEqual([
        row.total_calls,
        row.p50_duration_ms,
        row.p95_duration_ms,
        row.p99_duration_ms,
        row.max_duration_ms,
        row.unique_clients,
        row.lifetime_calls,
      ]);
    }
    await watched.close();
  });

  it('sorts by a click on a heading, both ways, and keeps it in the address', async () => {
    await open();
    const { page } = watched;
    await table().getByRole('button', { name: 'p95' }).click();
    await expect.poll(() => page.url()).toContain('sort=p95_duration_ms&order=desc');
    const descending = await ranked('sort=p95_duration_ms&order=desc');
    await expect.poll(async () => (await links()).slice(0, 5)).toEqual(descending.slice(0, 5));
    await table().getByRole('button', { name: 'p95' }).click();
    const ascending = await ranked('sort=p95_duration_ms&order=asc');
    await expect.poll(async () => (await links()).slice(0, 3)).toEqual(ascending.slice(0, 3));
    expect(await table().getByRole('columnheader', { name: 'p95' }).getAttribute('aria-sort')).toBe(
      'ascending',
    );
    await page.goBack();
    await expect.poll(async () => (await links())[0]).toBe(descending[0]);
    await watched.close();
  });

  it('finds while one types, by all words, and says when there is nothing', async () => {
    await open();
    const { page } = watched;
    await page.keyboard.press('/');
    await page.keyboard.type('orders POST');
    const found = (await ranked('q=orders')).filter((name) => name.startsWith('POST'));
    expect(found.length).toBeGreaterThan(1);
    await expect.poll(async () => (await links()).toSorted()).toEqual(found.toSorted());
    await expect.poll(() => page.url()).toContain('q=orders+POST');
    await page.getByLabel('Search endpoints').fill('no such thing');
    await page.getByText('No endpoint like this').waitFor();
    await page.getByRole('button', { name: 'Take off all filters' }).click();
    const all = await ranked('');
    await expect.poll(async () => (await links())[0]).toBe(all[0]);
    await watched.close();
  });

  it('filters by status, groups, chooses columns, and all of it survives a reload', async () => {
    await open();
    const { page } = watched;
    await page.getByRole('button', { name: /^dead \d+$/ }).click();
    const dead = await ranked('status=dead');
    await expect.poll(async () => (await links()).toSorted()).toEqual(dead.toSorted());
    await page.getByRole('button', { name: /^cold \d+$/ }).click();
    await expect
      .poll(async () => (await links()).length)
      .toBe((await ranked('status=dead,cold')).length);
    await page.getByLabel('Group').selectOption('service');
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByLabel('p99').uncheck();
    await page.getByLabel('Calls ever').check();
    await page.keyboard.press('Escape');
    await page.reload();
    await table().getByText('catalog · production').waitFor();
    const headers = await table().getByRole('columnheader').allInnerTexts();
    expect(headers).toContain('Calls ever');
    expect(headers).not.toContain('p99');
    await watched.close();
  });

  it('is used by keyboard alone: next, open, close, and the focus is where it was', async () => {
    await open();
    const { page } = watched;
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    const all = await links();
    for (const [key, index] of [
      ['j', 0],
      ['j', 1],
      ['j', 2],
      ['k', 1],
    ] as const) {
      await page.keyboard.press(key);
      await expect.poll(focused).toBe(all[index]);
    }
    await page.keyboard.press('Enter');
    const drawer = page.getByRole('complementary', { name: 'Endpoint' });
    await drawer.getByRole('heading', { level: 2 }).waitFor();
    await expect.poll(focused).toBe(all[1]);
    expect(page.url()).toMatch(/\/endpoints\/[^/?]+$/);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.url()).toBe(`${world.url}/endpoints`);
    await expect.poll(focused).toBe(all[1]);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Shortcuts' }).waitFor();
    // Nothing under the dialog listens.
    await page.keyboard.press('m');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    expect(page.url()).toBe(`${world.url}/endpoints`);
    await watched.close();
  });

  it('has an address for each endpoint, whose figures are those of the API', async () => {
    const { endpoints } = await world.get('/report/top?window=7d&limit=1');
    const [row] = endpoints;
    const { page } = watched;
    await page.goto(`${world.url}/endpoints/${row.id}`);
    const drawer = page.getByRole('complementary', { name: 'Endpoint' });
    await drawer.getByText('Answers by status').waitFor();
    const answer = await world.get(`/endpoints/${row.id}?window=7d`);
    const facts = await drawer
      .locator('dl data')
      .evaluateAll((data) => data.map((element) => Number(element.getAttribute('value'))));
    const { total_calls, error_rate_pct, p95_duration_ms, unique_clients } = answer.endpoint;
    expect(facts).toEqual([total_calls, error_rate_pct, p95_duration_ms, unique_clients]);
    const outcomes = await drawer
      .locator('li[data-part] data')
      .evaluateAll((data) => data.map((element) => Number(element.getAttribute('value'))));
    const { answered_count, refused_count, missing_count, failed_count } = answer.endpoint;
    expect(outcomes).toEqual([answered_count, refused_count, missing_count, failed_count]);
    const heatmap = drawer.getByRole('figure', { name: 'Calls by time and duration' });
    await heatmap.getByText('As a table').click();
    const lines = heatmap.locator('tbody tr');
    await lines.first().waitFor();
    const filled = answer.latency_heatmap.counts.flat().filter((count: number) => count > 0);
    expect(await lines.count()).toBe(Math.min(50, filled.length));
    expect(Number(await lines.first().locator('td').last().innerText())).toBe(filled[0]);
    const curve = drawer.getByRole('figure', { name: 'Percentiles of the duration' });
    await curve.getByText('As a table').click();
    await expect.poll(() => curve.locator('tbody tr').count()).toBe(answer.percentile_curve.length);
    const statuses = Object.entries<number>(answer.status_codes).sort(([, a], [, b]) => b - a);
    const listed = drawer
      .locator('section', { hasText: 'Answers by status' })
      .getByRole('listitem');
    expect((await listed.first().innerText()).split('\n')[0]).toBe(statuses[0]![0]);
    expect(Number(await listed.first().locator('data').getAttribute('value'))).toBe(
      statuses[0]![1],
    );
    const clients = drawer.locator('section', { hasText: 'Clients' }).last().getByRole('listitem');
    expect((await clients.first().innerText()).split('\n')[0]).toBe(answer.clients[0].client);
    const consumers = drawer.locator('section', { hasText: 'Consumers' }).getByRole('listitem');
    expect(await consumers.count()).toBe(Math.min(10, answer.consumers.length));
    expect((await consumers.first().innerText()).split('\n')[0]).toBe(answer.consumers[0].consumer);
    const versions = drawer.locator('section', { hasText: 'Versions' }).locator('tbody tr');
    expect(await versions.count()).toBe(Math.min(8, answer.versions.length));
    expect(await versions.first().locator('td').first().innerText()).toBe(
      answer.versions[0].version,
    );
    const figures = await versions
      .first()
      .locator('data')
      .evaluateAll((data) => data.map((element) => Number(element.getAttribute('value'))));
    const { calls, error_rate_pct: rate, p50_duration_ms: p50 } = answer.versions[0];
    expect(figures.slice(0, 3)).toEqual([calls, rate, p50]);
    const callers = drawer.locator('section', { hasText: 'Last callers' }).locator('tbody tr');
    expect(await callers.count()).toBe(answer.last_callers.length);
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Close Esc' }).click();
    await expect.poll(() => page.url()).toBe(`${world.url}/endpoints`);
    await page.goBack();
    await drawer.waitFor();
    await watched.close();
  });

  it('gives the filtered list as CSV and as Markdown', async () => {
    await open('?service=orders&q=shipments');
    const { page } = watched;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const href = await page.getByRole('link', { name: 'CSV' }).getAttribute('href');
    const csv = await (await fetch(new URL(href!, world.url))).text();
    const shown = await links();
    expect(csv.trim().split('\r\n')).toHaveLength(shown.length + 1);
    await page.getByRole('button', { name: 'Copy as Markdown' }).click();
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.trim().split('\n')).toHaveLength(shown.length + 2);
    expect(copied).toContain(`\`${shown[0]}\``);
    await watched.close();
  });

  it('fits a phone: endpoint, status and calls, and a full page for one', async () => {
    const phone = await openPage(world.browser, world.url, {
      viewport: { width: 360, height: 740 },
      colorScheme: 'dark',
      hasTouch: true,
    });
    await phone.page.goto(`${world.url}/endpoints`);
    const list = phone.page.getByRole('table', { name: 'Endpoints' });
    await list.getByRole('link').first().waitFor();
    expect(await list.getByRole('columnheader').allInnerTexts()).toEqual([
      'Endpoint',
      'Status',
      'Calls ↓',
    ]);
    expect(await axeFindings(phone.page)).toEqual([]);
    await list.getByRole('link').first().tap();
    const drawer = phone.page.getByRole('complementary', { name: 'Endpoint' });
    await drawer.getByText('Answers by status').waitFor();
    expect((await drawer.boundingBox())!.width).toBe(360);
    expect(
      await phone.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
    ).toBe(true);
    await phone.close();
    await watched.close();
  });
});
