import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage, passTime, type Watched } from './browser.ts';
import { openWorld, sendShop, type World } from './world.ts';

describeInBrowser('the overview in a browser', () => {
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

  /** The tab of a figure, by its label. */
  const figure = (label: string) =>
    watched.page.getByRole('tab', { name: new RegExp(`^${label}`) }).first();
  const open = async (path = '/') => {
    await watched.page.goto(world.url + path);
    await figure('Requests').waitFor();
    await watched.page.locator('figure canvas').nth(2).waitFor();
  };

  it('shows the numbers of the API', async () => {
    await open();
    const { page } = watched;
    const { summary } = await world.get('/summary?window=7d');
    const report = await world.get('/report?window=7d');
    const shown = async (label: string) =>
      Number(await figure(label).locator('data').getAttribute('value'));
    expect(await shown('Requests')).toBe(summary.total_requests);
    expect(await shown('Error rate')).toBe(summary.error_rate_pct);
    expect(await shown('p95')).toBe(summary.p95_response_time_ms);
    expect(await shown('Clients')).toBe(summary.unique_ips);
    await expect.poll(() => shown('Endpoints')).toBe(report.summary.total_endpoints);
    const busiest = report.endpoints.slice(0, 8);
    const list = page.getByRole('region', { name: 'Endpoints to look at' });
    await list.getByRole('listitem').nth(7).waitFor();
    const rows = await list.getByRole('listitem').all();
    expect(rows).toHaveLength(8);
    for (const [index, row] of rows.entries()) {
      const { method, route, total_calls } = busiest[index];
      expect(await row.getByRole('button').textContent()).toBe(`${method} ${route}`);
      expect(Number(await row.locator('data').getAttribute('value'))).toBe(total_calls);
    }
    await watched.close();
  });

  it('compares with the same weekdays before, and with nothing when told', async () => {
    await open();
    const { page } = watched;
    const now = await world.get('/summary?window=7d');
    const { from, to } = now.window;
    // Minutes of then are not kept any more: to the nearest hour.
    const weekBefore = (at: string) => {
      const hours = Math.round((Date.parse(at) - 7 * 86_400_000) / 3_600_000);
      return new Date(hours * 3_600_000).toISOString();
    };
    const before = await world.get(`/summary?from=${weekBefore(from)}&to=${weekBefore(to)}`);
    const hourly = ({ window, summary }: typeof now) =>
      summary.total_requests / (Date.parse(window.to) - Date.parse(window.from));
    const change = (100 * (hourly(now) - hourly(before))) / hourly(before);
    const digits = Math.abs(change) >= 10 ? 0 : 1;
    const said = `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(digits)} %`;
    await expect.poll(() => figure('Requests').innerText()).toContain(`\n${said}`);
    await page.getByText('the 7 days before', { exact: true }).waitFor();
    await page.getByLabel('Compare with').selectOption('off');
    await expect.poll(() => page.url()).toContain('compare=off');
    await expect.poll(() => figure('Requests').innerText()).not.toContain('%');
    await watched.close();
  });

  it('narrows everything by a service and a method, keeps both in the address, and goes back', async () => {
    await open();
    const { page } = watched;
    await page.getByLabel('Service').selectOption('payments');
    await page.getByRole('tab', { name: 'Methods' }).click();
    await page.getByRole('button', { name: 'POST', exact: true }).click();
    await expect.poll(() => page.url()).toMatch(/\?service=payments&method=POST$/);
    const { summary } = await world.get('/summary?window=7d&service=payments&method=POST');
    const requests = () => figure('Requests').locator('data').getAttribute('value').then(Number);
    await expect.poll(requests).toBe(summary.total_requests);
    const { endpoints } = await world.get('/report?window=7d&service=payments&method=POST');
    await expect
      .poll(() => figure('Endpoints').locator('data').getAttribute('value').then(Number))
      .toBe(endpoints.length);
    const list = page.getByRole('region', { name: 'Endpoints to look at' });
    await expect
      .poll(
        async () =>
          new Set(
            (await list.getByRole('listitem').getByRole('button').allTextContents()).map(
              (row) => row.split(' ')[0],
            ),
          ),
      )
      .toEqual(new Set(['POST']));
    await page.getByRole('button', { name: 'take off the filter method POST' }).click();
    await expect.poll(() => page.url()).toMatch(/\?service=payments$/);
    await page.goBack();
    await expect.poll(requests).toBe(summary.total_requests);
    await page.goBack();
    await page.goBack();
    await expect.poll(() => page.url()).toBe(`${world.url}/`);
    const all = await world.get('/summary?window=7d');
    await expect.poll(requests).toBe(all.summary.total_requests);
    await watched.close();
  });

  it('changes the period by a key, by the list and by dragging, and zooms out again', async () => {
    await open();
    const { page } = watched;
    await page.keyboard.press('m');
    await expect.poll(() => page.url()).toContain('window=30d');
    await page.keyboard.press('d');
    await expect.poll(() => page.url()).toContain('window=24h');
    await page.getByRole('button', { name: 'Last 24 hours' }).click();
    await page.getByRole('button', { name: 'Last 7 days w' }).click();
    await expect.poll(() => page.url()).toBe(`${world.url}/`);
    await page.locator('figure canvas').first().waitFor();
    const over = page.locator('figure .u-over').first();
    const box = (await over.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 80, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => page.url()).toMatch(/\?from=.*&to=/);
    const query = new URL(page.url()).searchParams;
    const hours = (Date.parse(query.get('to')!) - Date.parse(query.get('from')!)) / 3_600_000;
    expect(hours).toBeGreaterThan(7 * 24 * 0.15);
    expect(hours).toBeLessThan(7 * 24 * 0.25);
    const { summary } = await world.get(`/summary?from=${query.get('from')}&to=${query.get('to')}`);
    await expect
      .poll(() => figure('Requests').locator('data').getAttribute('value').then(Number))
      .toBe(summary.total_requests);
    await page.keyboard.press('o');
    await expect.poll(() => page.url()).toBe(`${world.url}/`);
    await watched.close();
  });

  it('every figure is a tab of the chart, by mouse and by arrow keys', async () => {
    await open();
    const { page } = watched;
    await figure('Requests').focus();
    for (const [label, text] of [
      ['Error rate', 'error rate'],
      ['p95', 'p99'],
      ['Clients', 'Busiest addresses'],
      ['Endpoints', 'Endpoints by status'],
    ] as const) {
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => figure(label).getAttribute('aria-selected')).toBe('true');
      await page.getByRole('tabpanel').first().getByText(text, { exact: true }).first().waitFor();
    }
    await page.getByRole('button', { name: /^dead \d/ }).click();
    await expect.poll(() => page.url()).toContain('/?status=dead&figure=endpoints');
    await page.getByRole('link', { name: 'All of them in one table' }).click();
    await expect.poll(() => page.url()).toContain('/endpoints?status=dead');
    await watched.close();
  });

  it('every chart is a figure with a name and the same numbers as a table', async () => {
    await open();
    const { page } = watched;
    const chart = page.getByRole('figure', { name: 'Requests, by the hour' });
    await chart.getByText('As a table').click();
    const answer = await world.get('/timeseries?window=7d&interval=hour&tz=UTC');
    const cells = chart.locator('tbody tr');
    await cells.first().waitFor();
    expect(await cells.count()).toBe(50);
    const first = (await cells.first().locator('td').allInnerTexts())[1];
    expect(Number(first!.replace(/\D/g, ''))).toBe(answer.points[0].calls);
    await chart.getByRole('button', { name: 'Later' }).click();
    await chart.getByText('page 2 of 4').waitFor();
    expect(await page.getByRole('figure').count()).toBe(3);
    const outcomes = page.getByRole('figure', { name: 'Outcomes, by the hour' });
    await outcomes.getByText('As a table').click();
    await outcomes.locator('tbody tr').nth(30).waitFor();
    const columns = await outcomes.locator('thead th').allInnerTexts();
    const grouped = await world.get('/timeseries?window=7d&interval=hour&tz=UTC&group_by=outcome');
    const row = await outcomes.locator('tbody tr').nth(30).locator('td').allInnerTexts();
    for (const { name } of grouped.groups) {
      const ofOutcome = grouped.points.filter(({ group }: { group: string }) => group === name);
      expect(Number(row[columns.indexOf(name)]!.replace(/\D/g, '')), name).toBe(
        ofOutcome[30].calls,
      );
    }
    await page.getByRole('tab', { name: 'All calls' }).click();
    const heatmap = page.getByRole('figure', { name: 'Calls by time and duration' });
    await heatmap.getByText('As a table').click();
    await heatmap.locator('tbody tr').first().waitFor();
    const { latency_heatmap: all } = await world.get('/latency?window=7d');
    const [cell] = all.counts.flat().filter((calls: number) => calls > 0);
    const firstCell = await heatmap.locator('tbody tr').first().locator('td').allInnerTexts();
    expect(Number(firstCell[2]!.replace(/\D/g, ''))).toBe(cell);
    await page.getByRole('tab', { name: 'Percentiles' }).click();
    await page.getByRole('figure', { name: 'Percentiles of the duration' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await watched.close();
  });

  it('shows what is under the cursor of every chart', async () => {
    await open();
    const { page } = watched;
    const over = page.locator('figure .u-over').first();
    // A chart is made anew when the line of the time before comes
    await over.hover();
    // One time axis: the cursor is on all three.
    await expect
      .poll(() => page.locator('figure [aria-hidden] b').count())
      .toBeGreaterThanOrEqual(6);
    await watched.close();
  });

  it('shows dead endpoints with reasons in the API’s numbers, and copies them', async () => {
    const { page } = watched;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(`${world.url}/dead`);
    const { endpoints } = await world.get('/report/dead?window=7d');
    expect(endpoints.length).toBeGreaterThan(3);
    await page.getByRole('button', { name: `Dead list ${endpoints.length}` }).waitFor();
    for (const { method, route, days_since_last_call, lifetime_calls } of endpoints) {
      const item = page.locator('main li').filter({
        has: page.getByRole('link', { name: `${method} ${route}`, exact: true }),
      });
      const text = await item.first().innerText();
      // A dead endpoint may be called still: by robots, or in vain.
      if (days_since_last_call > 0)
        expect(text).toContain(`Silent for ${days_since_last_call} days`);
      else expect(text).toContain('No use in ');
      expect(text.replaceAll(',', '')).toContain(`${lifetime_calls} call`);
    }
    await page.getByRole('button', { name: 'Copy for pull request' }).first().click();
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/^### `(GET|POST) \/\S+` of \w+ \(production\): dead, confidence 0/);
    await watched.close();
  });

  it('lists consumers as the API does, and finds them by name', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/clients`);
    await page.getByLabel('Callers').selectOption('By consumer');
    const { consumers } = await world.get('/consumers?window=7d');
    const table = page.getByRole('table', { name: 'Consumers' });
    const first = table.getByRole('row').nth(1);
    await first.waitFor();
    expect(page.url()).toContain('callers=consumers');
    expect(await first.getByRole('cell').first().innerText()).toBe(consumers[0].consumer);
    expect(Number(await first.locator('data').first().getAttribute('value'))).toBe(
      consumers[0].calls,
    );
    const last = consumers.at(-1).consumer as string;
    await page.getByLabel('Search clients').fill(last);
    await expect.poll(() => first.getByRole('cell').first().innerText()).toBe(last);
    expect(await axeFindings(page)).toEqual([]);
    await watched.close();
  });

  it('an administrator says who a consumer is, and every page shows the name', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/clients?callers=consumers&window=30d`);
    await page.getByRole('button', { name: 'Name acme-erp …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Who is it?' });
    await dialog.getByLabel('Name').fill('<b>Acme</b>');
    await dialog.getByLabel('Group').fill('partners');
    expect(await axeFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('table').getByText('<b>Acme</b>').waitFor();
    const told = await world.get('/consumers?window=30d&group=partners');
    expect(told.consumers[0]).toMatchObject({ consumer: 'acme-erp', display_name: '<b>Acme</b>' });
    await page.getByRole('button', { name: 'Name acme-erp …' }).click();
    await dialog.getByRole('button', { name: 'Forget it' }).click();
    await page.getByRole('table').getByText('acme-erp').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await watched.close();
  });

  it('lists clients and services as the API does', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/clients`);
    const { clients } = await world.get('/clients?window=7d&limit=3');
    const row = page.getByRole('table', { name: 'Clients' }).getByRole('row').nth(1);
    await row.waitFor();
    expect(await row.getByRole('cell').first().innerText()).toBe(clients[0].client);
    expect(Number(await row.locator('data').first().getAttribute('value'))).toBe(clients[0].calls);
    await page.goto(`${world.url}/services`);
    const { services } = await world.get('/services?window=7d');
    const table = page.getByRole('table', { name: 'Services' });
    await table.getByRole('link', { name: services[0].service }).waitFor();
    expect(await table.getByRole('row').count()).toBe(services.length + 1);
    await table.getByRole('link', { name: services[0].service }).click();
    await expect.poll(() => page.url()).toContain(`/endpoints?service=${services[0].service}`);
    await watched.close();
  });

  it('nothing moves when figures are refreshed', async () => {
    await watched.page.clock.install();
    await open('/?window=1h');
    const { page } = watched;
    await page.waitForLoadState('networkidle');
    await page.evaluate(() => {
      const shifts: string[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & Shift)[]) {
          if (entry.hadRecentInput || entry.value < 0.001) continue;
          const moved = entry.sources.map(({ node }) => node?.textContent?.slice(0, 40));
          shifts.push(`${entry.value.toFixed(4)}: ${moved.join(' | ')}`);
        }
      }).observe({ type: 'layout-shift' });
      interface Shift {
        value: number;
        hadRecentInput: boolean;
        sources: { node?: Node }[];
      }
    });
    let answers = 0;
    page.on('response', (response) => {
      if (response.url().includes('/summary')) answers += 1;
    });
    await expect.poll(() => passTime(page).then(() => answers)).toBeGreaterThan(1);
    await page.waitForTimeout(1_000);
    expect(await page.evaluate(() => (window as unknown as { shifts: string[] }).shifts)).toEqual(
      [],
    );
    await watched.close();
  }, 90_000);

  it('says when the analyzer does not answer, keeps the figures, and goes on when it does', async () => {
    await watched.page.clock.install();
    await open('/?window=24h');
    const { page } = watched;
    await page.route('**/api/v1/**', (route) => route.abort());
    await expect
      .poll(() => passTime(page).then(() => page.getByRole('alert').count()))
      .toBeGreaterThan(0);
    expect(await page.getByRole('alert').first().innerText()).toContain('does not answer');
    expect(await figure('Requests').locator('data').getAttribute('value')).not.toBe('');
    await page.unroute('**/api/v1/**');
    await expect.poll(() => passTime(page).then(() => page.getByRole('alert').count())).toBe(0);
    await watched.close(/ERR_FAILED/);
  }, 120_000);

  it('an address that was made up shows the page, and a wrong one says so', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/?window=99999999d&compare=%00&figure=x&tz=No/Where&status=a,b`);
    await figure('Requests').waitFor();
    await page.goto(`${world.url}/endpoints/none`);
    await page.getByText('there is no endpoint "none"').waitFor();
    await page.goto(`${world.url}/nothing`);
    await page.getByText('There is no such page').first().waitFor();
    await watched.close(/404/);
  });
});
