import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { launchCommand } from '../../support/process.ts';

/** A service under trial: a program of any language, which is called on a port it was given. */
export type Service = ReturnType<typeof launchCommand>;

const stopMsMost = 15_000;

/**
 * Starts a program in a folder of its own, does `work` with it, and kills what is left of it.
 * @throws Error of `work`, with the end of the program's output
 */
export async function withService<T>(
  folder: string,
  command: readonly string[],
  env: Record<string, string>,
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const service = launchIn(folder, command, env);
  try {
    return await work(service);
  } catch (error) {
    const said = service.output().slice(-3000);
    throw new Error(`${(error as Error).message}\n${said}`, { cause: error });
  } finally {
    service.child.kill('SIGKILL');
    await service.ended;
  }
}

/** A program in a folder of its own. */
export function launchIn(
  folder: string,
  command: readonly string[],
  env: Record<string, string>,
): Service {
  const script = 'cd "$1" && shift && exec "$@"';
  return launchCommand('sh', ['-c', script, 'sh', folder, ...command], env);
}

/** A port nobody listens on now: services of ten languages have no common way to say which one they took. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits for the port to take connections; a connection alone makes no span. */
export async function listening(port: number, { child }: Service, msMost: number): Promise<void> {
  const until = Date.now() + msMost;
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
    if (Date.now() > until) throw new Error(`nothing listens after ${msMost} ms`);
    await pause(50);
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      resolve(true);
      // A server of HTTP/2 keeps a connection that only half ends.
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });
}

/** SIGTERM, and SIGKILL for one whose framework waits for something that does not come. */
export async function end({ child, ended }: Service): Promise<void> {
  child.kill('SIGTERM');
  const impatient = setTimeout(() => child.kill('SIGKILL'), stopMsMost);
  await ended;
  clearTimeout(impatient);
}
