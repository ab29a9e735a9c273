import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestOrder, TestsEnded } from './host.ts';

export type Outcome = TestsEnded | 'timeout';

/**
 * A copy of the repository in which one file at a time is faulty, and a process that runs tests in it. That process
 * and all that the tests start are one process group, which is killed when a test does not end.
 */
export class TestCopy {
  readonly #place: string;
  readonly #path: string;
  readonly #temporary: string;
  readonly #env: Record<string, string>;
  #host: ChildProcess | undefined;

  /**
   * @param root the repository
   * @param path a folder that is made for the copy
   * @param env added to the environment of the tests
   */
  constructor(root: string, path: string, env: Record<string, string> = {}) {
    this.#place = path;
    this.#path = join(path, 'copy');
    this.#temporary = join(path, 'tmp');
    this.#env = env;
    const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const files = execFileSync('git', list, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
    for (const file of new Set(files.split('\0').filter(Boolean))) copy(root, this.#path, file);
    for (const modules of ['node_modules', 'instrumentation/node_modules', 'analyzer/web/dist']) {
      symlinkSync(join(root, modules), join(this.#path, modules));
    }
    mkdirSync(this.#temporary);
  }

  /** Puts a text in the place of a file's, for the runs that follow. */
  write(file: string, text: string): void {
    writeFileSync(join(this.#path, file), text);
  }

  async run(order: TestOrder, boundMs: number): Promise<Outcome> {
    this.#host ??= await this.#startHost();
    const host = this.#host;
    const outcome = await new Promise<Outcome>((resolve) => {
      const timer = setTimeout(() => resolve('timeout'), boundMs);
      host.once('message', (ended: TestsEnded) => {
        clearTimeout(timer);
        resolve(ended);
      });
      host.once('exit', () => {
        clearTimeout(timer);
        resolve({ passed: false, tests: {}, failures: ['the process of the tests ended'] });
      });
      host.send(order);
    });
    host.removeAllListeners('message').removeAllListeners('exit');
    // What a failed test leaves behind must not meet the next one.
    if (outcome === 'timeout' || !outcome.passed) await this.#clean(outcome === 'timeout');
    return outcome;
  }

  /** Ends the tests at once, when this process is told to end. */
  abandon(): void {
    if (this.#host !== undefined) kill(this.#host);
  }

  async close(): Promise<void> {
    await this.#stopHost();
    rmSync(this.#place, { recursive: true, force: true });
  }

  async #startHost(): Promise<ChildProcess> {
    const host = spawn(process.execPath, [join(this.#path, 'test/labs/mutants/host.ts')], {
      cwd: this.#path,
      env: { ...process.env, ...this.#env, TMPDIR: this.#temporary, TEST_SEED: '1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      host.once('message', () => resolve());
      host.once('exit', (code) => reject(new Error(`the tests' process ended with ${code}`)));
    });
    host.removeAllListeners('exit');
    return host;
  }

  async #stopHost(): Promise<void> {
    const host = this.#host;
    this.#host = undefined;
    if (host === undefined) return;
    const ended = new Promise((resolve) => host.once('exit', resolve));
    kill(host);
    if (host.exitCode === null && host.signalCode === null) await ended;
  }

  async #clean(isHung: boolean): Promise<void> {
    const host = this.#host;
    if (isHung || host === undefined || host.exitCode !== null) return this.#stopHost();
    for (const pid of groupOf(host.pid!)) {
      try {
        if (pid !== host.pid) process.kill(pid, 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
  }
}

function kill(host: ChildProcess): void {
  try {
    process.kill(-host.pid!, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function copy(from: string, to: string, file: string): void {
  try {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    copyFileSync(join(from, file), join(to, file));
  } catch (error) {
    // Deleted in the work tree and not committed yet.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Processes of the group, except those that the tests' process keeps for itself. */
function groupOf(leader: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,pgid=,args='], { encoding: 'utf8' }).split('\n');
  return rows.flatMap((row) => {
    const [, pid, group, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? [];
    return Number(group) === leader && !args.includes('/vitest/') && !args.includes('esbuild')
      ? [Number(pid)]
      : [];
  });
}
