import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/**
 * Which threads run first when all cores are busy: those that acknowledge calls, then those that answer probes, then
 * those that compute reports. On Linux a priority belongs to one thread;
 * elsewhere it belongs to the process, so that nothing is changed there. Steps below the priority of the process, which
 * is a collector's.
 */
export const niceness = {
  /** An analyzer's event loop, and V8's threads, for which it waits in a minor GC. */
  probes: 1,
  /** The answering thread: half of a collector's share where cores are busy. */
  reports: 3,
} as const;

/** Lowers the priority of the thread that calls it. @param by steps of niceness below what it is */
export function lowerThisThread(by: number): void {
  if (process.platform === 'linux') lower(0, by);
}

/** Lowers the priority of the threads that V8 has started for this process: they collect the heaps of all its threads. */
export function lowerEngineThreads(by: number): void {
  if (process.platform !== 'linux') return;
  for (const thread of readdirSync('/proc/self/task')) {
    if (nameOf(thread).startsWith('V8Worker')) lower(Number(thread), by);
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
function lower(thread: number, by: number): void {
  try {
    setPriority(thread, Math.min(getPriority(thread) + by, lowestPriority));
  } catch {}
}

const lowestPriority = 19;
