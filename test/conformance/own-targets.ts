import { openOwnTarget, type RunningTarget } from './own-target.ts';
import type { Setup } from './target.ts';

/** Processes of our own, one for each setup, started when a case first asks for it. */
export class OwnTargets {
  readonly #opened = new Map<Setup, Promise<RunningTarget>>();

  target(setup: Setup): Promise<RunningTarget> {
    const opened = this.#opened.get(setup);
    if (opened !== undefined) return opened;
    const opening = openOwnTarget(setup);
    this.#opened.set(setup, opening);
    return opening;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map(async (target) => (await target).close()));
  }
}
