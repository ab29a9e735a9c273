import { LocalAnswerer } from '../../../analyzer/queue/answerer.ts';
import { openSqliteInventories } from '../../../core/store/sqlite/inventory/inventories.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { writeDailyHistory } from './daily-history.ts';
import { benchFolder, newStore } from './folder.ts';
import { quantile } from './quantile.ts';

/**
 * `node test/labs/bench/deprecated.ts`: CPU time of `/report/deprecated` over 10,000 endpoints of 20 services with 90
 * days of use, of which every hundredth is deprecated. Every request has a moment of its own, so no list is remembered.
 */
const endpoints = 10_000;
const services = 20;
const days = 90;
const requests = 20;
const nowMs = Date.UTC(2026, 5, 1, 12);

const folder = benchFolder();
const path = newStore(folder, 'deprecated');
await writeDailyHistory(path, {
  endpoints,
  services,
  days,
  nowMs,
  consumerOf: (n, day) => `consumer-${(n + day) % 7}`,
});

const inventories = await openSqliteInventories(path);
for (let service = 0; service < services; service++) {
  const numbers = Array.from({ length: endpoints / services }, (_, n) => n * services + service);
  const routes = numbers.map((n, at) => ({
    method: 'GET',
    route: `/r${n}/:id`,
    deprecated: at % 100 === 0,
  }));
  const place = { service: `service-${service}`, environment: null };
  const upload = { author: '', createdMs: nowMs, format: 'routes', routes, prefixes: [] };
  await inventories.replace('default', place, upload);
}
await inventories.close();

const reader = await openSqliteReader(path);
const unused = () => Promise.reject(new Error('not read by a query'));
const opened = { reader, inventories: unused, decisions: unused, verdicts: unused };
const answerer = new LocalAnswerer(
  opened as unknown as ConstructorParameters<typeof LocalAnswerer>[0],
  { thresholds: { coldAfterDays: 7, deadAfterDays: 30 }, clientsAreHashed: false },
);
for (const limit of [1, 50]) {
  const ms: number[] = [];
  for (let n = 0; n < requests + 3; n++) {
    const parameters = { format: 'json', limit, window: 90 * 86_400 };
    const question = { project: 'default', name: 'deprecated', parameters, path: {} };
    const before = process.cpuUsage();
    await answerer.answer({ ...question, nowMs: nowMs + (n + limit) * 1000 });
    const { user, system } = process.cpuUsage(before);
    if (n >= 3) ms.push((user + system) / 1000);
  }
  ms.sort((a, b) => a - b);
  const shown = [10, 50, 95].map((percent) => `p${percent} ${quantile(ms, percent).toFixed(0)}`);
  console.log(
    `/report/deprecated of ${endpoints} endpoints, limit=${limit}, CPU ms a request, Node ${process.version}: ${shown.join(', ')}`,
  );
}
await reader.close();
folder.remove();
