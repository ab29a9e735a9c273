import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { PayloadName } from '../load/payload.ts';
import { benchFolder } from './folder.ts';
import { measureLargeTransports, measureTransports, type TransportCost } from './grpc.ts';
import { type IngestCost, measureBaseline, measureIngest, measureLatency } from './ingest.ts';
import { measureLarge } from './large.ts';
import { quantile } from './quantile.ts';
import { measureReports } from './report.ts';

/**
 * `npm run bench`: what Rollcall costs, from the outside. The server is a process of its own on a real
 * disk, the loader another; CPU time and memory are the operating system's figures.
 *   --only ingest-mixed,ingest-server,ingest-wide,ingest-wide-one-service,latency,large,grpc,report
 *   --seconds 20       length of each load; the wide one runs three times as long
 *   --connections 16   keep-alive connections of the loader
 *   --calls 1000000,10000000 --requests 200   sizes of the report's stores, requests to each
 *   --stores DIR       keeps the report's stores there, to be used again
 */
const parts = [
  'ingest-mixed',
  'ingest-server',
  'ingest-wide',
  'ingest-wide-one-service',
  'latency',
  'large',
  'grpc',
  'report',
] as const;
type Part = (typeof parts)[number];

/** A line of the table: what was measured, what is asked, what others need for it (issue 3). */
interface Row {
  figure: string;
  value: string;
  target: string;
  beside: string;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: parts.join(',') },
    seconds: { type: 'string', default: '20' },
    connections: { type: 'string', default: '16' },
    calls: { type: 'string', default: '1000000,10000000' },
    requests: { type: 'string', default: '200' },
    stores: { type: 'string' },
  },
});
const chosen = new Set(values.only.split(','));
for (const name of chosen) {
  if (!parts.includes(name as Part))
    throw new Error(`--only ${name}: not one of ${parts.join(', ')}`);
}
const seconds = Number(values.seconds);
const connections = Number(values.connections);

const asked: Record<PayloadName, { title: string; target: string; beside: string }> = {
  mixed: {
    title: '512 spans of 280 B, one in six SERVER',
    target: '≤ 0.8, aim 0.6',
    beside: 'Collector 2.2 (drop), 2.4 (spanmetrics); Rotel 1.3 (drop); only reading 0.22',
  },
  server: {
    title: '1,000 SERVER spans of 486 B',
    target: '≤ 3.0, aim 2.0',
    beside: 'Collector 2.7, 5.1; Rotel 2.7; only reading 0.21',
  },
  wide: {
    title: '10,000 endpoints of 10 services, 100,000 clients',
    target: '≤ 5',
    beside: "Collector's spanmetrics 5.6 to 6.2",
  },
  'wide-one-service': {
    title: '10,000 endpoints of one service, 100,000 clients',
    target: '≤ 5',
    beside: "Collector's spanmetrics 5.6 to 6.2",
  },
};

const folder = benchFolder();
try {
  const rows: Row[] = [];
  for (const part of parts) {
    if (!chosen.has(part)) continue;
    process.stderr.write(`${part} …\n`);
    for (const row of await measure(part)) {
      process.stderr.write(`  ${row.figure}: ${row.value}\n`);
      rows.push(row);
    }
  }
  process.stdout.write(`${heading()}\n\n${table(rows)}\n`);
} finally {
  folder.remove();
}

function measure(part: Part): Promise<Row[]> {
  if (part === 'latency') return latencyRows();
  if (part === 'large') return largeRows();
  if (part === 'grpc') return grpcRows();
  if (part === 'report') return reportRows();
  return ingestRows(part.slice('ingest-'.length) as PayloadName);
}

async function largeRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const payload of ['mixed', 'server'] as const) {
    const cost = await measureLarge(folder, { payload, seconds });
    const mebibytes = (cost.largeBytes / 2 ** 20).toFixed(1);
    rows.push({
      figure: `50 small requests/s beside ${cost.largeMs.length} of ${mebibytes} MiB (${asked[payload].title}), one after the other`,
      value: `${percentiles(cost.besideMs)}, most ${cost.besideMs.at(-1)!.toFixed(0)} ms; alone ${percentiles(cost.aloneMs)}, most ${cost.aloneMs.at(-1)!.toFixed(0)} ms; a large one took ${percentiles(cost.largeMs.toSorted((a, b) => a - b))}`,
      target: 'delayed by ≤ 100 ms',
      beside: '',
    });
  }
  return rows;
}

