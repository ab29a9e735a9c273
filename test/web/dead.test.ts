import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage, type Watched } from './browser.ts';
import { openWorld, spansOf, type World } from './world.ts';

const dayMs = 86_400_000;
const hostile = '<img src=x onerror=alert(1)>\u202E';

describeInBrowser('the dead list in a browser', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld();
    const daily = (route: string, from: number, to: number) =>
      Array.from({ length: from - to }, (_, n) => ({
        route,
        consumer: hostile,
        agoMs: (to + n) * dayMs + dayMs / 2,
      }));
    await world.send(
      spansOf([
        ...daily('/alive', 200, 0),
        ...daily('/safe', 200, 100),
        ...daily('/announced', 60, 40),
        ...daily('/unsure', 60, 40),
        ...daily('/gone', 200, 0),
      ]),
    );
    const operations = (routes: readonly string[]) => ({
      openapi: '3.1.0',
      info: { title: 'shop', version: '1' },
      paths: Object.fromEntries(
        routes.map((route) => [
          route,
          {
            get: {
              deprecated: route === '/announced',
              'x-owner': route === '/unsure' ? hostile : 'checkout',
              responses: {},
            },
          },
        ]),
      ),
    });
    await declare(operations(['/alive', '/safe', '/announced', '/unsure', '/gone']));
    await declare(operations(['/alive', '/safe', '/announced', '/unsure']));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await world.send(spansOf([{ route: '/gone', status: 404, consumer: hostile }]));
  }, 120_000);
  afterAll(() => world?.close());
  beforeEach(async () => {
    watched = await openPage(world.browser, world.url);
  });

  const declare = async (document: object) => {
    const response = await fetch(`${world.url}/api/v1/services/shop/inventory`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(document),
    });
    expect(response.status).toBe(200);
  };
  const open = async (search = '') => {
    await watched.page.goto(`${world.url}/dead${search}`);
    await watched.page.getByRole('button', { name: /^Dead list \d/ }).waitFor();
  };
  const routes = () =>
    watched.page
      .locator('main li a')
      .evaluateAll((links) => links.map((link) => link.textContent!.replace(/^GET /, '')));
  const idOf = async (route: string): Promise<string> =>
    (await world.get(`/report?route=${route}`)).endpoints[0].id;
  const decisionOn = async (route: string) =>
    (await world.get(`/endpoints/${await idOf(route)}/decision`)).decision;

  it('counts the steps of the plan as the API does, and links to the plan as files', async () => {
    await open();
    const { page } = watched;
    const counts = page.getByRole('region', { name: 'Removal plan' });
    await counts.waitFor();
    const shown = await counts
      .locator('data')
      .evaluateAll((data) => data.map((element) => Number(element.getAttribute('value'))));
    expect(shown).toEqual([1, 0, 1, 1]);
    const link = (name: string) =>
      page.getByRole('link', { name, exact: true }).getAttribute('href');
    const plan = await (await fetch(world.url + (await link('Markdown')))).text();
    const told = (title: string) =>
      Number(new RegExp(`\\*\\*${title}\\*\\* \\((\\d+)\\)`).exec(plan)?.[1]);
    expect([
      told('Safe to remove now'),
      told('Deprecate first, and talk to the last callers'),
      told('Watch'),
    ]).toEqual([1, 1, 1]);
    const pdf = await fetch(world.url + (await link('PDF')));
    expect(pdf.headers.get('content-type')).toBe('application/pdf');
    const burnDown = page.getByRole('figure', { name: /^Dead and never called endpoints/ });
    const { days } = await world.get('/report/dead/history');
    const [{ day, dead, never_called: never }] = days;
    await burnDown.getByText(`${dead + never} today`).waitFor();
    await burnDown.getByText('As a table').click();
    await expect
      .poll(() => burnDown.locator('tbody td').allInnerTexts())
      .toEqual([day, String(dead), String(never)]);
    await watched.close();
  });

  it('is narrowed by owner and confidence, in the address', async () => {
    await open();
    const { page } = watched;
    await expect.poll(routes).toHaveLength(3);
    await page.getByLabel('Owner').selectOption('checkout');
    await expect.poll(routes).toHaveLength(2);
    await page.getByLabel('Confidence').selectOption('0.9');
    await expect.poll(routes).toEqual(['/safe']);
    expect(page.url()).toContain('owner=checkout&confidence=0.9');
    const href = await page.getByRole('link', { name: 'CSV' }).getAttribute('href');
    const csv = await (await fetch(world.url + href)).text();
    expect(csv.trim().split('\r\n')).toHaveLength(2);
    await page.reload();
    await page.getByRole('button', { name: 'Dead list 1' }).waitFor();
    expect(await routes()).toEqual(['/safe']);
    await page.getByRole('button', { name: 'take off the filter owner checkout' }).click();
    await page.getByLabel('Confidence').selectOption('');
    await expect.poll(routes).toHaveLength(3);
    await watched.close();
  });

  it('endpoints are narrowed and grouped by owner', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/endpoints?group=owner&columns=route,owner`);
    const table = page.getByRole('table', { name: 'Endpoints' });
    await table.locator('[data-row]').nth(4).waitFor();
    await page
      .getByLabel('Owner', { exact: true })
      .and(page.locator('select'))
      .selectOption('checkout');
    await expect.poll(() => table.locator('[data-row]').count()).toBe(3);
    expect(await table.innerText()).toContain('checkout 3');
    const csv = await (
      await fetch(world.url + (await page.getByRole('link', { name: 'CSV' }).getAttribute('href')))
    ).text();
    expect(csv.trim().split('\r\n')).toHaveLength(4);
    expect(await axeFindings(page)).toEqual([]);
    await watched.close();
  });

  it('offers no removal of what is unsure', async () => {
    await open();
    const actions = (route: string) =>
      watched.page
        .getByRole('listitem')
        .filter({ has: watched.page.getByRole('link', { name: `GET ${route}` }) })
        .getByRole('button')
        .allInnerTexts();
    expect(await actions('/safe')).toEqual([
      'Keep…',
      'Deprecate…',
      'Remove…',
      'Copy for pull request',
    ]);
    expect(await actions('/unsure')).not.toContain('Remove…');
    await watched.close();
  });

  it('takes a decision by keyboard, shows it, and takes it back', async () => {
    await open();
    const { page } = watched;
    await page.getByRole('button', { name: 'Keep GET /unsure …' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Decide' });
    await dialog.getByLabel('Reason').focus();
    await page.keyboard.type(hostile);
    await dialog.getByLabel('Until').fill('2030-02-01');
    await dialog.getByLabel('By').fill('ada');
    expect(await axeFindings(page)).toEqual([]);
    await dialog.getByLabel('By').press('Enter');
    await page.getByText('Keep: GET /unsure').waitFor();
    expect(await decisionOn('/unsure')).toMatchObject({
      decision: 'keep',
      reason: hostile,
      until: '2030-02-01T00:00:00.000Z',
      by: 'ada',
    });
    await expect.poll(routes).toHaveLength(2);
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole('button', { name: /^Decisions 1/ }).click();
    await page.getByText('Decided by ada').waitFor();
    expect(await page.locator('main').innerText()).toContain(
      '<img src=x onerror=alert(1)>‹U+202E›',
    );
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Nothing was decided yet').waitFor();
    expect(await decisionOn('/unsure')).toBeNull();
    await page.goBack();
    await expect.poll(routes).toHaveLength(3);
    await watched.close();
  });

  it('takes a decision on an endpoint’s page, with its history', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/endpoints/${await idOf('/safe')}`);
    const drawer = page.getByRole('complementary', { name: 'Endpoint' });
    await drawer.getByRole('button', { name: 'Remove GET /safe …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Decide' });
    const moments = await drawer.getByRole('list', { name: 'Timeline' }).allInnerTexts();
    expect(moments.join()).toMatch(/first call[\s\S]*last use[\s\S]*dead from here on/);
    const { endpoint } = await world.get(`/endpoints/${await idOf('/safe')}`);
    expect(
      await drawer
        .getByRole('list', { name: 'Reasons of the verdict' })
        .getByRole('listitem')
        .allInnerTexts(),
    ).toEqual(endpoint.reasons.map(({ message }: { message: string }) => message));
    await dialog.getByRole('radio', { name: /^Deprecate/ }).check();
    await dialog.getByRole('button', { name: 'Deprecate' }).click();
    await drawer.getByText('Deprecate: GET /safe').waitFor();
    await drawer.getByRole('button', { name: 'Remove GET /safe …' }).click();
    await dialog.getByLabel('Reason').fill('all have moved');
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await drawer.getByText('all have moved').first().waitFor();
    await drawer.getByText('History of decisions').click();
    const told = async () =>
      (await drawer.getByRole('listitem').allInnerTexts()).filter((text) =>
        /: (remove, all have moved|deprecate)$/.test(text),
      );
    await expect.poll(told).toHaveLength(2);
    expect(await axeFindings(page)).toEqual([]);
    await drawer.getByRole('button', { name: 'Withdraw the decision on GET /safe' }).click();
    await drawer.getByText('Withdrawn: GET /safe').waitFor();
    expect(await decisionOn('/safe')).toBeNull();
    await watched.close();
  });

  it('names who still calls what was removed, on a phone too', async () => {
    await watched.close();
    for (const width of [1360, 360]) {
      watched = await openPage(world.browser, world.url, { viewport: { width, height: 800 } });
      await open('?view=removed');
      const { page } = watched;
      const list = page.getByRole('region', { name: 'Removed, still called' });
      await list.getByText(/^Gone from the inventory since/).waitFor();
      const { endpoints } = await world.get('/report/removed?window=7d');
      expect(await routes()).toEqual(endpoints.map(({ route }: { route: string }) => route));
      const text = await list.innerText();
      expect(text).toContain(`${endpoints[0].total_calls} calls in this time`);
      expect(text).toContain('1 of them answered 404, 405 or 410');
      expect(text).toContain('<img src=x onerror=alert(1)>‹U+202E›');
      for (const view of ['removed', 'list', 'decisions']) {
        await open(`?view=${view}`);
        expect(await axeFindings(page), view).toEqual([]);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - window.innerWidth,
        );
        expect(overflow, view).toBeLessThanOrEqual(0);
      }
      await watched.close();
    }
  });
});
