import { readdirSync, readFileSync } from 'node:fs';

/**
 * What a process has cost so far, as Linux tells it: all its threads, the ended ones too. The resolution
 * of CPU time is 10 ms, so measure over seconds.
 */
const ticksPerSecond = 100;

/** User and system time of all threads, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** CPU time of the threads that live now, in seconds. Resolves nanoseconds, so that single requests can be measured. */
export function threadSeconds(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [onCpuNs] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    ns += Number(onCpuNs);
  }
  return ns / 1e9;
}

export interface Memory {
  rssMiB: number;
  /** The most it ever was. */
  peakMiB: number;
}

export function memory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { rssMiB: mebibytes('VmRSS'), peakMiB: mebibytes('VmHWM') };
}

/** Samples the memory until `stop`, which answers all samples in MiB. */
export function sampleMemory(pid: number, everyMs = 250): { stop(): number[] } {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(memory(pid).rssMiB), everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return samples;
    },
  };
}

/**
 * Waits until the process does nothing any more: what it put off (rollups) belongs to the work that
 * caused it.
 */
export async function settle(pid: number, secondsMost = 30): Promise<void> {
  const windowMs = 1000;
  for (let waited = 0; waited < secondsMost * 1000; waited += windowMs) {
    const before = cpuSeconds(pid);
    await new Promise((resolve) => setTimeout(resolve, windowMs));
    if (cpuSeconds(pid) - before <= 0.02) return;
  }
}
