import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage, type Watched } from './browser.ts';
import { openWorld, spansOf, type World } from './world.ts';

describeInBrowser('inventories in a browser', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld();
    const minute = 60_000;
    await world.send(
      spansOf([
        { route: '/users/{id}', agoMs: 3 * minute },
        { route: '/orders', agoMs: 2 * minute },
        { route: '/secret', agoMs: minute },
      ]),
    );
  }, 60_000);
  afterAll(() => world?.close());
  beforeEach(async () => {
    watched = await openPage(world.browser, world.url);
  });

  const upload = async (text: string) => {
    const buffer = Buffer.from(text);
    const file = { name: 'routes.txt', mimeType: 'text/plain', buffer };
    await watched.page.locator('input[type=file]').setInputFiles(file);
  };
  const counts = () =>
    watched.page
      .getByRole('region', { name: 'Counts' })
      .locator('data')
      .evaluateAll((data) => data.map((element) => Number(element.getAttribute('value'))));

  it('shows what an upload would change, stores nothing before it is told to, then names what was never called', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/inventory`);
    await page.getByRole('link', { name: 'shop' }).click();
    await page.getByText('No inventory yet').waitFor();
    await upload('GET /users/{id}\nGET /orders\nPOST /orders\nDELETE /users/{id}\n');
    await page.getByRole('region', { name: 'Preview' }).waitFor();
    expect(await counts()).toEqual([4, 2, 2, 1]);
    expect(await axeFindings(page)).toEqual([]);
    expect((await fetch(`${world.url}/api/v1/services/shop/inventory`)).status).toBe(404);
    await page.getByRole('button', { name: 'Store this inventory' }).click();
    await page.getByRole('button', { name: 'Remove this inventory' }).waitFor();
    const stored = await world.get('/services/shop/inventory');
    expect(await counts()).toEqual([
      stored.declared_routes,
      stored.called_routes,
      stored.never_called_routes,
      stored.undocumented.length,
    ]);
    const never = page.getByRole('region', { name: 'Never called' });
    expect(
      (await never.getByRole('listitem').allInnerTexts())
        .map((text) => text.split('\n').slice(0, 2).join(' ').replace(/ +/g, ' ').trim())
        .toSorted(),
    ).toEqual(['DELETE /users/{id}', 'POST /orders']);
    await page.getByRole('link', { name: 'GET /secret' }).waitFor();
    await watched.close(/404/);
  });

  it('what was never called is on the dead list, and what is not declared has a mark', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/dead`);
    await page
      .getByText(/^Declared, and not called once/)
      .first()
      .waitFor();
    const { endpoints } = await world.get('/report?window=7d&status=never_called');
    expect(endpoints).toHaveLength(2);
    expect(await page.locator('main li').count()).toBe(2);
    await page.locator('main li a').first().click();
    const drawer = page.getByRole('complementary', { name: 'Endpoint' });
    await drawer.getByText('Declared, and not called once').waitFor();
    await page.goto(`${world.url}/endpoints?mark=undocumented`);
    await page.getByRole('link', { name: 'GET /secret' }).waitFor();
    expect(await page.locator('[data-row]').count()).toBe(1);
    await watched.close();
  });

  it('what was removed and is still called is told apart', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/inventory?service=shop`);
    await upload('GET /users/{id}\n');
    await page.getByText('0 routes added, 3 routes removed').waitFor();
    await page.getByRole('button', { name: 'Store this inventory' }).click();
    await page.getByRole('region', { name: 'Removed' }).getByText('/orders').first().waitFor();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await world.send(spansOf([{ route: '/orders' }]));
    await page.goto(`${world.url}/dead`);
    await page.getByRole('button', { name: 'Removed, still called 1' }).click();
    const knocked = page.getByRole('region', { name: 'Removed, still called' });
    await knocked.getByRole('link', { name: 'GET /orders' }).waitFor();
    await watched.close();
  });

  it('says what is wrong with a file', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/inventory?service=shop`);
    await upload('{"openapi": 7}');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect((await alert.innerText()).length).toBeGreaterThan(10);
    await watched.close(/400/);
  });
});
