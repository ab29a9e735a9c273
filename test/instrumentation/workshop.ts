import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Where the package is built, packed and installed as a user would: all of it in the user's cache, once for
 * each state of the sources.
 */
export const nodeMajors = [20, 22, 24] as const;
export type NodeMajor = (typeof nodeMajors)[number];

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'instrumentation');
const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
export const cacheFolder = join(cache, 'rollcall-instrumentation');
const run = promisify(execFile);
const installMsMost = 10 * 60_000;

/** Builds and packs when the sources have changed. @returns the tarball's path */
export async function buildPackage(log: (line: string) => void): Promise<string> {
  const stamp = join(cacheFolder, 'packed.json');
  const state = stateOf(['package.json', 'tsconfig.json', 'README.md', ...sources()]);
  const packed = readJson<{ state: string; tarball: string }>(stamp);
  if (packed?.state === state && existsSync(packed.tarball)) return packed.tarball;
  mkdirSync(cacheFolder, { recursive: true });
  if (!isInstalled(source)) {
    log('instrumentation: npm ci');
    await npm(source, ['ci', '--ignore-scripts']);
  }
  log('instrumentation: npm run build, npm pack');
  rmSync(join(source, 'dist'), { recursive: true, force: true });
  await npm(source, ['run', 'build']);
  const folder = join(cacheFolder, `packed-${state}`);
  mkdirSync(folder, { recursive: true });
  const { stdout } = await npm(source, [
    ...['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
  ]);
  const tarball = join(folder, basename(filenameOf(stdout)));
  writeFileSync(stamp, JSON.stringify({ state, tarball }));
  return tarball;
}

/** The tarball of the last build. */
export function packedTarball(): string {
  return readJson<{ tarball: string }>(join(cacheFolder, 'packed.json'))!.tarball;
}

/**
 * A fresh folder with the packed package and others installed from it, and the files of `apps/`.
 * @param dependencies besides the package: names and versions
 * @returns the folder, the same one as long as tarball and dependencies are
 */
export async function installed(
  name: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<string> {
  const tarball = packedTarball();
  const folder = join(cacheFolder, 'installed', name);
  const state = JSON.stringify({ tarball, dependencies });
  const stamp = join(folder, 'installed.json');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== state) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const wanted = { '@rollcall/instrumentation': `file:${tarball}`, ...dependencies };
    const manifest = { name: 'installed-app', version: '1.2.3', private: true };
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ ...manifest, dependencies: wanted }),
    );
    await npm(folder, ['install', '--ignore-scripts', '--no-package-lock', '--prefer-offline']);
    writeFileSync(stamp, state);
  }
  cpSync(join(root, 'test/instrumentation/apps'), folder, { recursive: true });
  return folder;
}

/** A Node of that major version: the project's own, or one from the cache. */
export async function nodeBinary(major: NodeMajor): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const folder = join(cacheFolder, `node-${major}`);
  const binary = join(folder, 'node_modules/node/bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    await npm(folder, ['install', '--no-package-lock', `node@${major}`]);
  }
  return binary;
}

/** Runs a program of a package that only these tests need. */
export async function runTool(spec: string, program: string, args: string[]): Promise<string> {
  const folder = join(cacheFolder, 'tools', spec.replace(/\W+/g, '-'));
  const binary = join(folder, 'node_modules/.bin', program);
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    await npm(folder, ['install', '--ignore-scripts', '--no-package-lock', spec]);
  }
  const { stdout } = await run(process.execPath, [binary, ...args], { timeout: installMsMost });
  return stdout;
}

async function npm(folder: string, args: string[]) {
  // The Node these tests run on, before the host's.
  const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const env = { ...Object.fromEntries(inherited), PATH };
  return run('npm', [...args, '--no-audit', '--no-fund'], {
    cwd: folder,
    env,
    timeout: installMsMost,
    maxBuffer: 2 ** 26,
  });
}

function sources(): string[] {
  return globSync('src/**/*.ts', { cwd: source }).sort();
}

function stateOf(files: string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    const path = join(source, file);
    if (existsSync(path)) hash.update(`${file}\n`).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
}

/** npm writes a list, newer ones an object by the package's name. */
function filenameOf(json: string): string {
  const answer = JSON.parse(json.slice(json.search(/[[{]/))) as object;
  const [packed] = Object.values(answer) as { filename: string }[];
  return packed!.filename;
}

function isInstalled(folder: string): boolean {
  return existsSync(join(folder, 'node_modules/@opentelemetry/sdk-trace'));
}

function readJson<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
}