async function ingestRows(payload: PayloadName): Promise<Row[]> {
  const { title, target, beside } = asked[payload];
  const wide = payload.startsWith('wide');
  const options = { payload, connections, seconds: wide ? seconds * 3 : seconds };
  const cost = await measureIngest(folder, options);
  const baseline = await measureBaseline({ payload, connections, seconds: Math.min(10, seconds) });
  const ratio = cost.cpuPerMillionSpans / baseline.cpuPerMillionSpans;
  const rows: Row[] = [
    {
      figure: `${title}: CPU-seconds per million spans, all threads, rollups included`,
      value: cost.cpuPerMillionSpans.toFixed(2),
      target,
      beside,
    },
    {
      figure: `${title}: the same load on a Node server that only reads the bodies`,
      value: `${baseline.cpuPerMillionSpans.toFixed(2)} (ratio ${ratio.toFixed(1)})`,
      target: '',
      beside: '',
    },
    {
      figure: `${title}: at full load`,
      value: throughput(cost),
      target: '',
      beside: '',
    },
    {
      figure: `${title}: RSS over ${Math.round(cost.seconds)} s of full load: median, most, high-water mark`,
      value: `${[cost.rssMiB, cost.rssMostMiB, cost.rssPeakMiB].map((mib) => mib.toFixed(0)).join(', ')} MiB`,
      target: wide ? '≤ 300 MB' : '',
      beside: wide ? "Collector's spanmetrics 163 MB, in memory" : '',
    },
  ];
  if (cost.disk !== undefined) {
    rows.push({
      figure: `${title}: bytes of a raw call on disk, all kept fields (whole file with rollups)`,
      value: `${cost.disk.rawBytesPerCall.toFixed(1)} (${cost.disk.fileBytesPerCall.toFixed(1)})`,
      target: '≤ 60, aim 45',
      beside: 'Jaeger on ClickHouse, published: 72 a span',
    });
  }
  return rows;
}

function throughput(cost: IngestCost): string {
  const spans = Math.round(cost.spans / cost.seconds / 1000);
  const mebibytes = Math.round(cost.bytes / cost.seconds / 2 ** 20);
  const refused = Object.entries(cost.refused).map(([status, n]) => `${n} × ${status}`);
  return `${spans} K spans/s, ${mebibytes} MiB/s, acknowledged after ${percentiles(cost.latenciesMs)}${
    refused.length > 0 ? `, refused ${refused.join(', ')}` : ''
  }`;
}

async function latencyRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const payload of ['mixed', 'server'] as const) {
    const cost = await measureLatency(folder, { payload, connections, seconds });
    const share = `${cost.bodiesPerS.toFixed(0)} of ${cost.bodiesPerSMost.toFixed(0)} bodies/s`;
    rows.push({
      figure: `${asked[payload].title}: acknowledgement at 20 % load (${share})`,
      value: percentiles(cost.latenciesMs),
      target: 'p99 < 50 ms',
      beside: '',
    });
  }
  return rows;
}

/** gRPC beside HTTP: alternating turns on one collector, so that a busy machine is busy for both. */
async function grpcRows(): Promise<Row[]> {
  const rows: Row[] = [];
  const turn = { seconds: Math.min(10, seconds), rounds: 2 };
  for (const payload of ['mixed', 'server'] as const) {
    const transports = ['http', 'grpc'] as const;
    const costs = await measureTransports(folder, { payload, connections, transports, ...turn });
    rows.push(transportRow(`${asked[payload].title}, ${connections} connections`, costs));
  }
  const streams = 100;
  rows.push(
    transportRow(
      `${asked.mixed.title}, ${streams} connections or streams of one`,
      await measureTransports(folder, {
        payload: 'mixed',
        connections: streams,
        transports: ['http', 'grpc-streams'],
        ...turn,
      }),
    ),
  );
  const [http, grpc] = await measureLargeTransports(folder, 3);
  const each = (cost: typeof grpc) =>
    `${cost!.cpuSeconds.toFixed(2)} s, acknowledged after ${Math.round(Math.max(...cost!.elapsedMs))} ms at most`;
  rows.push({
    figure: `one message of ${(grpc!.bytes / 2 ** 20).toFixed(0)} MiB: CPU over HTTP, over gRPC`,
    value: `${each(http)}; ${each(grpc)} (ratio ${(grpc!.cpuSeconds / http!.cpuSeconds).toFixed(2)})`,
    target: '≤ 1.5',
    beside: '',
  });
  return rows;
}

