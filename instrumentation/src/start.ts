import { isMainThread } from 'node:worker_threads';
import { withDeadline } from './deadline.ts';
import { startFull } from './full.ts';
import { messageOf } from './guard.ts';
import { Lean } from './lean.ts';
import { limits } from './limits.ts';
import { isDisabled, logToStandardError, type RollcallOptions } from './settings.ts';
import { ownListeners, sendBeforeEnd } from './shutdown.ts';

/** The running instance of this process, shared by all copies of the package: two would count every request twice. */
interface Running {
  flush(deadlineMs: number): Promise<void>;
  shutdown(): Promise<void>;
  configure(options: RollcallOptions): void;
  ready?(): Promise<void>;
}

const runningKey = Symbol.for('rollcall.instrumentation');
const global = globalThis as { [runningKey]?: Running };

/**
 * Starts the instrumentation from code, before the app's server listens, where `--import` is not possible. A second
 * call, or one after `register`, changes the options. Never throws: errors are logged.
 */
export function startRollcall(options: RollcallOptions = {}): void {
  const log = options.log ?? logToStandardError;
  try {
    const running = global[runningKey];
    if (running !== undefined) running.configure(options);
    else if (!isDisabled(process.env)) global[runningKey] = start(options);
  } catch (error) {
    log(`not started, the service is not affected: ${messageOf(error)}`);
  }
}

/**
 * Sends queued spans: for serverless functions, before they are frozen. Resolves when Rollcall took them, could not
 * be reached, or after 3 seconds. Never rejects.
 */
export async function flushRollcall(): Promise<void> {
  const running = global[runningKey];
  if (running !== undefined) await withDeadline(running.flush(limits.flushMs), limits.flushMs);
}

/** For `--import`: resolves when the app's modules may be loaded. Never rejects. */
export async function rollcallReady(): Promise<void> {
  await global[runningKey]?.ready?.();
}

function start(options: RollcallOptions): Running {
  logOpenTelemetry(process.env.OTEL_LOG_LEVEL);
  if (process.env.ROLLCALL_LEAN?.trim().toLowerCase() === 'off') return full(options);
  const lean = new Lean(options, process.env);
  lean.start();
  sendBeforeEnd(lean);
  return lean;
}

function full(options: RollcallOptions): Running {
  const sdk = startFull(options, process.env);
  const log = options.log ?? logToStandardError;
  const running = {
    // NodeSDK has no flush but its shutdown.
    flush: async () => {},
    shutdown: async () => sdk?.shutdown(),
    configure: () => log('startRollcall changes nothing after ROLLCALL_LEAN=off has started'),
  };
  if (sdk !== undefined) shutDownBeforeEnd(sdk);
  return running;
}

/** The SDK sends what its processors hold when it is shut down, and takes nothing more. */
function shutDownBeforeEnd(sdk: { shutdown(): Promise<void> }): void {
  let ended: Promise<void> | undefined;
  const shutDown = (): Promise<void> => {
    ended ??= withDeadline(
      sdk.shutdown().catch(() => {}),
      limits.flushMs,
    );
    return ended;
  };
  process.once('beforeExit', () => void shutDown());
  if (!isMainThread) return;
  ownListeners({ send: shutDown, close: () => {} });
  // A signal that the app handles: a listener of ours beside its own would change how signal-exit ends the process.
  const emit = process.emit as (...args: unknown[]) => boolean;
  process.emit = function (this: NodeJS.Process, ...args: unknown[]) {
    if (args[0] === 'SIGTERM') void shutDown();
    return emit.apply(this, args);
  } as typeof process.emit;
}

/** OTEL_LOG_LEVEL: turns on the log of OpenTelemetry's own packages. */
function logOpenTelemetry(level: string | undefined): void {
  if (level === undefined || level.trim() === '' || level.trim().toLowerCase() === 'none') return;
  const api = require('@opentelemetry/api') as typeof import('@opentelemetry/api');
  const core = require('@opentelemetry/core') as typeof import('@opentelemetry/core');
  const logLevel = core.diagLogLevelFromString(level);
  if (logLevel !== undefined) api.diag.setLogger(new api.DiagConsoleLogger(), { logLevel });
}
