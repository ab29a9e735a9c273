import { existsSync, mkdirSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { defaultRetention } from '../../../core/config/retention.ts';
import { Random } from '../../../core/random.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { type Running, startAnalyzerProcess } from '../../support/process.ts';
import { writeHistory } from './history.ts';
import { threadSeconds } from './process-cost.ts';

/** Latency of reports over HTTP on a store of so many calls. */
export interface ReportCost {
  calls: number;
  /** The very first answer of a fresh process. */
  coldMs: number;
  bytes: number;
  endpoints: number;
  /** `window=90d`, again and again, ascending. */
  sameMs: number[];
  /** From and to at random minutes: nothing of it was asked before. Ascending. */
  variedMs: number[];
  /** CPU time of the analyzer for each of the requests above, ascending. */
  sameCpuMs: number[];
  variedCpuMs: number[];
}

export interface ReportOptions {
  /** Numbers of calls, one store each. */
  sizes: number[];
  requests: number;
  /** Where the stores are, or are made. */
  folder: string;
}

export const endpoints = 1000;
export const days = 90;
/** To each store, before its measured ones: the program's own code is compiled as it runs. */
const warmUpRequests = 20;

/** The stores are asked in turn, so that whatever else the machine does meets all of them alike. */
export async function measureReports({
  sizes,
  requests,
  folder,
}: ReportOptions): Promise<ReportCost[]> {
  const running: Running[] = [];
  const agent = new Agent({ keepAlive: true });
  try {
    const subjects = [];
    for (const calls of sizes) {
      const analyzer = await startAnalyzerProcess(await historyStore(folder, calls));
      running.push(analyzer);
      const url = `${analyzer.url}/api/v1/report`;
      const cold = await timed(agent, `${url}?window=${days}d`);
      const report = JSON.parse(cold.body.toString()) as Report;
      if (report.endpoints.length !== endpoints) {
        throw new Error(`report of ${report.endpoints.length} endpoints, not ${endpoints}`);
      }
      const cost: ReportCost = {
        calls,
        coldMs: cold.ms,
        bytes: cold.body.length,
        endpoints: report.endpoints.length,
        sameMs: [],
        variedMs: [],
        sameCpuMs: [],
        variedCpuMs: [],
      };
      subjects.push({ url, cost, pid: analyzer.pid });
    }
    const random = new Random(5);
    for (let n = -warmUpRequests; n < requests; n += 1) {
      if (n === 0)
        for (const { cost } of subjects) for (const all of measured(cost)) all.length = 0;
      const window = randomWindow(random);
      for (const { url, cost, pid } of subjects) {
        const began = threadSeconds(pid);
        cost.sameMs.push((await timed(agent, `${url}?window=${days}d`)).ms);
        const between = threadSeconds(pid);
        cost.variedMs.push((await timed(agent, `${url}?${window}`)).ms);
        cost.sameCpuMs.push((between - began) * 1000);
        cost.variedCpuMs.push((threadSeconds(pid) - between) * 1000);
      }
    }
    for (const { cost } of subjects) for (const all of measured(cost)) all.sort((a, b) => a - b);
    return subjects.map(({ cost }) => cost);
  } finally {
    agent.destroy();
    for (const analyzer of running) await analyzer.stop();
  }
}

const measured = ({ sameMs, variedMs, sameCpuMs, variedCpuMs }: ReportCost): number[][] => [
  sameMs,
  variedMs,
  sameCpuMs,
  variedCpuMs,
];

interface Report {
  endpoints: unknown[];
}

/** About 88 to 90 days, both edges in the middle of an hour. */
export function randomWindow(random: Random): string {
  const nowMinute = Math.floor(Date.now() / 60_000);
  const from = nowMinute - days * 1440 + random.below(1440);
  const to = nowMinute - random.below(1440);
  const iso = (minute: number) => encodeURIComponent(new Date(minute * 60_000).toISOString());
  return `from=${iso(from)}&to=${iso(to)}`;
}

/** The file of the store with so many calls. */
export function historyFile(folder: string, calls: number): string {
  return join(folder, `history-${calls}`, 'rollcall.db');
}

/** A store with so many calls; one that stands there from an earlier run is taken as it is. */
async function historyStore(folder: string, calls: number): Promise<string> {
  const name = join(folder, `history-${calls}`);
  const path = historyFile(folder, calls);
  if (existsSync(join(name, 'complete'))) return path;
  mkdirSync(name, { recursive: true });
  const started = performance.now();
  const writer = await openSqliteWriter({ path, retention: defaultRetention });
  await writeHistory(writer, {
    calls,
    endpoints,
    days,
    nowS: Math.floor(Date.now() / 1000),
    seed: 9,
  });
  // Ninety days written in a minute leave far more runs than a collector has, which compacts as it goes.
  await writer.compact();
  await writer.close();
  mkdirSync(join(name, 'complete'));
  const seconds = (performance.now() - started) / 1000;
  process.stderr.write(`  wrote ${calls} calls of history in ${seconds.toFixed(0)} s\n`);
  return path;
}

export function timed(agent: Agent, url: string): Promise<{ ms: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    get(url, { agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(parts);
        if (response.statusCode === 200) resolve({ ms: performance.now() - start, body });
        else reject(new Error(`${url} answered ${response.statusCode}: ${body.toString()}`));
      });
    }).on('error', reject);
  });
}
