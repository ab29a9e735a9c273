import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of PyPI: the engine of ClickHouse 26.9 as a library. */
const engine = 'chdb-core==26.9.0';
const folder = join(homedir(), '.cache', 'rollcall-clickhouse', engine.replace('==', '-'));

/** Python with the engine, installed once into a folder of its own. @throws Error where it cannot be installed */
export function installedPython(): string {
  const python = join(folder, 'venv', 'bin', 'python');
  const isThere = () => existsSync(python) && answers(python, 'import chdb._chdb');
  if (isThere()) return python;
  mkdirSync(folder, { recursive: true });
  execFileSync('python3', ['-m', 'venv', join(folder, 'venv')], { stdio: 'pipe' });
  const pip = ['-m', 'pip', 'install', '-q', '--no-deps', engine];
  execFileSync(python, pip, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (!isThere()) throw new Error(`${engine} is installed and cannot be loaded`);
  return python;
}

function answers(python: string, code: string): boolean {
  try {
    execFileSync(python, ['-c', code], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface TestServer {
  /** `clickhouse://127.0.0.1:port/default` */
  url: string;
  child: ChildProcess;
  port: number;
  /** SIGKILL, as a power cut without its loss of unsynced bytes. */
  kill(): Promise<void>;
}

/** @param data the folder of the databases @param port 0: any */
export async function startServer(python: string, data: string, port = 0): Promise<TestServer> {
  const front = fileURLToPath(new URL('./front.py', import.meta.url));
  const child = spawn(python, [front, data, `${port}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const said = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (part: Buffer) => {
      text += part;
      if (text.includes('\n')) resolve(text);
    });
    ended.then(() => reject(new Error('the server ended before it listened')));
  });
  const found = Number(/:(\d+)\s/.exec(said)?.[1]);
  return {
    url: `clickhouse://127.0.0.1:${found}/default`,
    child,
    port: found,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
