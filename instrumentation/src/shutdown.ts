import { isMainThread } from 'node:worker_threads';
import { withDeadline } from './deadline.ts';
import { limits } from './limits.ts';

/** What holds spans that a process should not end without. */
export interface Endable {
  readonly queued: number;
  flush(): Promise<void>;
  close(): void;
}

/**
 * Sends what waits before the process ends, and holds it no longer than `limits.endingMs`.
 * - Nothing left to do: `beforeExit`, once for each time that there is something to send.
 * - SIGTERM, SIGINT: an app that handles the signal decides when it ends, and spans are on their way
 *   meanwhile. Without such a handler the signal would have ended the process at once: it does so when the
 *   spans are sent, with the same signal.
 * - `process.exit()`: nothing can be sent any more, so what is lost is said.
 */
export function sendBeforeEnd(endable: Endable): void {
  let isFlushing = false;
  let wasTried = -1;
  process.on('beforeExit', () => {
    const { queued } = endable;
    // The same spans in vain a second time would never end.
    if (isFlushing || queued === 0 || queued === wasTried) return;
    wasTried = queued;
    isFlushing = true;
    void withDeadline(endable.flush(), limits.endingMs).then(() => {
      isFlushing = false;
    });
  });
  process.on('exit', () => endable.close());
  if (!isMainThread) return;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) endBySignal(signal, endable);
}

function endBySignal(signal: 'SIGTERM' | 'SIGINT', endable: Endable): void {
  const onSignal = (): void => {
    const isOurs = process.listenerCount(signal) === 1;
    const sent = withDeadline(endable.flush(), limits.endingMs);
    if (!isOurs) return;
    void sent.then(() => {
      endable.close();
      process.removeListener(signal, onSignal);
      process.kill(process.pid, signal);
    });
  };
  process.on(signal, onSignal);
}
