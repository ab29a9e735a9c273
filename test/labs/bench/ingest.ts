import { countCalls } from '../../../core/store/sqlite/calls/call-tables.ts';
import { Database } from '../../../core/store/sqlite/database.ts';
import { type Running, startCollectorProcess, startService } from '../../support/process.ts';
import type { PayloadName } from '../load/payload.ts';
import { type BenchFolder, newStore } from './folder.ts';
import { runLoad } from './load.ts';
import type { Loaded } from './loader.ts';
import { cpuSeconds, memory, sampleMemory, settle } from './process-cost.ts';

/** What one payload costs the server: everything between two moments at which it was idle. */
export interface IngestCost {
  payload: PayloadName;
  spans: number;
  servers: number;
  bytes: number;
  seconds: number;
  cpuPerMillionSpans: number;
  /** Median and highest of the samples under load, and the kernel's own high-water mark. */
  rssMiB: number;
  rssMostMiB: number;
  rssPeakMiB: number;
  latenciesMs: number[];
  refused: Record<string, number>;
  /** Only of a real collector. */
  disk?: DiskCost;
}

export interface DiskCost {
  calls: number;
  /** Bytes a call of the compacted raw calls alone: tables `call_block` and `call_block_part`. */
  rawBytesPerCall: number;
  /** Of the whole file: rollups, clients, digests. */
  fileBytesPerCall: number;
}

export interface IngestOptions {
  payload: PayloadName;
  seconds: number;
  connections: number;
}

const warmUpS = 3;

/** @throws Error when the store does not hold exactly the calls that were acknowledged */
export async function measureIngest(
  folder: BenchFolder,
  options: IngestOptions,
): Promise<IngestCost> {
  const store = newStore(folder, options.payload);
  const collector = await startCollectorProcess(store);
  try {
    const { cost, warmUp } = await underLoad(collector, collector.addresses.otlp_http!, options);
    await collector.stop();
    const disk = diskCost(store);
    const acknowledged = warmUp.servers + cost.servers;
    if (disk.calls !== acknowledged) {
      throw new Error(`${acknowledged} calls were acknowledged, the store holds ${disk.calls}`);
    }
    return { ...cost, disk };
  } finally {
    await collector.stop();
  }
}

/** The same load on a server that only reads the bodies. */
export async function measureBaseline(options: IngestOptions): Promise<IngestCost> {
  const reader = await startService('test/labs/bench/body-reader.ts', {});
  try {
    return (await underLoad(reader, reader.addresses.otlp_http!, options)).cost;
  } finally {
    await reader.stop();
  }
}

/** The load on a server that listens already, from an idle moment to an idle moment. */
export async function underLoad(
  { pid }: Running,
  url: string,
  { payload, seconds, connections }: IngestOptions,
): Promise<{ cost: IngestCost; warmUp: Loaded }> {
  const warmUp = await runLoad({ url, payload, connections, seed: 1, seconds: warmUpS });
  await settle(pid);
  const before = cpuSeconds(pid);
  const samples = sampleMemory(pid);
  const loaded = await runLoad({ url, payload, connections, seed: 2, seconds });
  const rss = samples.stop().sort((a, b) => a - b);
  await settle(pid);
  const cpu = cpuSeconds(pid) - before;
  const { spans, servers, bytes, latenciesMs, refused } = loaded;
  const cost: IngestCost = {
    payload,
    spans,
    servers,
    bytes,
    seconds: loaded.seconds,
    cpuPerMillionSpans: (cpu / spans) * 1e6,
    rssMiB: rss[rss.length >> 1] ?? 0,
    rssMostMiB: rss.at(-1) ?? 0,
    rssPeakMiB: memory(pid).peakMiB,
    latenciesMs,
    refused,
  };
  return { cost, warmUp };
}

export interface LatencyCost {
  payload: PayloadName;
  bodiesPerSMost: number;
  bodiesPerS: number;
  latenciesMs: number[];
}

/** Acknowledgement latency at a fifth of the load the same collector could take just before. */
export async function measureLatency(
  folder: BenchFolder,
  options: IngestOptions,
): Promise<LatencyCost> {
  const { payload, seconds, connections } = options;
  const collector = await startCollectorProcess(newStore(folder, `latency-${payload}`));
  try {
    const url = collector.addresses.otlp_http!;
    await runLoad({ url, payload, connections, seed: 1, seconds: warmUpS });
    const full = await runLoad({ url, payload, connections, seed: 2, seconds: 5 });
    await settle(collector.pid);
    const bodiesPerSMost = full.bodies / full.seconds;
    const bodiesPerS = bodiesPerSMost / 5;
    const fifth = await runLoad({ url, payload, connections, seed: 3, seconds, bodiesPerS });
    return { payload, bodiesPerSMost, bodiesPerS, latenciesMs: fifth.latenciesMs };
  } finally {
    await collector.stop();
  }
}

function diskCost(store: string): DiskCost {
  const db = new Database(store, { readOnly: true });
  try {
    const one = (sql: string): number => db.prepare(sql).pluck().get() as number;
    const calls = countCalls(db);
    const compacted = one('SELECT sum(calls) FROM call_block');
    const raw = one(
      "SELECT sum(pgsize) FROM dbstat WHERE name IN ('call_block', 'call_block_part')",
    );
    const file = one('PRAGMA page_count') * one('PRAGMA page_size');
    return { calls, rawBytesPerCall: raw / compacted, fileBytesPerCall: file / calls };
  } finally {
    db.close();
  }
}
