import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from './app.ts';
import { startSink } from './sink.ts';
import { installed, nodeBinary, nodeMajors } from './workshop.ts';

/**
 * Ways a process ends, with and without the package: the same status, all spans delivered, no delay worth the name.
 * Durations are printed; what is asserted of them leaves room for a busy machine.
 */
interface Way {
  name: string;
  /** That is sent to the process; without one the process ends by itself. */
  signal?: NodeJS.Signals;
  /** A line of the app's own handler, which is called once. */
  says?: string;
  /** The app's handler comes when its server listens already. */
  isLate?: boolean;
  /** Nothing was sent before: the connection's settings are not known yet. */
  isFirstDelivery?: boolean;
}
const ways: readonly Way[] = [
  { name: 'no handler', signal: 'SIGTERM' },
  { name: 'no handler', signal: 'SIGINT' },
  { name: 'signal-exit 3', signal: 'SIGTERM', says: 'signal-exit was called' },
  { name: 'signal-exit 3', signal: 'SIGINT', says: 'signal-exit was called' },
  { name: 'signal-exit 4', signal: 'SIGTERM', says: 'signal-exit was called' },
  { name: 'signal-exit 4', signal: 'SIGINT', says: 'signal-exit was called' },
  { name: 'once, closes, raises again', signal: 'SIGTERM' },
  { name: 'on, closes, removes, raises again', signal: 'SIGTERM' },
  { name: 'removes all, raises again', signal: 'SIGTERM' },
  { name: 'once for SIGUSR2, raises again', signal: 'SIGUSR2' },
  { name: 'process.exit in the handler', signal: 'SIGTERM' },
  { name: 'process.exit in the handler', signal: 'SIGTERM', isFirstDelivery: true },
  { name: 'process.exit(3) after close', signal: 'SIGTERM' },
  { name: 'handler that takes its time', signal: 'SIGTERM', says: 'own handler' },
  { name: 'exit listener sets the code', signal: 'SIGTERM' },
  { name: 'handler that only closes', signal: 'SIGTERM', says: 'own handler' },
  { name: 'listener added and removed', signal: 'SIGTERM' },
  { name: 'signal-exit 3', signal: 'SIGTERM', says: 'signal-exit was called', isLate: true },
  { name: 'signal-exit 4', signal: 'SIGINT', says: 'signal-exit was called', isLate: true },
  { name: 'once, closes, raises again', signal: 'SIGTERM', isLate: true },
  { name: 'removes all, raises again', signal: 'SIGTERM', isLate: true },
  { name: 'handler that takes its time', signal: 'SIGTERM', says: 'own handler', isLate: true },
  { name: 'listener added and removed', signal: 'SIGTERM', isLate: true },
  { name: 'cluster', signal: 'SIGTERM' },
  { name: 'cluster, primary disconnects', signal: 'SIGTERM' },
  { name: 'cluster, primary kills', signal: 'SIGTERM' },
  { name: 'exit' },
  { name: 'SIGKILL' },
  { name: 'uncaught exception' },
  { name: 'unhandled rejection' },
  { name: 'nothing left to do' },
];

/** Calls of a run, and how many of them are delivered at once: the others are queued when the process ends. */
const calls = 5;
const firstBatch = 3;
/** A machine on which no process starts within 1.5 s loses spans, as it is documented to. */
const patience = { retry: 1 };
/** Above the target of 100 ms: other tests run beside this one. */
const delayMsMost = 1_500;

let folder: string;

beforeAll(async () => {
  folder = await installed('ending', {
    'signal-exit3': 'npm:signal-exit@3.0.7',
    'signal-exit4': 'npm:signal-exit@4.1.0',
  });
});

interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  durationMs: number;
  output: string;
}

const register = ['--require', '@rollcall/instrumentation/register'];

function startEnding(
  { name, isLate, isFirstDelivery }: Way,
  isOurs: boolean,
  node: string,
  url: string,
): Promise<App> {
  return startApp(folder, [node, ...(isOurs ? register : []), 'ending.cjs'], {
    ENDING: name,
    LATE: isLate === true ? '1' : '0',
    ROLLCALL_ENDPOINT: url,
    OTEL_BSP_SCHEDULE_DELAY: '60000',
    ...(isFirstDelivery === true ? {} : { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: String(firstBatch) }),
  });
}

async function endOf(app: App, signal: NodeJS.Signals | undefined): Promise<End> {
  const path = signal === undefined ? '/end' : '/last';
  for (let call = 1; call < calls; call += 1) await (await fetch(`${app.url}/call`)).text();
  await pause(50);
  // A connection of its own, so that the answer's end is the connection's.
  await (await fetch(`${app.url}${path}`, { headers: { connection: 'close' } })).text();
  if (signal !== undefined) await pause(50);
  const startMs = performance.now();
  // SIGCONT changes nothing.
  const { code, signal: by } = await app.stop(signal ?? 'SIGCONT');
  return { code, signal: by, durationMs: performance.now() - startMs, output: app.output() };
}

describe.each(nodeMajors)('Node %i', (major) => {
  it.concurrent.each(ways)(
    '$name ($signal, late: $isLate): same status, every span',
    patience,
    async (way) => {
      const { name, signal, says } = way;
      const sink = await startSink();
      const node = await nodeBinary(major);
      const without = await endOf(await startEnding(way, false, node, sink.url), signal);
      const app = await startEnding(way, true, node, sink.url);
      try {
        const withUs = await endOf(app, signal);
        const durations = `${without.durationMs.toFixed(0)} ms, ${withUs.durationMs.toFixed(0)} ms`;
        process.stderr.write(`${name} ${signal ?? ''}: ${durations}\n`);
        expect({ code: withUs.code, signal: withUs.signal }, withUs.output).toEqual({
          code: without.code,
          signal: without.signal,
        });
        const servers = await sink.servers(calls);
        expect(servers).toHaveLength(calls);
        expect(withUs.output).not.toContain('rollcall:');
        const times = (end: End) => end.output.split(says ?? 'listening').length - 1;
        expect(times(withUs)).toBe(times(without));
        expect(times(withUs)).toBe(1);
        expect(withUs.durationMs - without.durationMs).toBeLessThan(delayMsMost);
      } finally {
        await app.stop('SIGKILL');
        await sink.close();
      }
    },
  );
});
