import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, openPage, type Watched } from './browser.ts';
import { openWorld, spansOf, type World } from './world.ts';

const endpoints = 10_000;
/**
 * What is measured is printed and stands in docs/decisions/0013-dashboard.md. The bounds are twice the targets,
 * in CPU time: they find what became slow by its nature, on a slower machine too.
 */
const slack = 2;

describeInBrowser('10,000 endpoints in a browser', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld();
    const services = ['alpha', 'beta'];
    for (let from = 0; from < endpoints; from += 1_000) {
      const calls = Array.from({ length: 1_000 }, (_, n) => {
        const number = from + n;
        const word = words[number % words.length]!;
        return {
          service: services[number % 2]!,
          route: `/${word}/part-${letters(number)}/list`,
          durationMs: 1 + (number % 700),
          status: number % 50 === 0 ? 500 : 200,
          agoMs: (number % 1_000) * 60_000,
        };
      });
      await world.send(spansOf(calls));
    }
    watched = await openPage(world.browser, world.url);
    await watched.page.goto(`${world.url}/endpoints`);
    await table().getByRole('link').first().waitFor({ timeout: 60_000 });
  }, 240_000);
  afterAll(() => world?.close());

  const table = () => watched.page.getByRole('table', { name: 'Endpoints' });

  it('are all in the list, and few are painted', async () => {
    const startMs = performance.now();
    await world.get('/report?window=7d&fields=id&spark=24');
    console.log(
      `10,000 endpoints: small series answered in ${(performance.now() - startMs).toFixed(0)} ms`,
    );
    const { summary } = await world.get('/report?limit=1');
    expect(summary.total_endpoints).toBe(endpoints);
    expect(await table().getAttribute('aria-rowcount')).toBe(String(endpoints + 1));
    expect(await table().locator('[data-row]').count()).toBeLessThan(80);
  });

  it('a keystroke in the search is painted at once', async () => {
    const { page } = watched;
    await page.getByLabel('Search endpoints').focus();
    await page.evaluate(() => {
      const times: number[] = [];
      Object.assign(window, { keystrokes: times });
      document.addEventListener(
        'keydown',
        () => {
          const startMs = performance.now();
          requestAnimationFrame(() => setTimeout(() => times.push(performance.now() - startMs)));
        },
        true,
      );
    });
    const longest = await longestTask(async () => {
      for (const text of ['orders part', 'users list', 'zebra']) {
        await page.keyboard.type(text, { delay: 60 });
        for (const _ of text) await page.keyboard.press('Backspace', { delay: 20 });
      }
    });
    await expect.poll(() => table().locator('[data-row]').count()).toBeGreaterThan(20);
    const times: number[] = await page.evaluate(
      () => (window as unknown as { keystrokes: number[] }).keystrokes,
    );
    times.sort((a, b) => a - b);
    const p95 = times[Math.floor(times.length * 0.95)]!;
    console.log(
      `10,000 endpoints: keystroke to painted, median ${times[times.length >> 1]!.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms; longest task ${longest.toFixed(0)} ms of CPU`,
    );
    expect(times.length).toBeGreaterThan(40);
    expect(longest).toBeLessThan(50 * slack);
  });

  it('scrolling for 5 s has no long task', async () => {
    const longest = await longestTask(async () => {
      await table().hover();
      for (let n = 0; n < 100; n += 1) {
        await watched.page.mouse.wheel(0, n < 50 ? 3_000 : -2_500);
        await watched.page.waitForTimeout(50);
      }
    });
    console.log(
      `10,000 endpoints: longest task while scrolling 5 s, ${longest.toFixed(0)} ms of CPU`,
    );
    expect(longest).toBeLessThan(50 * slack);
    expect(await table().locator('[data-row]').count()).toBeLessThan(80);
  });

  it('a refresh that changes one row paints that row', async () => {
    const { page } = watched;
    await page.getByLabel('Search endpoints').fill('part-aaa');
    await expect.poll(() => table().locator('[data-row]').count()).toBeLessThan(30);
    // The small series come after the rows.
    await page.locator('[data-row] [data-column=spark] path').first().waitFor({ timeout: 60_000 });
    const first = await table().getByRole('link').first().textContent();
    const route = first!.split(' ')[1]!;
    await page.evaluate(() => {
      const changed = new Set<string>();
      Object.assign(window, { changed });
      new MutationObserver((records) => {
        for (const { target } of records) {
          const element = target instanceof Element ? target : target.parentElement;
          const row = element?.closest('[data-row]');
          if (row) changed.add(row.querySelector('a')?.textContent ?? '');
        }
      }).observe(document.querySelector('[role=table]')!, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
        attributeFilter: ['value'],
      });
    });
    const service = (await world.get(`/report?route=${route}`)).endpoints[0].service;
    const longest = await longestTask(async () => {
      await world.send(spansOf([{ service, route }]));
      await expect
        .poll(
          () => page.evaluate(() => [...(window as unknown as { changed: Set<string> }).changed]),
          { timeout: 60_000, interval: 500 },
        )
        .toContain(first);
    });
    console.log(
      `10,000 endpoints: longest task in a full refresh, ${longest.toFixed(0)} ms of CPU`,
    );
    expect(longest).toBeLessThan(100 * slack);
    // The bars of all rows compare with the busiest, and times pass: only numbers were watched.
    expect(
      await page.evaluate(() => [...(window as unknown as { changed: Set<string> }).changed]),
    ).toEqual([first]);
    await watched.close();
  }, 120_000);

  /** CPU time of the page's longest task, in milliseconds: other processes take turns, and cost wall time. */
  async function longestTask(act: () => Promise<void>): Promise<number> {
    const { browser } = world;
    await browser.startTracing(watched.page, { categories: ['toplevel', '__metadata'] });
    await act();
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as Trace;
    const threads = traceEvents.filter(({ args }) => args?.name === 'CrRendererMain');
    const isOfPage = ({ pid, tid }: TraceEvent) =>
      threads.some((thread) => thread.pid === pid && thread.tid === tid);
    const tasks = traceEvents.filter((event) => event.tdur !== undefined && isOfPage(event));
    expect(tasks.length).toBeGreaterThan(10);
    return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
  }
});

interface Trace {
  traceEvents: TraceEvent[];
}

interface TraceEvent {
  pid: number;
  tid: number;
  /** CPU time, in microseconds. */
  tdur?: number;
  args?: { name?: string };
}

const words = ['orders', 'users', 'invoices', 'carts', 'zebras', 'payments', 'reports', 'files'];

/** A number in letters: digits would read as an id, and the routes as one. */
function letters(number: number): string {
  return String(number)
    .padStart(4, '0')
    .replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)]!);
}
