import { afterAll, beforeAll, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage, type Watched } from './browser.ts';
import { type MadeCall, openWorld, spansOf, type World } from './world.ts';

const hourMs = 3_600_000;
const hostile = '/<b>bold\u202E';

describeInBrowser('the comparison in a browser', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld();
    // Twelve days in which 1.1.0 takes over from 1.0.0 six days ago, half an hour beside every edge
    const calls: MadeCall[] = Array.from({ length: 12 * 24 }, (_, n) => {
      const isNew = n < 6 * 24;
      const agoMs = n * hourMs + hourMs / 2;
      const call = { agoMs, version: isNew ? '1.1.0' : '1.0.0', durationMs: 10 + (n % 7) };
      return [
        { ...call, route: '/slow', durationMs: (isNew ? 100 : 10) + (n % 7) },
        { ...call, route: '/fast', durationMs: (isNew ? 10 : 100) + (n % 7) },
        { ...call, route: hostile },
        ...(n % 48 === 0 ? [{ ...call, route: '/rare' }] : []),
      ];
    }).flat();
    await world.send(spansOf(calls));
  }, 120_000);
  afterAll(() => world?.close());

  it('every chart marks deployments and events that were told, in words too', async () => {
    const told = await fetch(`${world.url}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        kind: 'incident',
        title: '<img src=x onerror=alert(1)>\u202E',
        at: new Date(Date.now() - 3.5 * hourMs).toISOString(),
        link: 'https://status.example/7',
      }),
    });
    expect(told.status).toBeLessThan(300);
    watched = await openPage(world.browser, world.url);
    const { page } = watched;
    const { events } = await world.get('/timeseries?window=24h');
    expect(events).toHaveLength(1);
    const [{ endpoints }] = [await world.get('/report?route=/slow')];
    for (const [path, charts] of [
      ['/?window=24h', 3],
      [`/endpoints/${endpoints[0].id}?window=24h`, 3],
    ] as const) {
      await page.goto(world.url + path);
      const marked = page.getByRole('figure').filter({ hasText: '▲ deployment or event' });
      await expect.poll(() => marked.count(), { timeout: 10_000 }).toBe(charts);
      for (const chart of await marked.all()) {
        await chart.getByText('As a table').click();
        const list = chart.getByRole('list', { name: 'Deployments and events' });
        expect(await list.innerText()).toContain('incident: <img src=x onerror=alert(1)>‹U+202E›');
        expect(await list.getByRole('link').getAttribute('href')).toBe('https://status.example/7');
      }
      expect(await axeFindings(page)).toEqual([]);
    }
    await page.goto(`${world.url}/?window=30d`);
    const large = page.getByRole('figure', { name: /^Requests/ });
    await large.getByText('As a table').click();
    const list = large.getByRole('list', { name: 'Deployments and events' });
    expect(await list.innerText()).toContain('shop 1.1.0 after 1.0.0');
    await watched.close();
  });

  const table = () => watched.page.getByRole('table', { name: 'Comparison' });
  const open = async (search: string, options = {}) => {
    watched = await openPage(world.browser, world.url, options);
    await watched.page.goto(`${world.url}/compare${search}`);
    await table().locator('[data-row]').first().waitFor();
  };
  const verdicts = () =>
    table()
      .locator('[data-row]')
      .evaluateAll((rows) =>
        rows.map(
          (row) =>
            `${row.querySelector('a')!.textContent} ${row.querySelector('[data-column=verdict]')!.textContent}`,
        ),
      );
  const expected = async (query: string) =>
    (await world.get(`/compare?${query}`)).endpoints.map(
      ({ method, route, verdict }: Record<string, string>) =>
        `${method} ${route!.replace('\u202E', '‹U+202E›')} ${verdict!.replaceAll('_', ' ')}`,
    );

  it('two windows: what got worse first, in the API’s verdicts; noise is grey', async () => {
    await open('?window=6d&compare=previous');
    const { page } = watched;
    expect(await verdicts()).toEqual(await expected('window=6d'));
    expect(await verdicts()).toContain('GET /slow worse');
    expect(await verdicts()).toContain('GET /fast better');
    const colorOf = (route: string) =>
      table()
        .locator('[data-row]')
        .filter({ hasText: route })
        .evaluate((row) => getComputedStyle(row).color);
    expect(await colorOf('bold')).toBe(await colorOf('/rare'));
    expect(await colorOf('bold')).not.toBe(await colorOf('/slow'));
    const { endpoints } = await world.get('/compare?window=6d');
    const values = await table()
      .locator('[data-row]')
      .first()
      .locator('data')
      .evaluateAll((data) => data.map((element) => Number(element.getAttribute('value'))));
    const [worst] = endpoints;
    expect(values.slice(0, 2)).toEqual([worst.calls, worst.error_rate_pct]);
    expect(values).toContain(worst.p95_duration_ms);
    await page.getByRole('button', { name: 'worse 1' }).click();
    await expect.poll(verdicts).toEqual(['GET /slow worse']);
    expect(page.url()).toContain('verdict=worse');
    await page.goBack();
    await expect.poll(verdicts).toHaveLength(4);
    const [word, cell] = await table()
      .locator('[data-column=verdict]')
      .last()
      .evaluate((element) => [element.firstElementChild!.clientWidth, element.clientWidth]);
    expect(word).toBeLessThanOrEqual(cell!);
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Endpoint' }).waitFor();
    await watched.close();
  });

  it('two versions: the newest against the one before, or any two of a service', async () => {
    await open('?window=30d&by=version');
    const { page } = watched;
    expect(await verdicts()).toEqual(await expected('window=30d&by=version'));
    await page.getByText('shop 1.1.0 against 1.0.0').waitFor();
    await page.getByLabel('Service').selectOption('shop');
    await page.getByLabel('Version', { exact: true }).selectOption('1.0.0');
    await page.getByLabel('Compared with').selectOption('1.1.0');
    await page.getByText('shop 1.0.0 against 1.1.0').waitFor();
    const turned = 'window=30d&by=version&version=1.0.0&before_version=1.1.0';
    expect(await verdicts()).toEqual(await expected(turned));
    expect(await verdicts()).toContain('GET /fast worse');
    await page.getByLabel('Compared with').selectOption('1.0.0');
    await page.getByText('give two versions').waitFor();
    await watched.close(/400/);
  });

  it('an endpoint’s versions are marked worse or better than the one before, as /compare says', async () => {
    const { endpoints } = await world.get('/compare?window=30d&by=version&service=shop');
    watched = await openPage(world.browser, world.url);
    const { page } = watched;
    for (const route of ['/slow', '/fast', '/rare']) {
      const { id, verdict } = endpoints.find((row: { route: string }) => row.route === route);
      await page.goto(`${world.url}/endpoints/${id}?window=30d`);
      const versions = page
        .getByRole('complementary', { name: 'Endpoint' })
        .locator('section:has(> h3:text-is("Versions"))');
      const verdictOf = (version: string) =>
        versions
          .getByRole('row', { name: new RegExp(`^${version.replaceAll('.', '\\.')} `) })
          .getByRole('cell')
          .last();
      await expect
        .poll(() => verdictOf('1.1.0').innerText())
        .toBe(String(verdict).replaceAll('_', ' '));
      // Nothing was before the first version
      expect(await verdictOf('1.0.0').innerText()).toBe('');
      expect(await axeFindings(page)).toEqual([]);
    }
    await watched.close();
  });

  it('is clean for axe and fits, light and dark, wide and on a phone', async () => {
    for (const options of [
      {},
      { colorScheme: 'dark' as const },
      { viewport: { width: 360, height: 740 } },
    ]) {
      await open('?window=6d', options);
      expect(await axeFindings(watched.page)).toEqual([]);
      expect(
        await watched.page.evaluate(() => document.querySelectorAll('main b b, bdi b').length),
      ).toBe(0);
      const overflow = await watched.page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
      await watched.close();
    }
  });
});
