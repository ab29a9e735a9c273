import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { describe, expect } from 'vitest';

/**
 * Debian's Chromium, as `apt-get install chromium` puts it there; .ci/run does so. Without it the tests of the
 * dashboard are skipped, and each file says so.
 */
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const chromiumPath = places.find((path) => existsSync(path));

/** A suite that needs a browser. */
export function describeInBrowser(name: string, suite: () => void): void {
  if (chromiumPath === undefined) {
    console.warn(
      `\nSKIPPED: "${name}" needs a browser, and there is none at ${places.join(', ')}.\nOn Debian: apt-get update && apt-get install -y chromium\n`,
    );
  }
  describe.skipIf(chromiumPath === undefined)(name, suite);
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page under watch: what must never happen is noted while the test does something else. */
export interface Watched {
  page: Page;
  /** Console messages, errors of scripts, violations of the policy, requests to other hosts. */
  problems: string[];
  /** Checks that there were none, and closes the page. @param allowed what the test itself provoked */
  close(allowed?: RegExp): Promise<void>;
}

export async function openPage(
  browser: Browser,
  base: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1360, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const problems: string[] = [];
  page.on('console', (message) =>
    problems.push(`${message.type()}: ${message.text()} ${message.location().url}`),
  );
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== new URL(base).origin) problems.push(`request to ${url.origin}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`policy violated: ${violatedDirective} ${blockedURI}`);
    });
  });
  return {
    page,
    problems,
    async close(allowed) {
      await context.close();
      expect(problems.filter((problem) => !allowed?.test(problem))).toEqual([]);
    },
  };
}

/** Lets a second of the page's clock pass at once, with the timers that are due in it. The clock must be installed. */
export async function passTime(page: Page): Promise<void> {
  await page.clock.runFor(1_000);
}

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds on the page as it is, in one line each. */
export async function axeFindings(page: Page): Promise<string[]> {
  // The debugger's own way of running a script: the page's policy allows none to be added.
  const { readFileSync } = await import('node:fs');
  await page.evaluate(readFileSync(axePath, 'utf8'));
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: Axe };
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
    );
  });
}

interface Axe {
  run(
    on: Document,
    options: object,
  ): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

/** The exact number that a `<data>` element stands for. */
export async function shownValue(page: Page, selector: string): Promise<number> {
  return Number(await page.locator(selector).first().getAttribute('value'));
}
