import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { defaultRetention } from '../../../core/config/retention.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { protobufType, traces } from '../../support/export-request.ts';
import { startAnalyzerProcess, startCollectorProcess } from '../../support/process.ts';
import { ask } from './ask.ts';
import { benchFolder } from './folder.ts';
import { writeHistory } from './history.ts';
import { cpuSeconds, memory } from './process-cost.ts';
import type { StormAskers, StormFigures } from './storm-askers.ts';

/**
 * A storm of reports: what /healthz and a sender notice of it.
 *
 *     node test/labs/bench/storm.ts --endpoints 10000 --seconds 20
 *
 *     node test/labs/bench/storm.ts --endpoints 1000 --rate 50 --requests 200 --spans 100
 *
 * Fifty askers, in a thread of their own, send reports with other windows, each the next one when it has its answer, or together `--rate` reports a
 * second, with more askers than that takes. The sender exports `--requests` requests a second of `--spans` spans,
 * before and during the storm. Other work on the machine adds to every figure.
 */
const { values } = parseArgs({
  options: {
    endpoints: { type: 'string', default: '10000' },
    calls: { type: 'string', default: '300000' },
    seconds: { type: 'string', default: '20' },
    askers: { type: 'string', default: '50' },
    /** Reports a second of all askers together; 0: as many as they get. */
    rate: { type: 'string', default: '0' },
    requests: { type: 'string', default: '20' },
    spans: { type: 'string', default: '10' },
  },
});
const [endpoints, calls, seconds, askers, rate, requests, spans] = [
  values.endpoints,
  values.calls,
  values.seconds,
  values.askers,
  values.rate,
  values.requests,
  values.spans,
].map(Number) as [number, number, number, number, number, number, number];

const folder = benchFolder();
try {
  const path = join(folder.path, 'storm.db');
  const writer = await openSqliteWriter({ path, retention: defaultRetention });
  const nowS = Math.floor(Date.now() / 1000);
  await writeHistory(writer, { calls, endpoints, days: 90, nowS, seed: 9 });
  await writer.compact();
  await writer.close();
  const collector = await startCollectorProcess(path);
  const analyzer = await startAnalyzerProcess(path);
  try {
    await ask(`${analyzer.url}/api/v1/report`);
    const before = await send(collector.url, seconds);
    const storm = new Worker(new URL('storm-askers.ts', import.meta.url), {
      workerData: { url: analyzer.url, askers, rate } satisfies StormAskers,
    });
    const cpuBefore = cpuOf([collector.pid, analyzer.pid]);
    const stormMs = performance.now();
    const [during, healthz] = await Promise.all([
      send(collector.url, seconds),
      probe(`${analyzer.url}/healthz`, seconds),
    ]);
    const [collectorS, analyzerS] = cpuOf([collector.pid, analyzer.pid]).map(
      (cpu, i) => cpu - cpuBefore[i]!,
    );
    const passedS = (performance.now() - stormMs) / 1000;
    const figures = new Promise<StormFigures>((resolve) => storm.once('message', resolve));
    storm.postMessage('stop');
    const { statuses, reportMs } = await figures;
    process.stdout.write(
      [
        `${askers} askers of reports of ${endpoints} endpoints, ${seconds} s: ${Object.entries(
          statuses,
        )
          .map(([status, n]) => `${n} times ${status}`)
          .join(', ')}`,
        `report ms: ${shown(reportMs)}`,
        `/healthz ms: ${shown(healthz)}`,
        `acknowledgement ms before the storm: ${shown(before)}`,
        `acknowledgement ms during the storm: ${shown(during)}`,
        `CPU: collector ${(collectorS! / passedS).toFixed(2)}, analyzer ${(analyzerS! / passedS).toFixed(2)} of a core`,
        `analyzer: ${memory(analyzer.pid).peakMiB.toFixed(0)} MiB at most`,
        '',
      ].join('\n'),
    );
  } finally {
    await collector.stop();
    await analyzer.stop();
  }
} finally {
  folder.remove();
}

function cpuOf(pids: readonly number[]): number[] {
  return pids.map(cpuSeconds);
}

async function probe(url: string, forS: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const found: number[] = [];
  const endMs = performance.now() + forS * 1000;
  while (performance.now() < endMs) {
    found.push((await ask(url, agent)).ms);
    await pause(20);
  }
  agent.destroy();
  return found;
}

/** So many requests a second, from the moment each was due. */
async function send(url: string, forS: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const startMs = performance.now();
  const found: Promise<number>[] = [];
  for (let n = 0; n < forS * requests; n++) {
    const dueMs = startMs + (n * 1000) / requests;
    await pause(Math.max(0, dueMs - performance.now()));
    found.push(
      new Promise((resolve) => {
        const headers = { 'content-type': protobufType };
        const sending = request(`${url}/v1/traces`, { method: 'POST', agent, headers });
        sending.on('response', (response) => {
          response.resume();
          response.on('end', () => resolve(performance.now() - dueMs));
        });
        sending.on('error', () => resolve(Number.POSITIVE_INFINITY));
        sending.end(traces(spans));
      }),
    );
  }
  const all = await Promise.all(found);
  agent.destroy();
  return all;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function shown(ms: number[]): string {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (q: number) => sorted[Math.floor((sorted.length - 1) * q)]!.toFixed(1);
  return `median ${at(0.5)}, 99th percentile ${at(0.99)}, most ${at(1)} of ${sorted.length}`;
}
