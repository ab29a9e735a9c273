import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * What a folder of services is installed or built with. The work is done on a copy in the user's cache,
 * once for each state of the folder, so that no repository holds what was built.
 */
export interface Toolchain {
  /** Also its folder beside this file. */
  name: string;
  /** Commands that succeed when the toolchain is here. */
  needs: readonly (readonly string[])[];
  /** The files whose change asks for a new build where sources run as they are; all of them when not given. */
  locks?: readonly string[];
  /** Run one after the other in the copy. */
  build: readonly (readonly string[])[];
}

const here = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);
/** A first build downloads all that it needs. */
const buildMsMost = 20 * 60_000;

/** Of all stacks: the platform's cache folder unless told. */
export const cacheFolder = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/rollcall-interop`;

/** @returns why the toolchain cannot be used; undefined when it can */
export async function missing({ needs }: Toolchain): Promise<string | undefined> {
  for (const [program, ...args] of needs) {
    try {
      await run(program!, args, { timeout: 60_000 });
    } catch (error) {
      const { code } = error as { code?: unknown };
      return code === 'ENOENT'
        ? `${program} is not installed`
        : `${program} ${args.join(' ')} fails`;
    }
  }
  return undefined;
}

/** The folder with the toolchain's services ready to run. @throws Error with the output of what failed */
export async function prepare(toolchain: Toolchain, log: (line: string) => void): Promise<string> {
  const source = `${here}${toolchain.name}`;
  const target = `${cacheFolder}/${toolchain.name}`;
  const stamp = `${target}/.built`;
  const state = stateOf(source, toolchain);
  mkdirSync(target, { recursive: true });
  // A source that is gone, or is another checkout's, would be built along.
  const copied = `${target}/.copied`;
  for (const path of readOrEmpty(copied).split('\n').filter(Boolean)) {
    rmSync(`${target}/${path}`, { force: true, recursive: true });
  }
  writeFileSync(copied, globSync('**/*.*', { cwd: source }).join('\n'));
  cpSync(source, target, { recursive: true });
  if (readOrEmpty(stamp) === state) return target;
  for (const [program, ...args] of toolchain.build) {
    log(`${toolchain.name}: ${[program, ...args].join(' ')}`);
    // Builds are heavy, and somebody may be working on this machine.
    const command = ['-n', '10', program!, ...args];
    try {
      await run('nice', command, { cwd: target, timeout: buildMsMost, maxBuffer: 2 ** 26 });
    } catch (error) {
      const { message, stdout, stderr } = error as Error & { stdout?: string; stderr?: string };
      const said = `${stdout ?? ''}${stderr ?? ''}`.slice(-4000);
      throw new Error(`${toolchain.name} could not be built: ${message.slice(0, 300)}\n${said}`);
    }
  }
  writeFileSync(stamp, state);
  return target;
}

/** Of its files and its commands, so that a change of either builds anew. */
function stateOf(folder: string, { build, locks }: Toolchain): string {
  const hash = createHash('sha256').update(JSON.stringify(build));
  for (const path of locks ?? globSync('**/*.*', { cwd: folder }).sort()) {
    hash.update(`\0${path}\0`).update(readFileSync(`${folder}/${path}`));
  }
  return hash.digest('hex');
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
