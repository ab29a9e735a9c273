import { copyFileSync, existsSync } from 'node:fs';
import { Agent } from 'node:http';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultRetention } from '../../../core/config/retention.ts';
import { Random } from '../../../core/random.ts';
import { type Running, startService } from '../../support/process.ts';
import type { PayloadName } from '../load/payload.ts';
import { type BenchFolder, benchFolder, newStore } from './folder.ts';
import { writeHistory } from './history.ts';
import { underLoad } from './ingest.ts';
import { cpuSeconds } from './process-cost.ts';
import { days, endpoints, randomWindow, timed } from './report.ts';

/**
 * Two versions in turn, in one run, so that whatever else the machine does meets both alike:
 *
 *     node test/labs/bench/in-turn.ts --base CHECKOUT    # after `npm ci` there
 *
 * Read the ratios of CPU time, this version's to the base's. The base may be of release 0.1.0.
 */
const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '8' },
    requests: { type: 'string', default: '300' },
    calls: { type: 'string', default: '1000000' },
    only: { type: 'string', default: 'mixed,server,report' },
  },
});
const root = fileURLToPath(new URL('../../..', import.meta.url));
const base = resolve(values.base ?? '');
if (!values.base || !existsSync(join(base, 'collector/main.ts'))) {
  throw new Error('--base must name a checkout of another version');
}
const versions = [
  { name: 'base', checkout: base },
  { name: 'this', checkout: root },
] as const;
const [rounds, requests, calls] = [values.rounds, values.requests, values.calls].map(Number) as [
  number,
  number,
  number,
];
const seconds = Number(values.seconds);
const only = values.only.split(',');

const folder = benchFolder();
try {
  for (const payload of ['mixed', 'server'] as const) {
    if (only.includes(payload)) await ingestInTurn(folder, payload);
  }
  if (only.includes('report')) await reportsInTurn(folder);
} finally {
  folder.remove();
}

function start(checkout: string, service: string, store: string): Promise<Running> {
  return startService(relative(root, join(checkout, service)), {
    ROLLCALL_STORE: `sqlite:${store}`,
    ROLLCALL_OTLP_HTTP_PORT: '0',
    ROLLCALL_ANALYZER_PORT: '0',
  });
}

async function ingestInTurn(folder: BenchFolder, payload: PayloadName): Promise<void> {
  const ratios: number[] = [];
  const all: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const costs: number[] = [];
    // Each version is the first in every other round.
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const v of order) {
      const store = newStore(folder, payload);
      const collector = await start(versions[v]!.checkout, 'collector/main.ts', store);
      const options = { payload, seconds, connections: 16 };
      const { cost } = await underLoad(collector, collector.addresses.otlp_http!, options);
      await collector.stop();
      costs[v] = cost.cpuPerMillionSpans;
    }
    ratios.push(costs[1]! / costs[0]!);
    all.push(costs.map((cost) => cost.toFixed(2)).join('/'));
  }
  const title = `ingest, ${payload}: CPU-seconds per million spans base/this ${all.join(', ')}`;
  process.stdout.write(`${title}; ratio ${shown(ratios)}\n`);
}

async function reportsInTurn(folder: BenchFolder): Promise<void> {
  const store = newStore(folder, 'history');
  await writeWith(base, store);
  const subjects: { name: string; analyzer: Running; url: string; cpu: number; ms: number[] }[] =
    [];
  for (const { name, checkout } of versions) {
    const own = newStore(folder, `history-${name}`);
    copyFileSync(store, own);
    const analyzer = await start(checkout, 'analyzer/main.ts', own);
    subjects.push({ name, analyzer, url: `${analyzer.addresses.analyzer}/api/v1`, cpu: 0, ms: [] });
  }
  try {
    for (const path of ['report', 'summary', 'timeseries', 'clients']) {
      const random = new Random(5);
      const ratios: number[] = [];
      for (const subject of subjects) {
        subject.cpu = 0;
        subject.ms = [];
      }
      const parts = 10;
      for (let part = -2; part < parts; part++) {
        const windows = Array.from({ length: requests / parts }, (_, n) =>
          n % 2 === 0 ? `window=${days}d` : randomWindow(random),
        );
        const costs: number[] = [];
        for (const v of part % 2 === 0 ? [0, 1] : [1, 0]) {
          const { analyzer, url, ms } = subjects[v]!;
          // A connection that idled while the other version was asked may be closed.
          const agent = new Agent({ keepAlive: true });
          const before = cpuSeconds(analyzer.pid);
          for (const window of windows) {
            const answer = await timed(agent, `${url}/${path}?${window}`);
            if (part >= 0) ms.push(answer.ms);
          }
          costs[v] = cpuSeconds(analyzer.pid) - before;
          agent.destroy();
        }
        // The first parts are a warm-up: the program's own code is compiled as it runs.
        if (part < 0) continue;
        subjects.forEach((subject, v) => {
          subject.cpu += costs[v]!;
        });
        ratios.push(costs[1]! / costs[0]!);
      }
      const [before, after] = subjects.map(({ cpu, ms }) => {
        ms.sort((a, b) => a - b);
        const [p50, p95] = [0.5, 0.95].map((q) => ms[Math.floor(ms.length * q)]!.toFixed(1));
        return `CPU ${((cpu / ms.length) * 1000).toFixed(1)}, p50 ${p50}, p95 ${p95} ms`;
      });
      process.stdout.write(
        `/${path}, ${calls} calls, ${days} days: base ${before}; this ${after}; ratio of CPU ${(
          subjects[1]!.cpu / subjects[0]!.cpu
        ).toFixed(3)}, by part ${shown(ratios)}\n`,
      );
    }
  } finally {
    for (const { analyzer } of subjects) await analyzer.stop();
  }
}

/** Ninety days of history through the writer of that version: the other one migrates its copy. */
async function writeWith(checkout: string, path: string): Promise<void> {
  const isFlat = existsSync(join(checkout, 'core/store/sqlite/writer.ts'));
  const file = isFlat ? 'writer.ts' : 'writer/writer.ts';
  const { openSqliteWriter } = await import(join(checkout, 'core/store/sqlite', file));
  const writer = await openSqliteWriter({ path, retention: defaultRetention });
  const nowS = Math.floor(Date.now() / 1000);
  await writeHistory(writer, { calls, endpoints, days, nowS, seed: 9 });
  await (isFlat ? writer.rollUp() : writer.compact());
  await writer.close();
}

/** Median, lowest and highest. */
function shown(ratios: readonly number[]): string {
  const sorted = [...ratios].sort((a, b) => a - b);
  const [low, high] = [sorted[0]!, sorted.at(-1)!];
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  return `${median.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}
