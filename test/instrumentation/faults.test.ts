import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { beforeAll, expect, it } from 'vitest';
import { memory } from '../labs/bench/process-cost.ts';
import { quantile } from '../labs/bench/quantile.ts';
import {
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';
import { type App, said, startApp } from './app.ts';
import { type BadAnswer, badAnswers, startBadRollcall } from './bad-rollcall.ts';
import { arrived } from './usage.ts';
import { installed, isPacked } from './workshop.ts';

/**
 * Rollcall away or ill: the service answers as it does without instrumentation. Latencies are printed beside
 * those of the control run, not asserted: this machine has other work.
 */
const requests = isPacked ? 12_000 : 3_000;
const concurrency = 16;
/** Fewer than the requests: the queue overflows, as it does in a long outage. */
const queuedSpansMax = isPacked ? 4_096 : 1_024;
/** Two loads: what the second one adds is a leak. */
const memoryGrowthMiBMost = 12;

let folder: string;
let control: Outcome;

interface Outcome {
  statuses: Record<string, number>;
  p50Ms: number;
  p99Ms: number;
}

beforeAll(async () => {
  folder = await installed('lean', { express: '5.2.1' });
  const app = await start(undefined);
  await load(app.url, 1000);
  control = await load(app.url, requests);
  await app.stop('SIGKILL');
  report('control', control);
});

function start(rollcall: string | undefined, env: Record<string, string> = {}): Promise<App> {
  const preload = rollcall === undefined ? [] : ['--require', '@rollcall/instrumentation/register'];
  return startApp(folder, [process.execPath, ...preload, 'plain.cjs'], {
    WATCH_WARNINGS: '1',
    OTEL_SERVICE_NAME: 'faults',
    OTEL_BSP_MAX_QUEUE_SIZE: String(queuedSpansMax),
    ...(rollcall === undefined ? {} : { ROLLCALL_ENDPOINT: rollcall }),
    ...env,
  });
}

/** Keep-alive requests, so many at a time; one in ten is to fail with 503. */
async function load(url: string, count: number): Promise<Outcome> {
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const number = next;
      next += 1;
      if (number >= count) return;
      const startMs = performance.now();
      const path = number % 10 === 9 ? '/error' : `/items/${number}`;
      const status = await fetch(url + path).then(
        async (answer) => {
          await answer.arrayBuffer();
          return String(answer.status);
        },
        (error: Error) => error.name,
      );
      latencies.push(performance.now() - startMs);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  latencies.sort((a, b) => a - b);
  return { statuses, p50Ms: quantile(latencies, 50), p99Ms: quantile(latencies, 99) };
}

function report(name: string, { p50Ms, p99Ms }: Outcome, more = ''): void {
  const line = `${name.padEnd(10)} p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms  ${more}`;
  process.stderr.write(`${line}\n`);
}

/** The lines the package wrote. */
function saidBy(app: App): string[] {
  return app
    .output()
    .split('\n')
    .filter((line) => line.startsWith('rollcall: '));
}

const away = async () => ({ url: 'http://127.0.0.1:9', requests: () => 0, close: async () => {} });

it.each<BadAnswer | 'down'>(['down', ...(Object.keys(badAnswers) as BadAnswer[])])(
  'Rollcall %s: answers unchanged, one warning, what is lost counted, memory flat',
  async (kind) => {
    const bad = await (kind === 'down' ? away() : startBadRollcall(kind));
    const app = await start(bad.url);
    try {
      await load(app.url, requests);
      const beforeMiB = memory(app.pid).rssMiB;
      const outcome = await load(app.url, requests);
      const growthMiB = memory(app.pid).rssMiB - beforeMiB;
      expect(outcome.statuses).toEqual(control.statuses);
      expect(growthMiB).toBeLessThan(memoryGrowthMiBMost);
      if (kind !== 'down') expect(bad.requests()).toBeGreaterThan(0);

      await app.stop();
      const lines = saidBy(app);
      report(kind, outcome, `memory ${beforeMiB.toFixed(0)} + ${growthMiB.toFixed(1)} MiB`);
      expect(lines).toHaveLength(2);
      expect(lines[0]).toContain('takes no spans');
      // Every call of both loads, and nothing else.
      expect(lines[1]).toMatch(
        new RegExp(`^rollcall: spans not delivered to \\S+: ${2 * requests}$`),
      );
      expect(app.output()).not.toMatch(/UNCAUGHT|UNHANDLED/);
    } finally {
      await app.stop('SIGKILL');
      await bad.close();
    }
  },
);

it('Rollcall dies under load and comes back: every call is counted, once', async () => {
  const disk = temporaryFolder();
  const store = `${disk.path}/rollcall.db`;
  const port = await freePort();
  const env = { ROLLCALL_OTLP_HTTP_PORT: String(port) };
  let collector = await startCollectorProcess(store, env);
  const analyzer = await startAnalyzerProcess(store);
  const app = await start(collector.url, { OTEL_BSP_MAX_QUEUE_SIZE: '65536' });
  try {
    const loading = load(app.url, requests);
    await arrived(analyzer.url, 'faults', 1000);
    await collector.stop('SIGKILL');
    const outcome = await loading;
    expect(outcome.statuses).toEqual(control.statuses);
    report('dies', outcome);
    await said(app, 'takes no spans');
    collector = await startCollectorProcess(store, env);
    expect(await arrived(analyzer.url, 'faults', requests)).toBe(requests);
    await app.stop();
    expect(await arrived(analyzer.url, 'faults', requests + 1, 500)).toBe(requests);
    const lines = saidBy(app);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('takes no spans');
    expect(lines[1]).toMatch(/takes spans again; lost meanwhile: 0$/);
  } finally {
    await app.stop('SIGKILL');
    await collector.stop();
    await analyzer.stop();
    disk.remove();
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
