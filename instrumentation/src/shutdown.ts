import { isMainThread } from 'node:worker_threads';
import { withDeadline } from './deadline.ts';
import { limits } from './limits.ts';

/** Holds spans that a process should not end without. */
export interface Endable {
  readonly queued: number;
  /** Resolves when the queue is empty, a delivery failed, or after `deadlineMs`. */
  flush(deadlineMs: number): Promise<void>;
  /** Synchronous: nothing is queued or sent after it. @param handsOver queued spans go to a child process first */
  close(handsOver: boolean): void;
  /** Calls back once, when the first server listens: a process that serves nothing keeps its default actions. */
  whenServing(callback: () => void): void;
}

/**
 * Sends queued spans before the process ends, without a change of how it ends: same status, no delay when nothing
 * is queued, at most `limits.endingMs` otherwise.
 * - Event loop empty: `beforeExit` sends them from this process.
 * - SIGTERM or SIGINT without a listener of the app: a listener of ours sends them, then the default action ends
 *   the process by the same signal. It is attached only while the app has none, for a listener turns the default
 *   action off, and signal-exit compares the number of listeners with its own.
 * - `process.exit()`, an uncaught exception, the end of a worker thread: `exit` hands them to a child process.
 * - A signal that the process sends to itself, as after a clean-up: likewise, before `process.kill` sends it.
 */
export function sendBeforeEnd(endable: Endable): void {
  let isFlushing = false;
  /** Queued after a flush at the end: they are not tried again. */
  let undeliverable = 0;
  process.on('beforeExit', () => {
    const { queued } = endable;
    if (isFlushing || queued === 0 || queued === undeliverable) return;
    isFlushing = true;
    void withDeadline(endable.flush(limits.endingMs), limits.endingMs).then(() => {
      isFlushing = false;
      undeliverable = endable.queued;
    });
  });
  process.on('exit', () => endable.close(endable.queued !== undeliverable));
  if (!isMainThread) return;
  endable.whenServing(() => {
    const own = ownListeners({
      send: () => withDeadline(endable.flush(limits.endingMs), limits.endingMs),
      close: () => endable.close(false),
    });
    closeBeforeSelfKill(endable, own);
  });
}

type EndingSignal = 'SIGTERM' | 'SIGINT';
type OwnListeners = Readonly<Record<EndingSignal, () => void>>;

/**
 * Listeners for SIGTERM and SIGINT, each attached while the process has no other for its signal.
 * @param work `send` runs at the first signal and must not reject; then, or at a second signal, `close`
 */
export function ownListeners(work: { send(): Promise<void>; close(): void }): OwnListeners {
  let isEnding = false;
  const end = (signal: EndingSignal): void => {
    work.close();
    process.removeListener(signal, own[signal]);
    process.kill(process.pid, signal);
  };
  const listener = (signal: EndingSignal) => () => {
    if (isEnding) {
      end(signal);
      return;
    }
    isEnding = true;
    void work.send().then(() => end(signal));
  };
  const own: OwnListeners = { SIGTERM: listener('SIGTERM'), SIGINT: listener('SIGINT') };
  const isOurs = (event: unknown): event is EndingSignal =>
    event === 'SIGTERM' || event === 'SIGINT';
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    if (process.listenerCount(signal) === 0) process.on(signal, own[signal]);
  }
  process.on('newListener', (event: unknown, added: unknown) => {
    if (!isOurs(event) || added === own[event]) return;
    // Not yet: Node stops watching a signal that loses its last listener, and the new one is not attached yet.
    process.nextTick(() => {
      if (process.listenerCount(event) > 1) process.removeListener(event, own[event]);
    });
  });
  process.on('removeListener', (event: unknown, removed: unknown) => {
    if (!isOurs(event) || removed === own[event] || isEnding) return;
    if (process.listenerCount(event) === 0) process.on(event, own[event]);
  });
  return own;
}

/** Signals by which a process ends itself, and whose default action ends it. */
const deadly = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGABRT', 'SIGKILL']);

/**
 * `process.kill` of the process itself, with a signal that only our own listener would take: the queue is closed
 * and our listener removed first, so that the default action ends the process.
 */
function closeBeforeSelfKill(endable: Endable, own: OwnListeners): void {
  const { kill } = process;
  process.kill = function (this: NodeJS.Process, pid, signal) {
    if (pid === process.pid) {
      const name = nameOf(signal);
      const listener = (own as Record<string, (() => void) | undefined>)[name];
      const others = process.listeners(name as NodeJS.Signals).filter((one) => one !== listener);
      if (deadly.has(name) && others.length === 0) {
        endable.close(true);
        if (listener !== undefined) process.removeListener(name, listener);
      }
    }
    return kill.call(this, pid, signal);
  };
}

function nameOf(signal: string | number | undefined): string {
  if (signal === undefined) return 'SIGTERM';
  if (typeof signal === 'string') return signal;
  const { constants } = require('node:os') as typeof import('node:os');
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? '';
}
