import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Which threads run first when all cores are busy: those that acknowledge calls, then those that answer probes, then
 * those that compute reports. On Linux a priority belongs to one thread, and a new thread has that of its maker;
 * elsewhere it belongs to the process, so that nothing is changed there.
 */
export const niceness = {
  /** An analyzer's event loop. */
  probes: 5,
  /** The answering thread, and V8's and zlib's threads of an analyzer. */
  reports: 10,
} as const;

/** Lowers the priority of the thread that calls it. */
export function lowerThisThread(nice: number): void {
  if (process.platform === 'linux') tryToSet(0, nice);
}

/** Lowers the priority of the threads that V8 has started for this process: they collect the heaps of all its threads. */
export function lowerEngineThreads(nice: number): void {
  if (process.platform !== 'linux') return;
  for (const thread of readdirSync('/proc/self/task')) {
    if (nameOf(thread).startsWith('V8Worker')) tryToSet(Number(thread), nice);
  }
}

function nameOf(thread: string): string {
  try {
    return readFileSync(`/proc/self/task/${thread}/comm`, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}

/** A sandbox may forbid it: then all threads are equal, as without this file. */
function tryToSet(thread: number, nice: number): void {
  try {
    setPriority(thread, nice);
  } catch {}
}
