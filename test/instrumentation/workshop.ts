import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Folders with the package in their node_modules, in one of two ways.
 * - `npm test`: the package as the repository's own compiler builds it, and the repository's packages, all as
 *   links in a temporary folder. Nothing is installed.
 * - `npm run test:instrumentation`: built, packed and installed as a user would, under Node 20, 22 and 24. All
 *   of it is kept in the user's cache, once for each state of the sources.
 */
export const isPacked = process.env.INSTRUMENTATION_PACKED === '1';
export const nodeMajors: readonly NodeMajor[] = isPacked ? [20, 22, 24] : [24];
export type NodeMajor = 20 | 22 | 24;

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'instrumentation');
const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
export const cacheFolder = join(cache, 'rollcall-instrumentation');
const run = promisify(execFile);
const installMsMost = 10 * 60_000;

/** Of one run of `npm test`: where its linked folders are. */
const linkedVariable = 'INSTRUMENTATION_LINKED';

/** Compiles the package into instrumentation/dist, which is replaced at once. @returns what ends it */
export async function buildLinked(): Promise<() => void> {
  const fresh = mkdtempSync(join(source, '.dist-'));
  const compiler = join(root, 'node_modules/.bin/tsc');
  await run(compiler, ['-p', source, '--outDir', fresh]).catch((error: { stdout: string }) => {
    rmSync(fresh, { recursive: true });
    throw new Error(`instrumentation does not compile:\n${error.stdout}`);
  });
  const old = `${fresh}-old`;
  if (existsSync(join(source, 'dist'))) renameSync(join(source, 'dist'), old);
  renameSync(fresh, join(source, 'dist'));
  rmSync(old, { recursive: true, force: true });
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-instrumentation-'));
  process.env[linkedVariable] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

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
 * A folder of an app: `apps/`, with the package and others in its node_modules.
 * @param dependencies besides the package: names and versions; an alias as npm has it, `npm:signal-exit@3.0.7`
 * @returns the folder, the same one as long as the package and dependencies are
 */
export async function installed(
  name: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<string> {
  if (isPacked) return packedFolder(name, dependencies);
  const folder = linkedFolder(name);
  for (const [as, version] of Object.entries(dependencies)) link(folder, as, version);
  copyApps(folder);
  return folder;
}

/** A folder of `apps/` with the package of the last tarball and others, installed from the registry. */
export async function packedFolder(
  name: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<string> {
  const tarball = packedTarball();
  const folder = join(cacheFolder, 'installed', name);
  const state = JSON.stringify({ tarball, dependencies });
  const stamp = join(folder, 'installed.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) {
    copyApps(folder);
    return folder;
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const wanted = { '@rollcall/instrumentation': `file:${tarball}`, ...dependencies };
  writeManifest(folder, { dependencies: wanted });
  await npm(folder, ['install', '--ignore-scripts', '--no-package-lock', '--prefer-offline']);
  writeFileSync(stamp, state);
  copyApps(folder);
  return folder;
}

function copyApps(folder: string): void {
  cpSync(join(root, 'test/instrumentation/apps'), folder, { recursive: true });
}

/** A folder whose node_modules has the built package as a link. @param name one for each test file */
export function linkedFolder(name: string): string {
  const folder = join(process.env[linkedVariable]!, name);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'package.json'))) writeManifest(folder, {});
  linkTo(folder, '@rollcall/instrumentation', source);
  return folder;
}

/**
 * Links one of the repository's packages: `express4` serves as `express` where version 4 is asked for.
 * @throws Error when the repository has no such major version
 */
export function link(folder: string, name: string, version: string): void {
  const [, major] = /^(?:npm:.+@)?(\d+)\./.exec(version) ?? [];
  for (const place of [`${name}${major}`, name]) {
    const path = join(root, 'node_modules', place);
    const found = readJson<{ version: string }>(join(path, 'package.json'));
    if (found?.version.startsWith(`${major}.`)) {
      linkTo(folder, name, path);
      return;
    }
  }
  throw new Error(`${name} ${version}: not in the repository's node_modules`);
}

function linkTo(folder: string, name: string, target: string): void {
  const path = join(folder, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync(target, path, 'dir');
}

function writeManifest(folder: string, more: object): void {
  const manifest = { name: 'installed-app', version: '1.2.3', private: true, ...more };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
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
