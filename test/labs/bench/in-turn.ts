import { execFileSync } from 'node:child_process';
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
import { threadSeconds } from './process-cost.ts';
import { days, endpoints, randomWindow, timed } from './report.ts';

/**
 * Two versions in turn, in one run, so that whatever else the machine does meets both alike:
 *
 *     node test/labs/bench/in-turn.ts --against REF      # a worktree of a commit, made and removed by this command
 *     node test/labs/bench/in-turn.ts --base CHECKOUT    # after `npm ci` there
 *
 * Read the ratios of CPU time, this version's to the base's; of reports the lower percentiles, which other work on
 * the machine moves least. The base may be of release 0.1.0.
 */
const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    base: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '8' },
    requests: { type: 'string', default: '300' },
    calls: { type: 'string', default: '1000000' },
    only: { type: 'string', default: 'mixed,server,mixed-4,server-4,wide,report' },
    /** Reports: each version reads a store that it wrote itself, not a copy of the base's. */
    'own-stores': { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = benchFolder();
const base = values.against ? worktreeOf(values.against) : resolve(values.base ?? '');
if (!(values.against || values.base) || !existsSync(join(base, 'collector/main.ts'))) {
  folder.remove();
  throw new Error('--base must name a checkout of another version, or --against a commit');
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
/** Of each kind of report: the program's own code is compiled as it runs. */
const warmUpRequests = 40;

/** Each connection waits for its acknowledgement before it sends again: with four of them commits are small. */
const loads: Record<string, { payload: PayloadName; connections: number }> = {
  mixed: { payload: 'mixed', connections: 16 },
  server: { payload: 'server', connections: 16 },
  'mixed-4': { payload: 'mixed', connections: 4 },
  'server-4': { payload: 'server', connections: 4 },
  /** 10,000 endpoints of ten services, 100,000 clients. */
  wide: { payload: 'wide', connections: 16 },
};

try {
  for (const [name, load] of Object.entries(loads)) {
    if (only.includes(name)) await ingestInTurn(folder, name, load);
  }
  if (only.includes('report')) await reportsInTurn(folder);
} finally {
  if (values.against) git('worktree', 'remove', '--force', base);
  folder.remove();
}

function git(...args: string[]): void {
  execFileSync('git', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A checkout of a commit with its own packages, in the folder of the bench. */
function worktreeOf(ref: string): string {
  const checkout = join(folder.path, 'against');
  git('worktree', 'add', '--detach', checkout, ref);
  const packages = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  execFileSync('npm', packages, { cwd: checkout, stdio: ['ignore', 'ignore', 'inherit'] });
  return checkout;
}

function start(checkout: string, service: string, store: string): Promise<Running> {
  return startService(relative(root, join(checkout, service)), {
    ROLLCALL_STORE: `sqlite:${store}`,
    ROLLCALL_OTLP_HTTP_PORT: '0',
    ROLLCALL_ANALYZER_PORT: '0',
  });
}

async function ingestInTurn(
  folder: BenchFolder,
  name: string,
  { payload, connections }: { payload: PayloadName; connections: number },
): Promise<void> {
  const rss: number[][] = [[], []];
  const ratios: number[] = [];
  const all: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const costs: number[] = [];
    // Each version is the first in every other round.
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const v of order) {
      const store = newStore(folder, payload);
      const collector = await start(versions[v]!.checkout, 'collector/main.ts', store);
      const options = { payload, seconds, connections };
      const { cost } = await underLoad(collector, collector.addresses.otlp_http!, options);
      await collector.stop();
      costs[v] = cost.cpuPerMillionSpans;
      rss[v]!.push(cost.rssPeakMiB);
    }
    ratios.push(costs[1]! / costs[0]!);
    all.push(costs.map((cost) => cost.toFixed(2)).join('/'));
  }
  const title = `ingest, ${name}: CPU-seconds per million spans base/this ${all.join(', ')}`;
  const memory = rss.map((each) => Math.max(...each).toFixed(0)).join('/');
  process.stdout.write(`${title}; ratio ${shown(ratios)}; RSS at most ${memory} MiB\n`);
}

async function reportsInTurn(folder: BenchFolder): Promise<void> {
  const store = newStore(folder, 'history');
  if (!values['own-stores']) await writeWith(base, store);
  const subjects: { analyzer: Running; url: string; agent: Agent }[] = [];
  for (const { name, checkout } of versions) {
    const own = newStore(folder, `history-${name}`);
    if (values['own-stores']) await writeWith(checkout, own);
    else copyFileSync(store, own);
    const analyzer = await start(checkout, 'analyzer/main.ts', own);
    const agent = new Agent({ keepAlive: true });
    subjects.push({ analyzer, url: `${analyzer.addresses.analyzer}/api/v1`, agent });
  }
  try {
    for (const path of ['report', 'summary', 'timeseries', 'clients']) {
      const costs: number[][] = [[], []];
      const random = new Random(5);
      for (let n = -warmUpRequests; n < requests; n++) {
        const window = n % 2 === 0 ? `window=${days}d` : randomWindow(random);
        // Each version is the first for every other pair of requests.
        for (const v of n % 4 < 2 ? [0, 1] : [1, 0]) {
          const { analyzer, url, agent } = subjects[v]!;
          const before = threadSeconds(analyzer.pid);
          await timed(agent, `${url}/${path}?${window}`);
          if (n >= 0) costs[v]!.push((threadSeconds(analyzer.pid) - before) * 1000);
        }
      }
      for (const cost of costs) cost.sort((a, b) => a - b);
      const at = (v: number, q: number) => costs[v]![Math.floor(costs[v]!.length * q)]!;
      const figures = [0.1, 0.5].map((q) => {
        const [before, after] = [at(0, q), at(1, q)];
        return `p${q * 100} ${before.toFixed(1)}/${after.toFixed(1)} (${(after / before).toFixed(3)})`;
      });
      const title = `/${path}, ${calls} calls, ${days} days: CPU ms a request base/this (ratio)`;
      process.stdout.write(`${title} ${figures.join(', ')}\n`);
    }
  } finally {
    for (const { analyzer, agent } of subjects) {
      agent.destroy();
      await analyzer.stop();
    }
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
