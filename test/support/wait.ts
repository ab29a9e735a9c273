import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';

export interface WaitOptions {
  /** Deadline. Less than a test's own, so that this error comes first, which says more. */
  withinMs?: number;
  /** Pause between two looks; 0: one turn of the event loop. */
  everyMs?: number;
  /** Added to the error: what a process printed, the last answer. */
  context?: () => string;
}

type Falsy = false | null | undefined | 0 | '';

/**
 * Waits until `condition` returns something truthy.
 * @param what is waited for, for the error: "the queue is empty"
 * @returns what it returned
 * @throws Error at the deadline, with `what` and the last value
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { withinMs = 45_000, everyMs = 10, context }: WaitOptions = {},
): Promise<Exclude<T, Falsy>> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, Falsy>;
    if (performance.now() >= deadlineMs) {
      const last = value === false ? '' : `; last value: ${String(value)}`;
      const beside = context === undefined ? '' : `\n${context()}`;
      throw new Error(`waited ${withinMs} ms in vain for: ${what}${last}${beside}`);
    }
    await (everyMs === 0 ? turn() : pause(everyMs));
  }
}
