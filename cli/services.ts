import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../core/config/config.ts';
import { limits } from '../core/limits.ts';
import { openLog } from '../core/log.ts';
import { checkCertificates } from '../core/server/certificates.ts';
import { storePlace } from '../core/store/engine.ts';

export type ServiceName = 'collector' | 'analyzer';

export interface Services {
  /** The process ids, in the order of the names. */
  pids: number[];
  /** Sends SIGTERM to all: each closes its listeners, commits its batches, then closes its store. Idempotent. */
  stop(): void;
  /** Resolves when all have ended; 0 when `stop` was called and all ended cleanly. Never rejects. */
  ended: Promise<number>;
}

/**
 * Starts services as child processes in this process group, on this standard output. Each holds an IPC channel
 * to this process: when this process is killed, the channel closes and the children end by themselves. When
 * one child ends unexpectedly, the other is stopped: half a Rollcall that looks alive is worse than none.
 * @param env with the configuration, which is checked before anything starts
 * @throws AppError `invalid` for a wrong configuration or certificate, `unavailable` when the data folder cannot be made
 */
export async function startServices(
  names: readonly ServiceName[],
  env: NodeJS.ProcessEnv,
): Promise<Services> {
  const config = readConfig(env);
  if (config.tls) await checkCertificates(config.tls);
  await storePlace(config.store).prepare();
  const log = openLog('rollcall', config.logLevel);
  const children = names.map((name) => spawnService(name, env));
  let stopping = false;
  let worst = 0;

  const stop = () => {
    if (stopping) return;
    stopping = true;
    for (const child of children) child.kill('SIGTERM');
    const force = () => {
      for (const child of children) if (isRunning(child)) child.kill('SIGKILL');
    };
    setTimeout(force, limits.killMs).unref();
  };

  const ends = children.map(async (child, index) => {
    const { code, signal, reason } = await childEnd(child);
    // A child that is still starting has no signal handler yet and has accepted no data: SIGTERM ends it.
    if (stopping && (code === 0 || signal === 'SIGTERM')) return;
    worst = Math.max(worst, code ?? 1, 1);
    if (stopping) log.error(`${names[index]} did not end cleanly: ${reason}`);
    else log.error(`${names[index]} ended by itself: ${reason}; stopping the rest`);
    stop();
  });
  return {
    pids: children.map((child) => child.pid ?? 0),
    stop,
    ended: Promise.all(ends).then(() => worst),
  };
}

function spawnService(name: ServiceName, env: NodeJS.ProcessEnv): ChildProcess {
  const script = fileURLToPath(new URL(`../${name}/main.ts`, import.meta.url));
  return spawn(process.execPath, [script], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  reason: string;
}

/** How a child ended, or why it could not be started. */
function childEnd(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve({ code: 1, signal: null, reason: message }));
    child.once('exit', (code, signal) => {
      resolve({ code, signal, reason: signal ? `killed by ${signal}` : `exit code ${code}` });
    });
  });
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
