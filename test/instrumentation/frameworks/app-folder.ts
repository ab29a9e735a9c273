import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder } from '../workshop.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);
const installMsMost = 10 * 60_000;

/** A framework's app in the user's cache, its packages installed once for each state of its lockfile. */
export async function installApp(app: string, log: (line: string) => void): Promise<string> {
  const folder = `${cacheFolder}/frameworks`;
  const target = `${folder}/${app}`;
  mkdirSync(target, { recursive: true });
  cpSync(`${here}listen.mjs`, `${folder}/listen.mjs`);
  cpSync(`${here}${app}`, target, { recursive: true });
  writeFileSync(`${target}/app.cjs`, asCommonJs(readFileSync(`${target}/app.mjs`, 'utf8')));
  const lock = `${target}/package-lock.json`;
  if (!existsSync(lock)) return target;
  const state = createHash('sha256').update(readFileSync(lock)).digest('hex');
  const stamp = `${target}/.installed`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return target;
  log(`${app}: npm ci`);
  rmSync(stamp, { force: true });
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', args, { cwd: target, timeout: installMsMost });
  writeFileSync(stamp, state);
  return target;
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
