import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder, isPacked, link, linkedFolder } from '../workshop.ts';
import type { Stack } from './cases.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);
const installMsMost = 10 * 60_000;

/**
 * A framework's app with its packages: links to the repository's own in `npm test`; else installed in the user's cache,
 * once for each state of its lockfile.
 */
export async function installApp(
  { app, version }: Pick<Stack, 'app' | 'version'>,
  log: (line: string) => void,
): Promise<string> {
  const source = `${here}${app}`;
  const packages = version === undefined ? source : `${source}/${version}`;
  if (!isPacked) return linkApp(`frameworks/${app}${version ?? ''}`, source, packages);
  const folder = `${cacheFolder}/frameworks`;
  // Of its own for each version: an app finds the packages that lie beside it.
  const target = `${folder}/${app}${version ?? ''}`;
  mkdirSync(target, { recursive: true });
  cpSync(`${here}listen.mjs`, `${folder}/listen.mjs`);
  cpSync(packages, target, { recursive: true });
  writeApp(source, target);
  const lock = `${target}/package-lock.json`;
  if (!existsSync(lock)) return target;
  const state = createHash('sha256').update(readFileSync(lock)).digest('hex');
  const stamp = `${target}/.installed`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return target;
  log(`${target}: npm ci`);
  rmSync(stamp, { force: true });
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', args, { cwd: target, timeout: installMsMost });
  writeFileSync(stamp, state);
  return target;
}

function linkApp(name: string, source: string, packages: string): string {
  const folder = linkedFolder(name);
  cpSync(`${here}listen.mjs`, `${dirname(folder)}/listen.mjs`);
  cpSync(`${packages}/package.json`, `${folder}/package.json`);
  writeApp(source, folder);
  const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const [name, version] of Object.entries(dependencies)) link(folder, name, version);
  return folder;
}

/** The app as an ES module and as CommonJS. */
function writeApp(source: string, folder: string): void {
  const code = readFileSync(`${source}/app.mjs`, 'utf8');
  writeFileSync(`${folder}/app.mjs`, code);
  writeFileSync(`${folder}/app.cjs`, asCommonJs(code));
}

/** The same app for `require`: a framework may have another copy for it. */
function asCommonJs(source: string): string {
  return source
    .replace(/^import '(.+)';$/gm, "require('$1');")
    .replace(/^import (\{[^}]+\}|\w+) from '(.+)';$/gm, (_, names: string, from: string) => {
      const bound = names.replace(/ as /g, ': ');
      return `const ${bound} = require('${from}');`;
    });
}
