import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launchCommand } from '../support/process.ts';
import { chromiumPath, launchChromium } from './browser.ts';
import { buildDashboard } from './world.ts';

/**
 * `npm run screenshots`: pictures of the dashboard with the demo's shop in it, into docs/images/. The shop's
 * traffic is made of a seed and the day, so the pictures differ from day to day.
 */
interface Picture {
  name: string;
  path: string;
  colorScheme: 'light' | 'dark';
  width: number;
  height: number;
  /** What must be there before the picture is taken. */
  ready: (page: Page) => Promise<void>;
}

const charts = (count: number) => (page: Page) =>
  page
    .locator('figure canvas')
    .nth(count - 1)
    .waitFor();
const rows = (page: Page) => page.locator('[data-row]').nth(5).waitFor();
const sparks = (page: Page) => page.locator('[data-row] svg path').nth(20).waitFor();
const detail = (page: Page) => page.getByText('Last callers').waitFor();
const items = (page: Page) => page.locator('main li').nth(3).waitFor();

const root = fileURLToPath(new URL('../..', import.meta.url));
const desk = { width: 1360, height: 860 };
const phone = { width: 390, height: 780 };

async function main(): Promise<void> {
  if (chromiumPath === undefined) {
    throw new Error('there is no browser: apt-get update && apt-get install -y chromium');
  }
  await buildDashboard();
  const demo = launchCommand(process.execPath, ['cli/rollcall.mjs', 'demo'], {});
  let browser: Browser | undefined;
  try {
    const url = await address(demo.output, 120_000);
    browser = await launchChromium();
    await declareAndDecide(url);
    const refunds = await idOf(url, 'q=refunds');
    const dead = await idOf(url, 'status=dead&q=v1');
    const pictures: Picture[] = [
      { name: 'dashboard', path: '/', colorScheme: 'light', ...desk, ready: charts(3) },
      { name: 'dashboard-dark', path: '/', colorScheme: 'dark', ...desk, ready: charts(3) },
      { name: 'endpoints', path: '/endpoints', colorScheme: 'light', ...desk, ready: sparks },
      {
        name: 'endpoint',
        path: `/endpoints/${refunds}?service=payments`,
        colorScheme: 'light',
        ...desk,
        ready: async (page) => {
          await charts(2)(page);
          await detail(page);
        },
      },
      {
        name: 'endpoint-dead-dark',
        path: `/endpoints/${dead}?window=30d&status=dead,cold`,
        colorScheme: 'dark',
        ...desk,
        ready: detail,
      },
      { name: 'dead', path: '/dead?window=30d', colorScheme: 'light', ...desk, ready: items },
      { name: 'phone', path: '/', colorScheme: 'light', ...phone, ready: charts(3) },
      { name: 'phone-dark', path: '/endpoints', colorScheme: 'dark', ...phone, ready: rows },
    ];
    mkdirSync(`${root}/docs/images`, { recursive: true });
    for (const picture of pictures) await take(browser, url, picture);
  } finally {
    await browser?.close();
    demo.child.kill('SIGTERM');
    await demo.ended;
  }
}

/** The demo declares nothing: two teams with inventories and a few decisions show what these are for. */
async function declareAndDecide(url: string): Promise<void> {
  const owners = { catalog: 'team-storefront', orders: 'team-checkout' };
  const put = async (path: string, body: object) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  const answer = await fetch(
    `${url}/api/v1/report?window=7d&fields=id,service,method,route,status`,
  );
  const { endpoints } = (await answer.json()) as { endpoints: Record<string, string>[] };
  for (const [service, owner] of Object.entries(owners)) {
    const paths: Record<string, Record<string, object>> = {};
    const own = endpoints.filter((one) => one.service === service && one.status !== null);
    for (const { method, route } of own) {
      const operation = {
        'x-owner': owner,
        deprecated: route!.includes('/v1/'),
        responses: {},
      };
      paths[route!] = { ...paths[route!], [method!.toLowerCase()]: operation };
    }
    if (service === 'orders') {
      paths['/api/v2/orders/{orderId}/gift'] = { post: { 'x-owner': owner, responses: {} } };
    }
    const info = { title: service, version: '1' };
    await put(`/services/${service}/inventory`, { openapi: '3.1.0', info, paths });
  }
  for (const route of ['/robots.txt', '/sitemap.xml']) {
    const { id } = endpoints.find((one) => one.route === route)!;
    await put(`/endpoints/${id}/decision`, {
      decision: 'keep',
      reason: 'search engines ask for it',
      by: 'ada',
    });
  }
}

/** The demo says its addresses when its history is in. */
async function address(output: () => string, msMost: number): Promise<string> {
  for (const startMs = performance.now(); ; ) {
    const [, url] = /REST API +(http:\/\/[^/]+)/.exec(output()) ?? [];
    if (url !== undefined) return url;
    if (performance.now() - startMs > msMost) throw new Error(`no address:\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function idOf(url: string, filter: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/report?window=7d&limit=1&${filter}`);
  const { endpoints } = (await answer.json()) as { endpoints: { id: string }[] };
  return endpoints[0]!.id;
}

async function take(browser: Browser, url: string, picture: Picture): Promise<void> {
  const { name, path, colorScheme, width, height, ready } = picture;
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  await page.goto(url + path);
  await ready(page);
  await page.waitForLoadState('networkidle');
  const bytes = await page.screenshot({ animations: 'disabled' });
  writeFileSync(`${root}/docs/images/${name}.png`, bytes);
  console.log(`docs/images/${name}.png, ${Math.round(bytes.length / 1024)} KiB`);
  await page.close();
}

await main();
