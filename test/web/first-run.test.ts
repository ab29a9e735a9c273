import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { copiesOf, serverSpan } from '../support/export-request.ts';
import { axeFindings, describeInBrowser, openPage } from './browser.ts';
import { openWorld, type World } from './world.ts';

const adminKey = 'the-operator-has-chosen-this-one-well';

describeInBrowser('the first page in a browser', () => {
  let world: World | undefined;
  afterEach(async () => {
    await world?.close();
    world = undefined;
  });

  it('shows the collector’s address, and turns into the dashboard at the first call', async () => {
    world = await openWorld();
    const { page, close } = await openPage(world.browser, world.url);
    await page.goto(`${world.url}/`);
    await page.getByRole('heading', { name: 'Waiting for the first call' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    ).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1360, height: 900 });
    for (const name of ['Python', 'Java', 'Go', '.NET', 'Collector', 'Node']) {
      await page.getByRole('tab', { name, exact: true }).click();
      expect(await page.locator('pre').innerText(), name).toContain('127.0.0.1:');
    }
    await world.send([
      {
        attributes: [{ key: 'service.name', value: '<b>worker</b>' }],
        scopes: [{ name: 'test', spans: copiesOf(serverSpan({ kind: 1 }), 12) }],
      },
    ]);
    await page
      .getByRole('region', { name: 'What arrived so far' })
      .getByText('12 spans came from <b>worker</b>, none of kind SERVER.')
      .waitFor();
    expect(await axeFindings(page)).toEqual([]);
    // A collector on a free port: the page says that it cannot know it.
    await page.getByText('The collector took a free port').waitFor();
    await page.getByRole('tab', { name: 'curl' }).click();
    const command = (await page.locator('pre').innerText()).replace(
      'http://127.0.0.1:4318',
      world.otlp,
    );
    await promisify(execFile)('sh', ['-c', command]);
    await page.getByRole('tab', { name: /^Requests/ }).waitFor({ timeout: 15_000 });
    await page.getByRole('link', { name: 'GET /hello' }).first().waitFor();
    await page.goto(`${world.url}/services`);
    const panel = page.getByRole('region', { name: 'What does not count, and what mends it' });
    await panel.getByText('none of kind SERVER').waitFor();
    const { findings } = await world.get('/doctor');
    expect(await panel.getByRole('listitem').count()).toBe(findings.length);
    expect(await axeFindings(page)).toEqual([]);
    await close();
  }, 90_000);

  it('fills in a key that an administrator makes there', async () => {
    world = await openWorld({ ROLLCALL_AUTH: 'keys', ROLLCALL_ADMIN_KEY: adminKey });
    const { url } = world;
    const operate = async (path: string, body: object) => {
      const headers = { 'x-api-key': adminKey, 'content-type': 'application/json' };
      const sent = { method: 'POST', headers, body: JSON.stringify(body) };
      return (await (await fetch(`${url}/api/v1${path}`, sent)).json()) as { key: string };
    };
    await operate('/projects', { name: 'shop' });
    const { key } = await operate('/keys', { project: 'shop', scope: 'admin' });
    const { page, close } = await openPage(world.browser, url);
    await page.goto(url);
    await page.getByLabel('Key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('tab', { name: 'curl' }).click();
    expect(await page.locator('pre').innerText()).toContain('Bearer rck_YOUR_KEY');
    await page.getByRole('button', { name: 'Make one and fill it in' }).click();
    await page.getByText('The key is filled in above').waitFor();
    const command = (await page.locator('pre').innerText()).replace(
      'http://127.0.0.1:4318',
      world.otlp,
    );
    expect(command).toMatch(/Bearer rck_[\w-]{43}'/);
    await promisify(execFile)('sh', ['-c', command]);
    await page.getByRole('tab', { name: /^Requests/ }).waitFor({ timeout: 15_000 });
    await close();
  }, 90_000);
});
