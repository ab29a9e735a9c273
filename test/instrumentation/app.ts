import { launchCommand } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

/** A service under instrumentation, as a process of its own. */
export interface App {
  url: string;
  pid: number;
  output(): string;
  /** Sends SIGTERM and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

const startMsMost = 60_000;

/**
 * Starts one of `apps/`, which prints `listening PORT`.
 * @param command node and its arguments
 * @param env added to this process's own
 */
export async function startApp(
  folder: string,
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<App> {
  const script = 'cd "$1" && shift && exec "$@"';
  const { child, ended, output } = launchCommand('sh', ['-c', script, 'sh', folder, ...command], {
    NODE_OPTIONS: '',
    ...env,
  });
  const port = await new Promise<string>((resolve, reject) => {
    const fail = () => reject(new Error(`${command.join(' ')} does not listen:\n${output()}`));
    const timer = setTimeout(fail, startMsMost);
    ended.then(() => {
      clearTimeout(timer);
      fail();
    });
    child.stdout.on('data', () => {
      const listening = /^listening (\d+)$/m.exec(output());
      if (listening === null) return;
      clearTimeout(timer);
      resolve(listening[1]!);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    output,
    stop: (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}

/** Waits until the app has printed `text`. @throws Error after a minute, with its output */
export async function said(app: App, text: string): Promise<void> {
  await waitFor(`the app prints: ${text}`, () => app.output().includes(text), {
    withinMs: startMsMost,
    context: () => app.output(),
  });
}
