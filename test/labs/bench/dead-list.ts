import { createHash } from 'node:crypto';
import { LocalAnswerer } from '../../../analyzer/queue/answerer.ts';
import { CallDictionary } from '../../../core/call.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { benchFolder, newStore } from './folder.ts';
import { quantile } from './quantile.ts';

/**
 * `node test/labs/bench/dead-list.ts`: CPU time of `/report/dead` over 10,000 endpoints of 20 services with 400 days
 * of use each. Every request has a moment of its own, so no list is remembered.
 */
const endpoints = 10_000;
const days = 400;
const requests = 60;
const nowMs = Date.UTC(2026, 5, 1, 12);

const folder = benchFolder();
const path = newStore(folder, 'dead-list');
const writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowMs });
const dictionary = new CallDictionary();
for (let day = days; day >= 0; day--) {
  const batch = writer.newBatch();
  for (let n = 0; n < endpoints; n++) {
    // Two of three died on some day; each is used every one to nine days.
    if (n % 3 !== 0 && day < (n * 7919) % days) continue;
    if ((day + n) % (1 + (n % 9)) !== 0) continue;
    const i = batch.push();
    const { columns } = batch;
    const service = `service-${n % 20}`;
    const name = { project: 'default', service, environment: '', method: 'GET' };
    columns.endpoint[i] = dictionary.endpoint({ ...name, route: `/r${n}/{id}`, templated: false });
    const context = { serviceVersion: '1', consumer: 'shop', agent: 'curl', bot: false };
    columns.origin[i] = dictionary.origin({ ...context, errorType: '' });
    columns.client[i] = dictionary.client('192.0.2.1');
    columns.status[i] = 200;
    columns.durationNs[i] = 1e6;
    columns.endS[i] = Math.floor(nowMs / 1000) - day * 86_400 - (n % 3600);
    columns.endNs[i] = 0;
    columns.requestBytes[i] = -1;
    columns.responseBytes[i] = -1;
  }
  const digest = createHash('md5').update(String(day)).digest();
  batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: batch.length });
  await writer.append(batch, dictionary.takeNew());
}
await writer.compact();
await writer.close();

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
for (let n = 0; n < requests; n++) {
  const before = process.cpuUsage();
  const parameters = { format: 'json', limit: 100 };
  const question = { project: 'default', name: 'dead', parameters, path: {} };
  await answerer.answer({ ...question, nowMs: nowMs + n * 1000 });
  const { user, system } = process.cpuUsage(before);
  if (n === 0) firstMs = (user + system) / 1000;
  else ms.push((user + system) / 1000);
}
await reader.close();
folder.remove();
ms.sort((a, b) => a - b);
const shown = [50, 95, 99].map((percent) => `p${percent} ${quantile(ms, percent).toFixed(1)}`);
console.log(
  `/report/dead of ${endpoints} endpoints, CPU ms a request, Node ${process.version}: first ${firstMs.toFixed(0)}, ${shown.join(', ')}`,
);
