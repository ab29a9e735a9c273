import { createWriteStream, mkdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { CDPSession } from 'playwright-core';
import { traffic } from '../../../cli/demo/traffic.ts';
import { openPage, type Watched } from '../../web/browser.ts';
import { openWorld, sendShop, type World } from '../../web/world.ts';

/** Pages that people leave open. The last day is refreshed every 10 s, the shortest interval there is. */
const paths = ['/?window=24h', '/endpoints?window=24h', '/calls?window=24h'];
/** Calls are sent this often, so that every refresh changes figures. */
const sendEveryMs = 5_000;
/** Times the demo's history: about a call a second. */
const liveTimes = 15;

export interface PageMemory {
  path: string;
  /** Live objects of the page's heap, a value a minute. */
  mib: number[];
  /** Console messages, errors, violations of the policy. */
  problems: readonly string[];
}

interface Open extends PageMemory {
  watched: Watched;
  debug: CDPSession;
}

/** Opens each page in a window of its own, sends calls, and measures the pages' heaps every minute. */
export async function watchMemory({
  minutes,
  snapshots,
  say,
}: {
  minutes: number;
  /** A folder for two heap snapshots a page, of minute 10 and of the end. */
  snapshots: string | undefined;
  say: (line: string) => void;
}): Promise<PageMemory[]> {
  const world = await openWorld();
  const ended = new AbortController();
  try {
    await sendShop(world);
    const sending = sendLive(world, ended.signal);
    const pages = await Promise.all(paths.map((path) => open(world, path)));
    say(`minute  ${paths.join('  ')}  (MiB, DOM nodes)`);
    for (let minute = 1; minute <= minutes; minute += 1) {
      await pause(60_000);
      const cells = [];
      for (const page of pages) {
        const { mib, nodes } = await measure(page.debug);
        page.mib.push(mib);
        cells.push(`${mib.toFixed(2)} ${nodes}`);
      }
      say(`${minute}  ${cells.join('  ')}`);
      if (snapshots !== undefined && (minute === 10 || minute === minutes)) {
        for (const [n, { debug }] of pages.entries()) {
          await takeSnapshot(debug, snapshots, `${n}-${minute}.heapsnapshot`);
        }
      }
    }
    ended.abort();
    await sending;
    return pages.map(({ path, mib, watched }) => ({ path, mib, problems: watched.problems }));
  } finally {
    ended.abort();
    await world.close();
  }
}

async function open(world: World, path: string): Promise<Open> {
  const watched = await openPage(world.browser, world.url);
  const { page, problems } = watched;
  await page.goto(world.url + path);
  await page
    .locator(path.startsWith('/?') ? 'figure canvas' : '[data-row]')
    .nth(2)
    .waitFor();
  if (path.startsWith('/calls')) await page.getByRole('button', { name: 'Live' }).click();
  const debug = await page.context().newCDPSession(page);
  await debug.send('HeapProfiler.enable');
  return { path, mib: [], problems, watched, debug };
}

async function measure(debug: CDPSession): Promise<{ mib: number; nodes: number }> {
  await debug.send('HeapProfiler.collectGarbage');
  const { usedSize } = await debug.send('Runtime.getHeapUsage');
  const { nodes } = await debug.send('Memory.getDOMCounters');
  return { mib: usedSize / 2 ** 20, nodes };
}

async function takeSnapshot(debug: CDPSession, folder: string, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const file = createWriteStream(`${folder}/${name}`);
  const write = ({ chunk }: { chunk: string }) => file.write(chunk);
  debug.on('HeapProfiler.addHeapSnapshotChunk', write);
  await debug.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  debug.off('HeapProfiler.addHeapSnapshotChunk', write);
  await new Promise((resolve) => file.end(resolve));
}

async function sendLive(world: World, signal: AbortSignal): Promise<void> {
  for (let fromMs = Date.now(); !signal.aborted; ) {
    await pause(sendEveryMs, undefined, { signal }).catch(() => {});
    const toMs = Date.now();
    // A stretch lies within one hour.
    const isOneHour = Math.floor(fromMs / 3_600_000) === Math.floor(toMs / 3_600_000);
    const stretch = { fromMs: isOneHour ? fromMs : toMs - (toMs % 3_600_000), toMs };
    const spans = traffic(1, stretch, toMs, liveTimes).filter(({ scopes }) => scopes.length > 0);
    fromMs = toMs;
    if (spans.length > 0) await world.send(spans);
  }
}
