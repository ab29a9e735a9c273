import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CallBatch, CallDictionary } from '../../../core/call.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { Random } from '../../../core/random.ts';
import type { CallFilter, CallOrder } from '../../../core/store/calls.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import type { CallReader, Selection } from '../../../core/store/store.ts';
import { Zipf } from '../load/zipf.ts';
import { benchFolder } from './folder.ts';
import { quantile } from './quantile.ts';

/**
 * Measures the search of raw calls: the first page of 100 under any one filter and any two, and one trace id, in a
 * store of ten million calls of three days. `node test/labs/bench/calls.ts --calls 10000000`
 */
const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000000' },
    searches: { type: 'string', default: '300' },
    store: { type: 'string' },
  },
});
const count = Number(values.calls);
const searches = Number(values.searches);
const endpoints = 1_000;
const clients = 20_000;
const consumers = 300;
const nowS = Math.floor(Date.now() / 1000);
const spanS = 3 * 86_400;
const limit = 100;

const folder = values.store === undefined ? benchFolder() : undefined;
const place = values.store ?? folder!.path;
mkdirSync(place, { recursive: true });
const path = join(place, 'calls.db');
try {
  await fill();
  await measure();
} finally {
  folder?.remove();
}

async function fill(): Promise<void> {
  const reader = await openSqliteReader(path);
  const stored = await reader.snapshot('default', async (snapshot) => snapshot.newestCallMs());
  await reader.close();
  if (stored !== undefined) return;
  const retention = { ...defaultRetention, callsS: 30 * 86_400 };
  const writer = await openSqliteWriter({ path, retention });
  const random = new Random(1);
  const dictionary = new CallDictionary();
  const endpointOf = Array.from({ length: endpoints }, (_, n) =>
    dictionary.endpoint({
      project: 'default',
      service: `service-${n % 10}`,
      environment: 'production',
      method: ['GET', 'GET', 'GET', 'POST'][n % 4]!,
      route: `/api/v1/resource-${n}/{id}`,
      templated: false,
    }),
  );
  const clientOf = Array.from({ length: clients }, (_, n) =>
    dictionary.client(`198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`),
  );
  const originOf = Array.from({ length: consumers * 4 }, (_, n) =>
    dictionary.origin({
      serviceVersion: `1.${n % 3}.0`,
      consumer: `consumer-${Math.floor(n / 4)}`,
      agent: ['okhttp', 'curl', 'axios', 'Googlebot'][n % 4]!,
      bot: n % 4 === 3,
      errorType: '',
    }),
  );
  const failedOf = Array.from({ length: 8 }, (_, n) =>
    dictionary.origin({
      serviceVersion: '1.2.0',
      consumer: `consumer-${n}`,
      agent: 'okhttp',
      bot: false,
      errorType: ['timeout', 'java.lang.IllegalStateException'][n % 2]!,
    }),
  );
  const whichEndpoint = new Zipf(endpoints, 0.9);
  const whichClient = new Zipf(clients, 0.9);
  const whichConsumer = new Zipf(consumers, 0.9);
  const medians = Array.from({ length: endpoints }, () => random.lognormal(20e6, 1));
  let batch = new CallBatch();
  let serial = 0;
  const waiting: Promise<unknown>[] = [];
  for (let n = 0; n < count; n += 1) {
    const at = batch.push();
    const { columns } = batch;
    const endpoint = whichEndpoint.pick(random);
    const isFailed = random.next() < 0.003;
    columns.endpoint[at] = endpointOf[endpoint]!;
    columns.client[at] = clientOf[whichClient.pick(random)]!;
    columns.origin[at] = isFailed
      ? failedOf[random.u32() % 8]!
      : originOf[whichConsumer.pick(random) * 4 + (random.u32() % 4)]!;
    columns.status[at] = isFailed ? 500 + (random.u32() % 4) : random.u32() % 40 === 0 ? 404 : 200;
    // Batches of exporters: up to five seconds late.
    const endS = nowS - spanS + (n / count) * spanS - random.next() * 5;
    columns.endS[at] = Math.floor(endS);
    columns.endNs[at] = random.u32() % 1_000_000_000;
    columns.durationNs[at] = Math.floor(random.lognormal(medians[endpoint]!, 0.8));
    columns.requestBytes[at] = -1;
    columns.responseBytes[at] = random.u32() % 65_536;
    for (let word = 0; word < 4; word += 1) {
      new DataView(columns.traceId.buffer, columns.traceId.byteOffset).setUint32(
        at * 16 + word * 4,
        random.u32(),
      );
    }
    if (batch.length < 16_384 && n < count - 1) continue;
    const digest = new Uint8Array(16);
    new DataView(digest.buffer).setUint32(0, ++serial);
    batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: batch.length });
    waiting.push(writer.append(batch, dictionary.takeNew()));
    batch = new CallBatch();
    if (waiting.length > 3) await waiting.shift();
  }
  await Promise.all(waiting);
  await writer.compact();
  await writer.close();
}

interface Search {
  what: string;
  selection: Selection;
  filter: CallFilter;
  order: CallOrder;
}

type Part = { selection?: Selection; filter?: CallFilter };

