import { asAppError } from './error.ts';
import { limits } from './limits.ts';

/** How the processes of Rollcall begin and end. */

/** Exit codes of the services and of the command line. */
export const exitCode = {
  /** Ended as asked. */
  ok: 0,
  /** Something is wrong; standard error says what. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** A check found something that it was told to fail on. */
  findings: 3,
} as const;

/** What runs until its process is asked to end. */
export interface Service {
  close(): Promise<void>;
  /** Resolves when the service can never do its work again. The process then ends, for its supervisor to start anew. */
  readonly lost?: Promise<unknown> | undefined;
}

/**
 * Runs a service as this process: until SIGTERM, SIGINT or the end of the parent that holds an IPC channel to it
 * (`rollcall serve`). Then it closes the service and exits with 0, and with 1 when that takes longer than `exitMs`.
 * A service that cannot start, or is lost, is one message on standard error and exit code 1.
 */
export async function runService(
  name: string,
  start: () => Promise<Service>,
  exitMs: number = limits.exitMs,
): Promise<void> {
  try {
    // Listens before the service tells its addresses: a signal may follow at once.
    const asked = endAsked();
    asked.then(() => {
      setTimeout(() => {
        fail(name, new Error(`it did not close within ${exitMs} ms`));
      }, exitMs).unref();
    });
    const service = await start();
    service.lost?.then((reason) => fail(name, reason));
    await asked;
    await service.close();
    process.exit(exitCode.ok);
  } catch (thrown) {
    fail(name, thrown);
  }
}

/** Resolves when this process is asked to end, and at the first time only. */
function endAsked(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve());
    process.on('SIGINT', () => resolve());
    if (process.channel) process.on('disconnect', () => resolve());
  });
}

/** Ends the process. A mistake of ours is shown with its stack. */
function fail(name: string, thrown: unknown): never {
  const error = asAppError(thrown);
  const isOurs = error.code === 'internal' && thrown instanceof Error;
  const text = isOurs ? (thrown.stack ?? thrown.message) : error.message;
  process.stderr.write(`rollcall ${name}: ${text}\n`);
  process.exit(exitCode.failed);
}