function transportRow(title: string, [http, grpc]: TransportCost[]): Row {
  const perMillion = ({ cpuSeconds, spans }: TransportCost) => (cpuSeconds / spans) * 1e6;
  const each = (cost: TransportCost) =>
    `${perMillion(cost).toFixed(2)} (turns ${cost.cpuPerMillionSpans.map((cpu) => cpu.toFixed(2)).join(', ')}; ${percentiles(cost.latenciesMs)})`;
  return {
    figure: `${title}: CPU-seconds per million spans over HTTP, over gRPC`,
    value: `${each(http!)}; ${each(grpc!)}; ratio ${(perMillion(grpc!) / perMillion(http!)).toFixed(2)}`,
    target: 'ratio ≤ 1.5',
    beside: '',
  };
}

async function reportRows(): Promise<Row[]> {
  const costs = await measureReports({
    sizes: values.calls.split(',').map(Number),
    requests: Number(values.requests),
    folder: values.stores ?? folder.path,
  });
  const rows = costs.flatMap((cost) => {
    const title = `report of ${cost.endpoints} endpoints × 90 days at ${cost.calls / 1e6} M calls`;
    return [
      {
        figure: `${title}, window=90d`,
        value: percentiles(cost.sameMs),
        target: 'p95 < 50 ms',
        beside: 'fastapi-lens at 1 M calls: 2.5 s',
      },
      {
        figure: `${title}, from and to at random minutes`,
        value: percentiles(cost.variedMs),
        target: 'p95 < 50 ms',
        beside: '',
      },
      {
        figure: `${title}: the first answer of a fresh process (${(cost.bytes / 1024).toFixed(0)} KiB of JSON)`,
        value: `${cost.coldMs.toFixed(0)} ms`,
        target: '',
        beside: '',
      },
    ];
  });
  const [small, large] = [costs[0]!, costs.at(-1)!];
  const ratio = (of: (cost: typeof small) => number[], percent: number) =>
    (quantile(of(large), percent) / quantile(of(small), percent)).toFixed(2);
  rows.push({
    figure: `report: ${large.calls / 1e6} M calls against ${small.calls / 1e6} M, p50 and p95`,
    value: `same window ${ratio((c) => c.sameMs, 50)}, ${ratio((c) => c.sameMs, 95)}; random ${ratio((c) => c.variedMs, 50)}, ${ratio((c) => c.variedMs, 95)}`,
    target: '≤ 1.1',
    beside: '',
  });
  return rows;
}

function percentiles(ascendingMs: readonly number[]): string {
  const ms = (percent: number) => quantile(ascendingMs, percent).toFixed(1);
  return `p50 ${ms(50)}, p95 ${ms(95)}, p99 ${ms(99)} ms`;
}

function heading(): string {
  return [
    `${new Date().toISOString().slice(0, 10)}, ${commit()},`,
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}.`,
    `Command: \`npm run bench -- --only ${[...chosen].join(',')} --seconds ${seconds} --connections ${connections}\``,
  ].join('\n');
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `commit ${git('rev-parse', '--short', 'HEAD')}${changed ? ' and uncommitted changes' : ''}`;
  } catch {
    return 'outside a git repository';
  }
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ figure, value, target, beside }) => `| ${figure} | ${value} | ${target} | ${beside} |`,
  );
  return ['| figure | measured | target | beside it |', '|---|---|---|---|', ...lines].join('\n');
}
