import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

/**
 * `npm run test:install`: fresh installations on hosts without Python, make and compilers, with npm 10 and 11 on Node
 * 20, 22 and 24, each in a folder of its own. After each, Rollcall opens a store and makes a key. A last one builds
 * what the image holds: `npm ci --omit=dev --ignore-scripts`, run by the host's Node 22 and 24 without the `node`
 * package. Nodes and npms come from the registry, as the packages `node` and `npm`.
 *   --only npm10-node20,image    some of them
 * Ends with 1 when an installation failed, or when one was left out for lack of a package, which it prints.
 */
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const only = values.only?.split(',');
const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rollcall-install-'));
const installMsMost = 480_000;

const nodeMajors = [20, 22, 24] as const;
const npmMajors = [10, 11] as const;
/** Node runs the sources from here on: it strips types without a flag. */
const runningMajors = [22, 24];
/** Programs that npm and the scripts of packages may call. What compiles is not among them. */
const programs = ['sh', 'bash', 'env', 'uname', 'cat', 'ls', 'ldd', 'getconf', 'dirname', 'sed'];
const absent = ['python', 'python3', 'make', 'cc', 'gcc', 'c++', 'g++', 'clang', 'node-gyp'];

const passed: string[] = [];
const failed: string[] = [];
const skipped: string[] = [];

try {
  for (const nodeMajor of nodeMajors) {
    for (const npmMajor of npmMajors) {
      await attempt(`npm${npmMajor}-node${nodeMajor}`, nodeMajor, npmMajor, installDeveloper);
    }
  }
  await attempt('npm10-node20-stripped', 20, 10, installStripped);
  await attempt('image', 24, 11, installImage);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const line of skipped) print(`SKIPPED: ${line}`);
