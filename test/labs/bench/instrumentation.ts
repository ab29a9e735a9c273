import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../../../core/random.ts';
import { type App, startApp } from '../../instrumentation/app.ts';
import {
  buildPackage,
  type NodeMajor,
  nodeBinary,
  packedFolder,
} from '../../instrumentation/workshop.ts';
import { startCollectorProcess } from '../../support/process.ts';
import { benchFolder, newStore } from './folder.ts';
import { cpuSeconds, memory } from './process-cost.ts';
import { quantile } from './quantile.ts';
import { openLoad } from './steady-load.ts';

/**
 * `npm run bench:instrumentation`: what instrumenting a service costs it. The same app without, with ours
 * lean, with ours full (`ROLLCALL_LEAN=off`) and with OpenTelemetry's auto-instrumentations-node, all
 * exporting to one real collector; every round takes them in another order.
 *   --rounds 5 --seconds 15 --rate 2000   keep-alive load, requests a second whatever the answers take
 *   --warm-up 18       seconds of the same load before: V8 goes on compiling for tens of thousands of requests
 *   --together         all modes of a framework at once instead of one after the other, so that the machine is as fast
 *                      for each of them; with a lower rate (--rate 700 --warm-up 40)
 *   --starts 5         starts per round-robin for the start-up figures; 0 leaves them out
 *   --unreachable 45   seconds of load with nobody at the collector's port, in which lean mode's queue fills;
 *                      0 leaves it out
 *   --seed N           of the order of modes; the report names it [the time]
 *   --frameworks express,fastify --modes none,lean,full,auto --node 24
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '15' },
    rate: { type: 'string', default: '2000' },
    'warm-up': { type: 'string', default: '18' },
    together: { type: 'boolean', default: false },
    unreachable: { type: 'string', default: '45' },
    starts: { type: 'string', default: '5' },
    frameworks: { type: 'string', default: 'express,fastify' },
    modes: { type: 'string', default: 'none,lean,full,auto' },
    node: { type: 'string', default: '24' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});

const commands: Record<string, { args: string[]; env: Record<string, string> }> = {
  none: { args: [], env: {} },
  lean: { args: ['--require', '@rollcall/instrumentation/register'], env: {} },
  full: {
    args: ['--require', '@rollcall/instrumentation/register'],
    env: { ROLLCALL_LEAN: 'off' },
  },
  auto: {
    args: ['--require', '@opentelemetry/auto-instrumentations-node/register'],
    env: { OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
  },
};

interface Cost {
  cpuUs: number[];
  p50Ms: number[];
  p99Ms: number[];
  rssMiB: number[];
  startCpuMs: number[];
  startRssMiB: number[];
}

/** After it listens, an SDK goes on loading, some of it with the first export. */
const settleMs = 3_000;
const connections = 16;

const log = (line: string): void => void process.stderr.write(`${line}\n`);
log(`order of modes: --seed ${values.seed}`);
const order = new Random(Number(values.seed));
const modes = values.modes.split(',');
const frameworks = values.frameworks.split(',');
await buildPackage(log);
const node = await nodeBinary(Number(values.node) as NodeMajor);
const folder = await packedFolder('bench', {
  '@opentelemetry/auto-instrumentations-node': '0.82.0',
  '@opentelemetry/sdk-node': '0.301.0',
  express: '5.2.1',
  fastify: '5.6.2',
});
const costs = new Map<string, Cost>();
const disk = benchFolder();
const collector = await startCollectorProcess(newStore(disk, 'instrumentation'));
try {
  for (let round = 1; round <= Number(values.starts); round += 1) {
    for (const [framework, mode] of order.shuffled(pairs())) await measureStart(framework, mode);
  }
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    if (values.together) {
      for (const framework of order.shuffled(frameworks)) {
        await measureLoad(framework, order.shuffled(modes), round);
      }
    } else {
      for (const [framework, mode] of order.shuffled(pairs())) {
        await measureLoad(framework, [mode], round);
      }
    }
  }
} finally {
  await collector.stop();
  disk.remove();
}
print();
if (Number(values.unreachable) > 0) {
  for (const framework of frameworks) await measureUnreachable(framework);
}

function pairs(): [string, string][] {
  return frameworks.flatMap((framework) =>
    modes.map((mode): [string, string] => [framework, mode]),
  );
}

function costOf(framework: string, mode: string): Cost {
  const name = `${framework} ${mode}`;
  const cost = costs.get(name) ?? {
    cpuUs: [],
    p50Ms: [],
    p99Ms: [],
    rssMiB: [],
    startCpuMs: [],
    startRssMiB: [],
  };
  costs.set(name, cost);
  return cost;
}

function start(framework: string, mode: string): Promise<App> {
  const { args, env } = commands[mode]!;
  return startApp(folder, [node, ...args, `bench-${framework}.cjs`], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: `${framework}-${mode}`,
    ...env,
  });
}

