import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage, type Watched } from './browser.ts';
import { type MadeCall, openWorld, spansOf, type World } from './world.ts';

const script = '<script>window.hacked=1</script>';
const image = '<img src=x onerror=window.hacked=1>';
const quotes = `"'\`onmouseover=window.hacked=1 x="`;
/** Turns the direction of what follows: shown as its number, or "gnp.exe" would read as "exe.png". */
const turned = 'safe\u202Egnp.exe';
const names = [script, image, quotes, turned, 'a\nb\u0000c', '漢字-ünï-🦊', '__proto__'];

describeInBrowser('names that strangers chose, in a browser', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld();
    const calls: MadeCall[] = names.flatMap((name, index) =>
      Array.from({ length: 30 }, (_, n) => ({
        service: name,
        route: `/${name}`,
        agent: name,
        consumer: name,
        client: `203.0.113.${index + 1}`,
        status: n % 3 === 0 ? 500 : 200,
        agoMs: n * 3_600_000,
      })),
    );
    calls.push({ service: 'long', route: `/${'x'.repeat(10_000)}`, agent: 'y'.repeat(10_000) });
    calls.push({ service: 'long', route: `/${'deep/'.repeat(2_000)}` });
    await world.send(spansOf(calls));
  }, 120_000);
  afterAll(() => world?.close());
  beforeEach(async () => {
    watched = await openPage(world.browser, world.url);
    watched.page.on('dialog', (dialog) => {
      watched.problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  });

  /** Nothing of a name has become a part of the page. */
  const isClean = async () => {
    const { page } = watched;
    expect(
      await page.evaluate(() => ({
        hacked: (window as { hacked?: number }).hacked ?? 0,
        images: document.images.length,
        scripts: document.scripts.length,
        handlers: document.querySelectorAll('[onerror], [onmouseover]').length,
        isWide: document.documentElement.scrollWidth > window.innerWidth,
      })),
    ).toEqual({ hacked: 0, images: 0, scripts: 1, handlers: 0, isWide: false });
  };

  const hoverAll = async (selector: string) => {
    for (const element of await watched.page.locator(selector).all()) {
      await element.hover({ timeout: 5_000, force: true });
    }
  };

  it('stand as text on the overview, also under the cursor', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/`);
    const lists = page.getByRole('region', { name: 'Endpoints to look at' });
    await lists.getByRole('listitem').nth(6).waitFor();
    await page.locator('figure canvas').nth(2).waitFor();
    await isClean();
    await hoverAll('li a, li button, figure .u-over');
    for (const tab of ['Slowest', 'Most failing', 'New', 'Status codes']) {
      await page.getByRole('tab', { name: tab }).click();
    }
    await hoverAll('li a, li button');
    await isClean();
    await watched.close();
  });

  it('stand as text in the table and beside it, and turn no direction', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/endpoints?columns=route,service,total_calls`);
    const table = page.getByRole('table', { name: 'Endpoints' });
    await table.getByRole('row').nth(8).waitFor();
    await hoverAll('[role=row]');
    await isClean();
    const text = await table.innerText();
    expect(text).toContain(script);
    expect(text).toContain('safe‹U+202E›gnp.exe');
    expect(text).not.toContain('\u202E');
    const rows = await table.locator('[data-row] a').all();
    expect(rows.length).toBe((await world.get('/report?window=7d')).endpoints.length);
    expect(rows.length).toBeGreaterThan(names.length);
    for (let index = 0; index < rows.length; index += 1) {
      await table.locator('[data-row] a').nth(index).click();
      const drawer = page.getByRole('complementary', { name: 'Endpoint' });
      await drawer.getByText('Last callers, of all time').waitFor();
      await isClean();
      await page.keyboard.press('Escape');
    }
    expect(await axeFindings(page)).toEqual([]);
    await watched.close();
  });

  it('filter by their exact text, from lists and from the address', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/endpoints`);
    for (const name of [script, quotes, turned]) {
      await page.locator('select[aria-label=Service]').selectOption(name);
      await expect.poll(() => page.getByRole('table').locator('[data-row]').count()).toBe(1);
      expect(new URL(page.url()).searchParams.get('service')).toBe(name);
      await isClean();
    }
    await page.goto(`${world.url}/endpoints?q=${encodeURIComponent(`${image}\u202E`)}`);
    await page.getByText('No endpoint like this').waitFor();
    await isClean();
    await page.goto(`${world.url}/?service=${encodeURIComponent(script)}&method=%3Cb%3E`);
    await page.getByRole('tab', { name: /^Requests/ }).waitFor();
    await isClean();
    await watched.close();
  });

  it('stand as text among services, clients and on the dead list', async () => {
    const { page } = watched;
    for (const [path, name] of [
      ['/services', 'Services'],
      ['/clients', 'Clients'],
    ] as const) {
      await page.goto(world.url + path);
      await page.getByRole('table', { name }).getByRole('row').nth(5).waitFor();
      await hoverAll('[role=row]');
      await isClean();
    }
    await page.goto(`${world.url}/dead`);
    await page.getByRole('button', { name: /^Dead list/ }).waitFor();
    await isClean();
    await watched.close();
  });
});
