import { LocalAnswerer } from '../../../analyzer/queue/answerer.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { writeDailyHistory } from './daily-history.ts';
import { benchFolder, newStore } from './folder.ts';
import { quantile } from './quantile.ts';

/**
 * `node test/labs/bench/dead-list.ts`: CPU time of `/report/dead` over 10,000 endpoints of 20 services with 400 days
 * of use each: of the first request of a process, and of 60 after 20 in which its code is compiled. Every request has a
 * moment of its own, so no list is remembered.
 */
const endpoints = 10_000;
const days = 400;
const requests = 60;
const warmUpRequests = 20;
const nowMs = Date.UTC(2026, 5, 1, 12);

const folder = benchFolder();
const path = newStore(folder, 'dead-list');
await writeDailyHistory(path, {
  endpoints,
  services: 20,
  days,
  nowMs,
  // Two of three died on some day; each is used every one to nine days.
  isCalled: (n, day) =>
    (n % 3 === 0 || day >= (n * 7919) % days) && (day + n) % (1 + (n % 9)) === 0,
});

const reader = await openSqliteReader(path);
const unused = () => Promise.reject(new Error('not read by a query'));
const answerer = new LocalAnswerer(
  {
    reader,
    inventories: unused,
    decisions: unused,
    verdicts: unused,
  } as unknown as ConstructorParameters<typeof LocalAnswerer>[0],
  {
    thresholds: { coldAfterDays: 7, deadAfterDays: 30 },
    clientsAreHashed: false,
    traceUrl: undefined,
  },
);
const ms: number[] = [];
let firstMs = 0;
for (let n = 0; n < warmUpRequests + requests; n++) {
  const before = process.cpuUsage();
  const parameters = { format: 'json', limit: 100 };
  const question = { project: 'default', name: 'dead', parameters, path: {} };
  await answerer.answer({ ...question, nowMs: nowMs + n * 1000 });
  const { user, system } = process.cpuUsage(before);
  if (n === 0) firstMs = (user + system) / 1000;
  if (n >= warmUpRequests) ms.push((user + system) / 1000);
}
await reader.close();
folder.remove();
ms.sort((a, b) => a - b);
const shown = [50, 95, 99].map((percent) => `p${percent} ${quantile(ms, percent).toFixed(1)}`);
console.log(
  `/report/dead of ${endpoints} endpoints, CPU ms a request, Node ${process.version}: first ${firstMs.toFixed(0)}, ${shown.join(', ')}`,
);
