import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage } from './browser.ts';
import { paths } from './paths.ts';
import { declareOrders, openWorld, sendShop, type World } from './world.ts';

describeInBrowser('accessibility of the dashboard', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
    await sendShop(world);
    await declareOrders(world);
  }, 180_000);
  afterAll(() => world?.close());

  // Side by side: most of a page's time is waiting.
  describe.concurrent('every page', () => {
    it.each([
      ['light', {}],
      ['dark', { colorScheme: 'dark' as const }],
      ['phone', { viewport: { width: 360, height: 740 } }],
    ])(
      'every page is clean for axe, %s',
      async (name, options) => {
        const [{ id }] = (await world.get('/report?window=7d&status=dead')).endpoints;
        const watched = await openPage(world.browser, world.url, options);
        for (const path of [
          ...paths,
          `/endpoints/${id}?window=90d`,
          '/?figure=endpoints&status=dead',
          '/nothing',
        ]) {
          await watched.page.goto(world.url + path);
          await watched.page.locator('main').waitFor();
          await watched.page.waitForLoadState('networkidle');
          expect(await axeFindings(watched.page), `${path} ${name}`).toEqual([]);
          const overflow = await watched.page.evaluate(
            () => document.documentElement.scrollWidth - window.innerWidth,
          );
          expect(overflow, path).toBeLessThanOrEqual(0);
        }
        await watched.close(/404/);
      },
      240_000,
    );
  });
});
