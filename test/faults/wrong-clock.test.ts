import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { protobufType, traces } from '../support/export-request.ts';
import {
  type Running,
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

let folder: ReturnType<typeof temporaryFolder>;
const running: Running[] = [];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  for (const process of running.splice(0)) await process.stop();
  folder.remove();
});

const yearMs = 365 * 86_400_000;

test('a collector that starts at a date five years ahead deletes nothing, and says why', async () => {
  const store = join(folder.path, 'rollcall.db');
  const clock = join(folder.path, 'clock');
  writeFileSync(clock, '0');
  const preload = fileURLToPath(new URL('../support/shifted-clock.mjs', import.meta.url));
  const env = { NODE_OPTIONS: `--import=${preload}`, SHIFTED_CLOCK: clock };
  const first = await startCollectorProcess(store, env);
  running.push(first);
  const headers = { 'content-type': protobufType };
  const target = `${first.url}/v1/traces`;
  expect((await fetch(target, { method: 'POST', headers, body: traces(3) })).status).toBe(200);
  const ready = async (url: string) => {
    const answer = await fetch(`${url}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  };
  expect(await ready(first.url)).toBe('200 ready');
  await first.stop();
  writeFileSync(clock, String(5 * yearMs));
  const second = await startCollectorProcess(store, env);
  running.push(second);
  expect(await ready(second.url)).toMatch(
    /^200 ready; the clock is 43800\.0 h ahead of the store's time: nothing is deleted by it until it has run on for 168\.0 h more$/,
  );
  expect(second.output()).toContain('"aheadS":157680');
  writeFileSync(clock, '0');
  await waitFor('the clock is right again', async () => (await ready(second.url)) === '200 ready');
  expect(second.output()).toContain("the store's time is the clock's again");
  const analyzer = await startAnalyzerProcess(store);
  running.push(analyzer);
  const answer = await fetch(`${analyzer.url}/api/v1/summary?window=15m`);
  const { summary } = (await answer.json()) as { summary: { total_requests: number } };
  expect(summary.total_requests).toBe(3);
});
