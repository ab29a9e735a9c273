import { copyFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { LocalAnswerer } from '../../../analyzer/queue/answerer.ts';
import { openSqliteInventories } from '../../../core/store/sqlite/inventory/inventories.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { protobufType, traces } from '../../support/export-request.ts';
import { startRollcall } from '../../support/process.ts';
import { writeDailyHistory } from './daily-history.ts';
import { benchFolder, newStore } from './folder.ts';
import { quantile } from './quantile.ts';

/**
 * `node test/labs/bench/inventory.ts`: what an inventory costs. CPU time of `/report` over 10,000 observed endpoints of 20
 * services, without inventories and with one of each service, in turn; all are declared, or every second one and as many
 * that were never called. Then the upload of an OpenAPI document of 10 MB, and what a sender notices meanwhile.
 */
const endpoints = 10_000;
const services = 20;
const days = 30;
const requests = 40;
const nowMs = Date.UTC(2026, 5, 1, 12);

const folder = benchFolder();
const plain = newStore(folder, 'plain');
await writeDailyHistory(plain, { endpoints, services, days, nowMs });
const declared = `${plain}.declared`;
const half = `${plain}.half`;
for (const copy of [declared, half]) copyFileSync(plain, copy);
await declare(declared, (n) => `/r${n}/:id`);
await declare(half, (n, at) => (at % 2 === 0 ? `/r${n}/:id` : `/never${n}/:id`));
await reports([
  ['without inventories', plain],
  ['all declared', declared],
  ['half declared, as many never called', half],
]);
await upload();
folder.remove();

async function declare(path: string, routeOf: (n: number, at: number) => string): Promise<void> {
  const inventories = await openSqliteInventories(path);
  for (let service = 0; service < services; service += 1) {
    const numbers = Array.from({ length: endpoints / services }, (_, n) => n * services + service);
    const routes = numbers.map((n, at) => ({
      method: 'GET',
      route: routeOf(n, at),
      deprecated: false,
    }));
    await inventories.replace(
      'default',
      { service: `service-${service}`, environment: null },
      { author: '', createdMs: nowMs, format: 'routes', routes, prefixes: [] },
    );
  }
  await inventories.close();
}

async function reports(stores: readonly [string, string][]): Promise<void> {
  const unused = () => Promise.reject(new Error('not read by a query'));
  const under = [];
  for (const [name, path] of stores) {
    const reader = await openSqliteReader(path);
    const opened = { reader, inventories: unused, decisions: unused, verdicts: unused };
    const answerer = new LocalAnswerer(
      opened as unknown as ConstructorParameters<typeof LocalAnswerer>[0],
      { thresholds: { coldAfterDays: 7, deadAfterDays: 30 }, clientsAreHashed: false },
    );
    under.push({ name, reader, answerer, ms: [] as number[] });
  }
  for (const name of ['report', 'dead'] as const) {
    for (let n = 0; n < requests + 5; n++) {
      for (const { answerer, ms } of under) {
        const sort = name === 'report' ? { sort: 'total_calls' } : {};
        const parameters = { format: 'json', limit: 10_000, ...sort };
        const question = { project: 'default', name, parameters, path: {} };
        const before = process.cpuUsage();
        await answerer.answer({ ...question, nowMs: nowMs + n * 1000 });
        const { user, system } = process.cpuUsage(before);
        if (n >= 5) ms.push((user + system) / 1000);
      }
    }
    const base = low(under[0]!.ms);
    for (const { name: store, ms } of under) {
      const p95 = quantile(
        ms.toSorted((a, b) => a - b),
        95,
      ).toFixed(0);
      console.log(
        `/report${name === 'dead' ? '/dead' : ''}, ${store}: CPU ms p10 ${low(ms).toFixed(0)}, p50 ${median(ms).toFixed(0)}, p95 ${p95}, ratio of p10 ${(low(ms) / base).toFixed(2)}`,
      );
      ms.length = 0;
    }
  }
  for (const { reader } of under) await reader.close();
}

/** Other work on the machine, and garbage of the stores that are asked in turn, move it least. */
function low(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    10,
  );
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    50,
  );
}

async function upload(): Promise<void> {
  const rollcall = await startRollcall(`${plain}.upload`);
  const paths: Record<string, object> = {};
  for (let n = 0; n < 5_000; n++) {
    const description = `${n} `.repeat(400);
    paths[`/resources-${n}/{id}/items`] = { get: { operationId: `get${n}`, description } };
  }
  const body = JSON.stringify({ openapi: '3.1.0', paths });
  const url = `${rollcall.addresses.analyzer}/api/v1/services/shop/inventory`;
  await send(rollcall.addresses.otlp_http!);
  const before = await whileSending(rollcall.addresses.otlp_http!, () => pause(3_000));
  const startedMs = performance.now();
  let tookMs = 0;
  const during = await whileSending(rollcall.addresses.otlp_http!, async () => {
    const answer = await fetch(url, { method: 'PUT', body });
    if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    tookMs = performance.now() - startedMs;
  });
  await rollcall.stop();
  console.log(
    `upload of ${(body.length / 2 ** 20).toFixed(1)} MiB with 5,000 operations: ${(tookMs / 1000).toFixed(2)} s; sends before p50 ${median(before).toFixed(0)} ms, most ${Math.max(...before).toFixed(0)} ms; meanwhile p50 ${median(during).toFixed(0)} ms, most ${Math.max(...during).toFixed(0)} ms`,
  );
}

async function send(otlp: string): Promise<number> {
  const startedMs = performance.now();
  const headers = { 'content-type': protobufType };
  const answer = await fetch(`${otlp}/v1/traces`, { method: 'POST', headers, body: traces(10) });
  if (answer.status !== 200) throw new Error(`a send was answered ${answer.status}`);
  return performance.now() - startedMs;
}

/** Twenty sends a second until the work is done. @returns milliseconds each */
async function whileSending(otlp: string, work: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  let isDone = false;
  const done = work().finally(() => {
    isDone = true;
  });
  while (!isDone || took.length < 10) {
    took.push(await send(otlp));
    await pause(50);
  }
  await done;
  return took;
}