print(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
process.exitCode = failed.length > 0 || skipped.length > 0 ? 1 : 0;

interface Host {
  place: string;
  node: string;
  npm: string;
  env: NodeJS.ProcessEnv;
}

async function attempt(
  name: string,
  nodeMajor: number,
  npmMajor: number,
  install: (host: Host) => Promise<string>,
): Promise<void> {
  if (only !== undefined && !only.includes(name)) {
    skipped.push(`${name}: not in --only`);
    return;
  }
  const place = join(folder, name);
  try {
    const node = join(await fetched('node', nodeMajor), 'node_modules/node/bin/node');
    const npm = join(await fetched('npm', npmMajor), 'node_modules/npm/bin/npm-cli.js');
    const host = makeHost(place, node, npm);
    const startedMs = Date.now();
    const note = await install(host);
    const version = (await run(node, ['--version'])).stdout.trim();
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
    print(`ok: ${name} (Node ${version}, npm ${versionOf(npm)}) in ${seconds} s: ${note}`);
    passed.push(name);
  } catch (error) {
    if (error instanceof NotFetched) {
      skipped.push(`${name}: ${error.message}`);
    } else {
      const { message, stdout = '', stderr = '' } = error as Error & Record<string, string>;
      print(`FAILED: ${name}: ${message}\n${stdout.slice(-2_000)}\n${stderr.slice(-4_000)}`);
      failed.push(name);
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Everything, as a clone's reader installs it; the `node` package brings the Node that runs it. */
async function installDeveloper(host: Host): Promise<string> {
  await npm(host, 'ci');
  const prebuilt = join(host.place, 'node_modules/better-sqlite3/build');
  if (existsSync(prebuilt)) throw new Error(`${prebuilt} exists: something was compiled`);
  return makeKey(host, join(host.place, 'node_modules/.bin/node'));
}

/** The lockfile as `npm install` leaves it fails here: a sign that the lab would notice a compilation. */
async function installStripped(host: Host): Promise<string> {
  const lockPath = join(host.place, 'package-lock.json');
  const lock = readFileSync(lockPath, 'utf8');
  const stripped = lock.replace(/\n *"gypfile": false,/, '');
  if (stripped === lock) throw new Error('the lockfile has no "gypfile": false');
  writeFileSync(lockPath, stripped);
  const output = await npm(host, 'ci', '--omit=dev').then(
    () => undefined,
    (error) => `${error.stdout}${error.stderr}`,
  );
  if (output === undefined) throw new Error('npm 10 installed a lockfile without "gypfile": false');
  if (!/gyp/.test(output)) throw new Error(`npm failed, but not at node-gyp: ${output}`);
  return 'without "gypfile": false in the lockfile npm fails at node-gyp, as it should here';
}

/** What the Dockerfile installs, on hosts' own Nodes. */
async function installImage(host: Host): Promise<string> {
  await npm(host, 'ci', '--omit=dev', '--ignore-scripts');
  if (existsSync(join(host.place, 'node_modules/node'))) throw new Error('the image holds `node`');
  const notes: string[] = [];
  for (const major of runningMajors) {
    const node = join(await fetched('node', major), 'node_modules/node/bin/node');
    notes.push(`on Node ${major} ${await makeKey(host, node)}`);
  }
  return notes.join(', ');
}

/** Opens a store, which loads the SQLite binding, and writes to it. */
async function makeKey({ place, env }: Host, node: string): Promise<string> {
  const store = `sqlite:${join(place, 'data/rollcall.db')}`;
  const args = ['cli/rollcall.mjs', 'keys', 'create', '--project', 'shop', '--scope', 'read'];
  const { stdout } = await run(node, args, { cwd: place, env: { ...env, ROLLCALL_STORE: store } });
  rmSync(join(place, 'data'), { recursive: true });
  if (!/^rck_[\w-]{43}\n$/.test(stdout)) throw new Error(`keys create printed ${stdout}`);
  return 'a key was made';
}

/** A copy of the repository's own files, and a PATH without compilers. */
function makeHost(place: string, node: string, npm: string): Host {
  mkdirSync(place, { recursive: true });
  const entries = ['package.json', 'package-lock.json', '.npmrc', '.ci', 'core', 'cli'];
  for (const entry of [...entries, 'collector', 'analyzer', 'instrumentation']) {
    cpSync(join(root, entry), join(place, entry), {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist)$/.test(path),
    });
  }
  const bin = join(place, 'bin');
  mkdirSync(bin);
  symlinkSync(node, join(bin, 'node'));
  // Packages' scripts call npm by its name.
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\nexec ${node} ${npm} "$@"\n`, { mode: 0o755 });
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const program of programs) {
    const found = folders.map((path) => join(path, program)).find((path) => existsSync(path));
    if (found !== undefined) symlinkSync(found, join(bin, program));
  }
  for (const program of absent) {
    if (existsSync(join(bin, program))) throw new Error(`${program} is on the host's PATH`);
  }
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_|NODE_|CC$|CXX$|PYTHON)/i.test(name) || /^npm_config_(registry|cafile)$/i.test(name),
  );
  return { place, node, npm, env: { ...Object.fromEntries(inherited), PATH: bin } };
}

async function npm({ place, node, npm: cli, env }: Host, ...args: string[]): Promise<void> {
  await run(node, [cli, ...args, '--no-audit', '--no-fund'], {
    cwd: place,
    env,
    timeout: installMsMost,
    maxBuffer: 2 ** 26,
  });
}

class NotFetched extends Error {}

/** @returns a folder into which the newest release of that major version is installed */
async function fetched(name: string, major: number): Promise<string> {
  const place = join(folder, `${name}-${major}`);
  if (existsSync(place)) return place;
  mkdirSync(place);
  writeFileSync(join(place, 'package.json'), '{"private":true,"allowScripts":{"node":true}}');
  const args = ['install', '--no-package-lock', '--no-audit', '--no-fund', `${name}@${major}`];
  const inherited = Object.entries(process.env).filter(
    ([variable]) => !/^npm_/i.test(variable) || /^npm_config_(registry|cafile)$/i.test(variable),
  );
  try {
    const env = Object.fromEntries(inherited);
    await run('npm', args, { cwd: place, env, timeout: installMsMost });
  } catch (error) {
    rmSync(place, { recursive: true, force: true });
    throw new NotFetched(`${name}@${major} cannot be installed: ${(error as Error).message}`);
  }
  return place;
}

function versionOf(npmCli: string): string {
  const manifest = readFileSync(join(npmCli, '../../package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
