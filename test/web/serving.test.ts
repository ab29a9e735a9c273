import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeInBrowser, openPage } from './browser.ts';
import { buildDashboard, openWorld, spansOf, type World } from './world.ts';

const dist = fileURLToPath(new URL('../../analyzer/web/dist', import.meta.url));

describe('the build of the dashboard', () => {
  beforeAll(() => buildDashboard(), 60_000);

  it('has at most 160 KiB of JavaScript after brotli, all of it loaded first', () => {
    const files = readdirSync(`${dist}/assets`).filter((name) => name.endsWith('.js.br'));
    const bytes = files.reduce(
      (sum, name) => sum + readFileSync(`${dist}/assets/${name}`).length,
      0,
    );
    console.log(`the dashboard: ${(bytes / 1024).toFixed(1)} KiB of JavaScript, brotli`);
    expect(bytes).toBeGreaterThan(50 * 1024);
    expect(bytes).toBeLessThanOrEqual(160 * 1024);
  });

  it('names no other host, and no code that the policy forbids', () => {
    for (const name of readdirSync(`${dist}/assets`).filter((file) => file.endsWith('.css'))) {
      expect(readFileSync(`${dist}/assets/${name}`, 'utf8'), name).not.toMatch(/url\(|@import/);
    }
    const page = readFileSync(`${dist}/index.html`, 'utf8');
    expect(page).not.toMatch(/https?:|<style|style=|<script>/);
  });
});

describeInBrowser('the dashboard as it is served', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
    await world.send(spansOf([{ route: '/a' }]));
  }, 60_000);
  afterAll(() => world?.close());

  it('works below a path prefix that a proxy strips', async () => {
    const target = new URL(world.url);
    const proxy = createServer((incoming, outgoing) => {
      const path = incoming.url!.replace(/^\/tools\/rollcall/, '');
      const { method, headers } = incoming;
      const asked = request({ host: target.hostname, port: target.port, path, method, headers });
      asked.on('response', (response) => {
        outgoing.writeHead(response.statusCode!, response.headers);
        response.pipe(outgoing);
      });
      incoming.pipe(asked);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/tools/rollcall`;
    const { page, close } = await openPage(world.browser, base);
    await page.goto(`${base}/endpoints`);
    await page.getByRole('link', { name: 'GET /a' }).click();
    await page.getByText('Answers by status').waitFor();
    expect(page.url()).toMatch(new RegExp(`^${base}/endpoints/[^/]+$`));
    await page.reload();
    await page.getByText('Answers by status').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('tab', { name: /^Requests/ }).waitFor();
    expect(page.url()).toBe(`${base}/`);
    await close();
    proxy.close();
    proxy.closeAllConnections();
  });

  it('says when a newer dashboard is served, and loads it', async () => {
    const { page, close } = await openPage(world.browser, world.url);
    await page.route('**/session', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), build: 'another' } });
    });
    await page.goto(`${world.url}/`);
    await page.getByText('The analyzer was updated.').waitFor();
    await page.unroute('**/session');
    await page.getByRole('button', { name: 'Load the new dashboard' }).click();
    await page.getByRole('tab', { name: /^Requests/ }).waitFor();
    await expect.poll(() => page.getByText('The analyzer was updated.').count()).toBe(0);
    await close();
  });

  it('paints something meaningful soon after a cold start', async () => {
    const { page, close } = await openPage(world.browser, world.url);
    await page.goto(`${world.url}/`);
    await page.getByRole('tab', { name: /^Requests/ }).waitFor();
    const paintedMs = await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
    );
    console.log(`the dashboard: first contentful paint after ${paintedMs.toFixed(0)} ms`);
    // The target of 1 s is for a quiet machine.
    expect(paintedMs).toBeLessThan(4_000);
    await close();
  });
});