/** CPU time until the service has listened and has nothing left to load. */
async function measureStart(framework: string, mode: string): Promise<void> {
  const app = await start(framework, mode);
  await pause(settleMs);
  const cost = costOf(framework, mode);
  cost.startCpuMs.push(cpuSeconds(app.pid) * 1000);
  cost.startRssMiB.push(memory(app.pid).rssMiB);
  await app.stop('SIGKILL');
}

/** Starts the app once for each mode, and loads them all at once. */
async function measureLoad(framework: string, modes: string[], round: number): Promise<void> {
  const apps = await Promise.all(modes.map((mode) => start(framework, mode)));
  const load = (seconds: string) =>
    Promise.all(
      apps.map(({ url }) =>
        openLoad({
          url,
          ratePerSecond: Number(values.rate),
          connections,
          seconds: Number(seconds),
        }),
      ),
    );
  try {
    await load(values['warm-up']);
    const before = apps.map(({ pid }) => cpuSeconds(pid));
    const outcomes = await load(values.seconds);
    for (const [i, { latenciesMs, failures }] of outcomes.entries()) {
      const mode = modes[i]!;
      const { pid } = apps[i]!;
      const cpu = cpuSeconds(pid) - before[i]!;
      if (failures > 0) throw new Error(`${framework} ${mode}: ${failures} requests failed`);
      const cost = costOf(framework, mode);
      latenciesMs.sort((a, b) => a - b);
      cost.cpuUs.push((cpu * 1e6) / latenciesMs.length);
      cost.p50Ms.push(quantile(latenciesMs, 50));
      cost.p99Ms.push(quantile(latenciesMs, 99));
      cost.rssMiB.push(memory(pid).rssMiB);
      log(`round ${round} ${framework} ${mode}: ${cost.cpuUs.at(-1)!.toFixed(1)} µs a request`);
    }
  } finally {
    for (const app of apps) await app.stop('SIGKILL');
  }
}

/** Memory of the service under load, alone and with lean mode whose spans nobody takes: by thirds of the time. */
async function measureUnreachable(framework: string): Promise<void> {
  for (const mode of ['none', 'lean']) {
    // The collector has stopped: nobody listens there any more.
    const app = await start(framework, mode);
    const rssMiB: number[] = [];
    try {
      const load = { url: app.url, ratePerSecond: Number(values.rate), connections };
      for (let third = 0; third < 3; third += 1) {
        await openLoad({ ...load, seconds: Number(values.unreachable) / 3 });
        rssMiB.push(memory(app.pid).rssMiB);
      }
    } finally {
      await app.stop('SIGKILL');
    }
    const thirds = rssMiB.map((mib) => mib.toFixed(1)).join(', ');
    console.log(`| ${framework} ${mode}, collector unreachable: RSS MiB by thirds | ${thirds} |`);
  }
}

function print(): void {
  console.log(`Node ${values.node}, ${values.rate} requests/s, medians (least to most)\n`);
  console.log(
    '| app | CPU µs a request | added, by rounds | p50 ms | p99 ms | RSS MiB | start CPU ms | start RSS MiB |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const framework of frameworks) {
    for (const mode of modes) {
      const cost = costs.get(`${framework} ${mode}`)!;
      console.log(
        `| ${framework} ${mode} | ${spread(cost.cpuUs)} | ${spread(added(framework, mode))} | ${spread(cost.p50Ms, 2)} | ${spread(cost.p99Ms, 2)} | ${spread(cost.rssMiB)} | ${spread(cost.startCpuMs, 0)} | ${spread(cost.startRssMiB, 0)} |`,
      );
    }
    if (!modes.includes('auto') || !modes.includes('lean') || !modes.includes('none')) continue;
    const [ofAuto, ofLean] = [added(framework, 'auto'), added(framework, 'lean')].map(median);
    const share = ofLean! <= 0 ? 'nothing measurable' : `1/${(ofAuto! / ofLean!).toFixed(1)}`;
    const startOf = (mode: string) => median(costs.get(`${framework} ${mode}`)!.startCpuMs);
    const starts = ['auto', 'lean'].map((mode) => startOf(mode) - startOf('none'));
    const memories = ['lean', 'none'].map((mode) =>
      median(costs.get(`${framework} ${mode}`)!.rssMiB),
    );
    console.log(
      `| ${framework}: lean adds ${share} of auto's CPU a request, ${
        Number(values.starts) > 0 ? `1/${(starts[0]! / starts[1]!).toFixed(1)} of its start, ` : ''
      }${(memories[0]! - memories[1]!).toFixed(1)} MiB | | | | | | | |`,
    );
  }
}

/** By rounds, in µs a request: the machine's speed changes from one round to another more than within it. */
function added(framework: string, mode: string): number[] {
  const bare = costs.get(`${framework} none`)?.cpuUs ?? [];
  return costs
    .get(`${framework} ${mode}`)!
    .cpuUs.map((us, round) => us - (bare[round] ?? Number.NaN));
}

function median(figures: readonly number[]): number {
  return quantile(
    [...figures].sort((a, b) => a - b),
    50,
  );
}

function spread(figures: readonly number[], digits = 1): string {
  if (figures.length === 0) return '';
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  return `${median(figures).toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}
