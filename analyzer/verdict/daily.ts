import type { Log } from '../../core/log.ts';
import type { Answerer } from '../queue/answerer.ts';

/** A snapshot is due once a day; a timer of a day would drift past days, and a failure is tried again within the hour. */
const everyMs = 3_600_000;
/** Soon after the start, when requests have been answered: the first snapshot of a store is the largest. */
const firstMs = 60_000;

/**
 * Takes the daily snapshots of verdicts, project by project.
 * @param projects their names @returns ends it
 */
export function takeDailySnapshots(
  answerer: Answerer,
  projects: () => Promise<string[]>,
  log: Log,
  now: () => number,
): () => void {
  let isEnded = false;
  const take = async (): Promise<void> => {
    try {
      for (const project of await projects()) {
        if (isEnded) return;
        const question = { project, name: 'deadHistory', parameters: {}, path: {}, body: '' };
        await answerer.command({ ...question, nowMs: now() });
      }
    } catch (error) {
      if (!isEnded)
        log.warn({ err: error }, 'the snapshot of verdicts failed; trying again in an hour');
    }
  };
  const timers = [setTimeout(take, firstMs), setInterval(take, everyMs)];
  for (const timer of timers) timer.unref();
  return () => {
    isEnded = true;
    for (const timer of timers) clearTimeout(timer);
  };
}
