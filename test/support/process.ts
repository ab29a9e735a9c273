import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Real services as processes of their own: on port 0 of 127.0.0.1, on a store in a temporary folder.
 * A service has started when it prints its listening line, the first line of JSON that holds addresses.
 */
export interface Running {
  pid: number;
  /** Addresses of the listening line by their names: `otlp_http` → `http://127.0.0.1:40123`. */
  addresses: Record<string, string>;
  /** What the process wrote on its standard output and error so far. */
  output(): string;
  /** Sends the signal (SIGTERM unless told) and waits for the end. A second call only waits. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
  /** Resolves when the process has ended, for whatever reason. */
  ended: Promise<Ended>;
  child: ChildProcess;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
/** How long a start may take on a busy machine before the test is told what the process said. */
const startMsMost = Number(process.env.START_MS ?? 30_000);

export interface StartOptions {
  args?: string[];
  /** Listening lines to wait for: one for each service that the process stands for. */
  lines?: number;
  /** Gets the process at once, to end it before it listens. */
  spawned?: (child: ChildProcess) => void;
}

/** Waits for the listening line. @throws Error with the process's output when it ends before it */
export async function startService(
  entry: string,
  env: Record<string, string>,
  { args = [], lines = 1, spawned = () => {} }: StartOptions = {},
): Promise<Running> {
  const { child, ended, output } = launch(entry, env, args);
  spawned(child);
  let sent: Promise<Ended> | undefined;
  const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> => {
    if (sent === undefined && child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
    }
    sent = ended;
    return sent;
  };
  const addresses = await new Promise<Record<string, string>>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${entry} ${why}:\n${output()}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`said no address within ${startMsMost} ms`);
    }, startMsMost);
    ended.then(({ code, signal }) => {
      clearTimeout(timer);
      fail(`ended with ${signal ?? code} before it listened`);
    });
    child.stdout?.on('data', () => {
      const found = listeningAddresses(output(), lines);
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
  });
  return { pid: child.pid!, addresses, output, stop, ended, child };
}

/** Runs a service that is expected to end by itself: a wrong configuration, a port in use. */
export function runToEnd(
  entry: string,
  env: Record<string, string>,
  args: string[] = [],
): Promise<Ended> {
  return launch(entry, env, args).ended;
}

/** `rollcall serve`: collector and analyzer, both on port 0, as children of one process. */
export function startRollcall(
  storePath: string,
  env: Record<string, string> = {},
): Promise<Running> {
  const own = {
    ROLLCALL_STORE: `sqlite:${storePath}`,
    ROLLCALL_OTLP_HTTP_PORT: '0',
    ROLLCALL_ANALYZER_PORT: '0',
    ...env,
  };
  return startService('cli/rollcall.mjs', own, { args: ['serve'], lines: 2 });
}

/** A collector alone. @param storePath of its file; the caller removes it */
export function startCollectorProcess(
  storePath: string,
  env: Record<string, string> = {},
): Promise<Running & { url: string; grpcUrl: string }> {
  const own = { ROLLCALL_STORE: `sqlite:${storePath}`, ROLLCALL_OTLP_HTTP_PORT: '0', ...env };
  return startService('collector/main.ts', own).then((running) => ({
    ...running,
    url: running.addresses.otlp_http!,
    grpcUrl: running.addresses.otlp_grpc!,
  }));
}

/** An analyzer alone, on the file of a collector. */
export function startAnalyzerProcess(
  storePath: string,
  env: Record<string, string> = {},
): Promise<Running & { url: string }> {
  const own = { ROLLCALL_STORE: `sqlite:${storePath}`, ROLLCALL_ANALYZER_PORT: '0', ...env };
  return startService('analyzer/main.ts', own).then((running) => ({
    ...running,
    url: Object.values(running.addresses)[0]!,
  }));
}

/** A folder of its own for one test; `remove` deletes it with all that is in it. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'rollcall-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts a script of ours without waiting for anything. */
export function launch(entry: string, env: Record<string, string>, args: string[]) {
  return launchCommand(process.execPath, [join(root, entry), ...args], env);
}

/** Most tests do not ask where OTLP over gRPC listens, and all of them may run at once. */
const anyPort = { ROLLCALL_OTLP_GRPC_PORT: '0' };

/** Starts any program in the project's folder, with no ROLLCALL variable but those of `env`. */
export function launchCommand(program: string, args: string[], env: Record<string, string>) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ROLLCALL_'));
  const child = spawn(program, args, {
    cwd: root,
    env: { ...Object.fromEntries(inherited), NODE_ENV: 'production', ...anyPort, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => parts.push(text));
  }
  const output = () => parts.join('');
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, output: output() }));
  });
  return { child, ended, output };
}

/** The addresses of the first `lines` listening lines together; undefined when fewer were written. */
function listeningAddresses(output: string, lines: number): Record<string, string> | undefined {
  const found = output
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const addresses = addressesOf(line);
      return addresses === undefined ? [] : [addresses];
    });
  return found.length < lines ? undefined : Object.assign({}, ...found.slice(0, lines));
}

function addressesOf(line: string): Record<string, string> | undefined {
  if (!line.startsWith('{')) return undefined;
  const entries = Object.entries(JSON.parse(line) as Record<string, unknown>);
  const found = entries.filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string' && /^https?:\/\/[^/]+:\d+$/.test(entry[1]);
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}
