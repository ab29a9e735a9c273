import { afterAll, beforeAll, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage, passTime, type Watched } from './browser.ts';
import { paths } from './paths.ts';
import { declareOrders, openWorld, sendShop, type World } from './world.ts';

describeInBrowser('the dashboard by keyboard and screen reader', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld();
    await sendShop(world);
    await declareOrders(world);
  }, 180_000);
  afterAll(() => world?.close());

  const open = async (path: string, hasOwnClock = false) => {
    watched = await openPage(world.browser, world.url);
    if (hasOwnClock) await watched.page.clock.install();
    await watched.page.goto(world.url + path);
    await watched.page.locator('main').waitFor();
    await watched.page.waitForLoadState('networkidle');
  };
  /** The focused element: its text, and whether its focus can be seen. */
  const focused = () =>
    watched.page.evaluate(() => {
      const element = document.activeElement!;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const name = element.getAttribute('aria-label') ?? element.textContent ?? '';
      return {
        tag: element.tagName,
        name: name.slice(0, 60),
        isSeen: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1,
      };
    });

  it.each(paths)('%s: every stop of Tab shows the focus, and none is a trap', async (path) => {
    await open(path);
    const { page } = watched;
    const stops = new Set<string>();
    for (let n = 0; n < 60; n += 1) {
      await page.keyboard.press('Tab');
      const stop = await focused();
      // Behind the last stop the browser's own controls follow
      if (stop.tag === 'BODY') break;
      expect(stop.isSeen, `${stop.tag} "${stop.name}"`).toBe(true);
      stops.add(`${stop.tag} ${stop.name}`);
    }
    expect(stops.size).toBeGreaterThan(path === '/settings' ? 12 : 14);
    await watched.close(/404/);
  });

  it.each([
    ['/endpoints', 'Endpoints'],
    ['/clients', 'Clients'],
    ['/clients?callers=consumers', 'Consumers'],
    ['/calls', 'Calls'],
    ['/compare', 'Comparison'],
    ['/services', 'Services'],
  ])('%s: j and k go through the rows, Enter sorts by a column', async (path, name) => {
    await open(path);
    const { page } = watched;
    const table = page.getByRole('table', { name });
    await table.locator('[data-row]').nth(1).waitFor();
    const rowOfFocus = () =>
      page.evaluate(
        () => document.activeElement?.closest('[data-row]')?.getAttribute('data-row') ?? null,
      );
    const keys = await table
      .locator('[data-row]')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-row')));
    await page.keyboard.press('j');
    await expect.poll(rowOfFocus).toBe(keys[0]);
    await page.keyboard.press('j');
    await expect.poll(rowOfFocus).toBe(keys[1]);
    await page.keyboard.press('k');
    await expect.poll(rowOfFocus).toBe(keys[0]);
    const header = table.getByRole('columnheader').getByRole('button').last();
    await header.focus();
    await page.keyboard.press('Enter');
    const sorted = table.locator('[role=columnheader][aria-sort]');
    await expect.poll(() => sorted.count()).toBe(1);
    await watched.close();
  });

  it('an endpoint is opened by Enter, closed by Escape, and the focus returns to its row', async () => {
    await open('/endpoints');
    const { page } = watched;
    await page.keyboard.press('/');
    await page.keyboard.type('orders');
    await page.keyboard.press('Enter');
    await page.keyboard.press('j');
    const row = (await focused()).name;
    expect(row).toContain('orders');
    await page.keyboard.press('Enter');
    const drawer = page.getByRole('complementary', { name: 'Endpoint' });
    await drawer.getByText('Last callers, of all time').waitFor();
    await expect.poll(async () => (await focused()).tag).toBe('H2');
    await page.keyboard.press('Escape');
    await expect.poll(() => drawer.count()).toBe(0);
    await expect.poll(async () => (await focused()).name).toBe(row);
    await watched.close();
  });

  it('dialogs keep the focus within and give it back, by Escape and by their buttons', async () => {
    await open('/clients?callers=consumers');
    const { page } = watched;
    const opener = page.getByRole('button', { name: /^Name .* …$/ }).first();
    const name = await opener.getAttribute('aria-label');
    for (const leave of ['Escape', 'Cancel'] as const) {
      await opener.focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      for (let n = 0; n < 12; n += 1) {
        await page.keyboard.press('Tab');
        const isInside = await page.evaluate(
          () =>
            document.activeElement === document.body ||
            document.activeElement?.closest('dialog') !== null,
        );
        expect(isInside).toBe(true);
      }
      if (leave === 'Escape') await page.keyboard.press('Escape');
      else {
        await dialog.getByRole('button', { name: 'Cancel' }).focus();
        await page.keyboard.press('Enter');
      }
      await expect.poll(() => dialog.count()).toBe(0);
      await expect.poll(async () => (await focused()).name).toBe(name);
    }
    await page.getByRole('button', { name: /^Shortcuts/ }).focus();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Shortcuts' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await focused()).name).toContain('Shortcuts');
    await watched.close();
  });

  it('lists that open over the page are worked by keys, and give the focus back', async () => {
    await open('/endpoints');
    const { page } = watched;
    const period = page.getByRole('button', { name: 'Last 7 days' }).first();
    await period.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Last hour' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect((await focused()).name).toContain('Last 24 hours');
    await page.keyboard.press('Escape');
    await expect.poll(async () => (await focused()).name).toContain('Last 7 days');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('window=24h');
    await expect.poll(async () => (await focused()).name).toContain('Last 24 hours');
    await page.getByRole('button', { name: 'Columns' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await expect.poll(() => page.url()).toContain('columns=');
    expect(await axeFindings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await expect.poll(async () => (await focused()).name).toContain('Columns');
    await watched.close();
  });

  it('does not ask while it is hidden, and asks at once when it is looked at again', async () => {
    await open('/?window=1h', true);
    const { page } = watched;
    const turn = (state: 'hidden' | 'visible') =>
      page.evaluate((visibility) => {
        Object.defineProperty(document, 'visibilityState', {
          configurable: true,
          get: () => visibility,
        });
        Object.defineProperty(document, 'hidden', {
          configurable: true,
          get: () => visibility === 'hidden',
        });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    let asked = 0;
    page.on('request', () => {
      asked += 1;
    });
    await turn('hidden');
    await page.waitForTimeout(500);
    asked = 0;
    for (let s = 0; s < 60; s += 1) await passTime(page);
    await page.waitForTimeout(500);
    expect(asked).toBe(0);
    await turn('visible');
    await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(0);
    await watched.close();
  });

  it('a browser that is offline says so, keeps the figures with their age, and goes on by itself', async () => {
    await open('/?window=1h', true);
    const { page } = watched;
    const requests = page.getByRole('tab', { name: /^Requests/ }).first();
    const before = await requests.locator('data').getAttribute('value');
    await page.context().setOffline(true);
    const notice = page.getByRole('alert').first().getByText('does not answer');
    await expect.poll(() => passTime(page).then(() => notice.count())).toBe(1);
    expect(await requests.locator('data').getAttribute('value')).toBe(before);
    await page
      .getByTitle(/^figures of /)
      .getByText(/^\d+ (s|min) ago$/)
      .waitFor();
    await page.context().setOffline(false);
    await expect.poll(() => passTime(page).then(() => page.getByRole('alert').count())).toBe(0);
    await watched.close(/ERR_INTERNET_DISCONNECTED|ERR_FAILED/);
  }, 150_000);
});
