import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { ask } from './ask.ts';

/**
 * The askers of a storm of reports, in a thread of their own: the thread that measures acknowledgements and probes must
 * not wait for the megabytes that they read.
 */
export interface StormAskers {
  /** Of the analyzer. */
  url: string;
  askers: number;
  /** Reports a second of all askers together; 0: as many as they get. */
  rate: number;
}

export interface StormFigures {
  statuses: Record<number, number>;
  reportMs: number[];
}

const { url, askers, rate } = workerData as StormAskers;
const found: StormFigures = { statuses: {}, reportMs: [] };
const agent = new Agent({ keepAlive: true });
const startMs = performance.now();
let due = 0;

parentPort!.once('message', () => {
  parentPort!.postMessage(found);
  process.exit();
});

for (let asker = 0; asker < askers; asker += 1) askOn(asker);

async function askOn(asker: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const window = 24 + ((n * askers + asker) % 2_000);
    if (rate > 0) {
      const dueMs = startMs + (due++ * 1000) / rate;
      await pause(Math.max(0, dueMs - performance.now()));
    }
    const { status, ms } = await ask(`${url}/api/v1/report?window=${window}h`, agent);
    found.statuses[status] = (found.statuses[status] ?? 0) + 1;
    found.reportMs.push(ms);
    if (status === 429) await pause(200);
  }
}