async function measure(): Promise<void> {
  const sample = await openSqliteReader(path);
  const ids = await sample.snapshot('default', async (snapshot) =>
    (await snapshot.endpoints({})).map(({ id }) => id),
  );
  const traces = await someTraces(sample);
  await sample.close();
  const random = new Random(7);
  const pick = (n: number): number => Math.floor(random.next() * n);
  const zipfClient = new Zipf(clients, 0.9);
  const parts: Record<string, () => Part> = {
    none: () => ({}),
    endpoint: () => ({ selection: { endpoints: new Set([ids[pick(ids.length)]!]) } }),
    service: () => ({ selection: { service: `service-${pick(10)}` } }),
    status: () => ({ filter: { statuses: [{ from: 500, to: 599 }] } }),
    client: () => {
      const n = zipfClient.pick(random);
      return { filter: { client: `198.18.${(n >> 8) & 255}.${n & 255}` } };
    },
    consumer: () => ({ filter: { consumer: `consumer-${pick(consumers)}` } }),
    agent: () => ({ filter: { agent: ['okhttp', 'curl', 'axios', 'Googlebot'][pick(4)]! } }),
    bot: () => ({ filter: { bot: pick(2) === 0 } }),
    version: () => ({ filter: { serviceVersion: `1.${pick(3)}.0` } }),
    errorType: () => ({ filter: { errorType: 'timeout' } }),
    duration: () => ({ filter: { durationFromNs: random.lognormal(100e6, 1) } }),
    time: () => {
      const fromS = nowS - pick(spanS);
      return { filter: { fromS, toS: fromS + 3600 } };
    },
  };
  const names = Object.keys(parts);
  const combine = (a: string, b: string, order: CallOrder): Search => {
    const one = parts[a]!();
    const two = a === b ? {} : parts[b]!();
    const own = {
      selection: { ...one.selection, ...two.selection },
      filter: { ...one.filter, ...two.filter },
    };
    return { what: a === b ? a : `${a}+${b}`, ...own, order };
  };
  const singles = (order: CallOrder) =>
    Array.from({ length: searches }, (_, n) => {
      const name = names[n % names.length]!;
      return combine(name, name, order);
    });
  const pairs = (order: CallOrder) =>
    Array.from({ length: searches }, () => {
      const a = 1 + pick(names.length - 1);
      const b = 1 + ((a - 1 + 1 + pick(names.length - 2)) % (names.length - 1));
      return combine(names[a]!, names[b]!, order);
    });
  const rows: string[] = [];
  for (const [title, list] of [
    ['newest, one filter', singles('newest')],
    ['newest, two filters', pairs('newest')],
    ['slowest, one filter', singles('slowest')],
    ['slowest, two filters', pairs('slowest')],
    [
      'one trace id',
      Array.from({ length: searches }, () => ({
        what: 'traceId',
        selection: {},
        filter: { traceId: traces[pick(traces.length)]! },
        order: 'newest' as const,
      })),
    ],
  ] as const) {
    const reader = await openSqliteReader(path);
    for (const search of list.slice(0, searches / 3)) await time(reader, search);
    const warm = [];
    for (const search of list) warm.push(await time(reader, search));
    rows.push(line(`${title}, warm`, warm));
    process.stderr.write(`${rows.at(-1)}\n`);
    await reader.close();
    const cold = [];
    for (const search of list.slice(0, searches / 5)) {
      const fresh = await openSqliteReader(path);
      cold.push(await time(fresh, search));
      await fresh.close();
    }
    rows.push(line(`${title}, a fresh reader each`, cold));
    process.stderr.write(`${rows.at(-1)}\n`);
  }
  console.log(`${count} calls, ${limit} a page, Node ${process.version}`);
  console.log(
    '| search | p50 ms | p95 ms | CPU ms p50 | p95 | whole pages | of calls found | worst |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  console.log(rows.join('\n'));
}

interface Timing {
  what: string;
  ms: number;
  cpuMs: number;
  /** The page is full, or the search at its end. */
  isWhole: boolean;
  calls: number;
}

async function time(reader: CallReader, search: Search): Promise<Timing> {
  const { what, selection, filter, order } = search;
  const started = performance.now();
  const cpu = process.cpuUsage();
  const page = await reader.snapshot('default', (snapshot) =>
    snapshot.calls(selection, filter, { order, limit }),
  );
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  const isWhole = page.calls.length === limit || page.cursor === undefined;
  return { what, ms, cpuMs: (user + system) / 1000, isWhole, calls: page.calls.length };
}

function line(title: string, timings: readonly Timing[]): string {
  const ms = timings.map((one) => one.ms).sort((a, b) => a - b);
  const cpu = timings.map((one) => one.cpuMs).sort((a, b) => a - b);
  const of = (list: readonly number[], percent: number) => quantile(list, percent).toFixed(1);
  const whole = timings.filter(({ isWhole }) => isWhole).length;
  const worst = timings.toSorted((a, b) => b.ms - a.ms).slice(0, 4);
  const found = timings.reduce((sum, { calls }) => sum + calls, 0);
  return `| ${title} | ${of(ms, 50)} | ${of(ms, 95)} | ${of(cpu, 50)} | ${of(cpu, 95)} | ${whole} of ${timings.length} | ${found} | ${worst.map(({ what, ms: own }) => `${what} ${own.toFixed(0)}`).join(', ')} |`;
}

async function someTraces(reader: CallReader): Promise<string[]> {
  const traces: string[] = [];
  for (let hour = 0; hour < 72; hour += 3) {
    const fromS = nowS - spanS + hour * 3600;
    const page = await reader.snapshot('default', (snapshot) =>
      snapshot.calls({}, { fromS, toS: fromS + 600 }, { order: 'newest', limit: 20 }),
    );
    traces.push(...page.calls.map(({ traceId }) => traceId));
  }
  return traces;
}
