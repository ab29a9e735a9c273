import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/**
 * Builds the dashboard into analyzer/web/dist when its sources have changed since the last build; does
 * nothing else. `npm start` runs it first. A build that fails leaves the old one in place and ends with 0,
 * because Rollcall serves its API without a dashboard too; `--strict` (npm run build) ends with 1.
 */
const here = import.meta.dirname;
const outPath = join(here, 'dist');
const stampPath = join(outPath, 'build.json');

const isStrict = process.argv.includes('--strict');
const hash = sourceHash();
if (builtHash() !== hash) await buildNow();
else if (isStrict) say('is up to date');

/** Of every file that decides what the build makes: the sources, and the packages' versions. */
function sourceHash(): string {
  const digest = createHash('sha256');
  const files = globSync('**/*.{ts,tsx,css,html,svg,json}', { cwd: here })
    .filter((file) => !file.startsWith('dist') && !file.startsWith('node_modules'))
    .map((file) => join(here, file));
  for (const file of [...files.sort(), join(here, '../../package-lock.json')]) {
    digest
      .update(`${file.slice(here.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return digest.digest('hex').slice(0, 16);
}

function builtHash(): string | undefined {
  try {
    return (JSON.parse(readFileSync(stampPath, 'utf8')) as { hash: string }).hash;
  } catch {
    return undefined;
  }
}

async function buildNow(): Promise<void> {
  const startedMs = performance.now();
  // Another process may build at the same time: each has a folder of its own, and the last one stays.
  const freshPath = join(here, 'dist', `.fresh-${process.pid}`);
  try {
    say('is being built, once after each change (a few seconds) …');
    const { build } = await import('vite').catch((cause: unknown) => {
      throw new Error('Vite is not installed: npm ci without --omit=dev installs it', { cause });
    });
    process.env.NODE_ENV = 'production';
    await build({
      configFile: join(here, 'vite.config.ts'),
      build: { outDir: freshPath },
      define: { __BUILD__: JSON.stringify(hash) },
    });
    const bytes = await compressAll(freshPath);
    putInPlace(freshPath);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    say(`was built in ${seconds} s: ${Math.round(bytes / 1024)} KiB of JavaScript, brotli`);
  } catch (error) {
    const { message, cause } = error as Error;
    say(`could not be built, the API works without it: ${message}`);
    if (cause !== undefined && isStrict) console.error(cause);
    process.exitCode = isStrict ? 1 : 0;
  } finally {
    rmSync(freshPath, { recursive: true, force: true });
  }
}

/** Puts a `.br` and a `.gz` beside each file. @returns the bytes of all scripts after brotli */
async function compressAll(folder: string): Promise<number> {
  let scriptBytes = 0;
  for (const file of globSync('assets/*', { cwd: folder })) {
    const bytes = readFileSync(join(folder, file));
    const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    const small = await promisify(brotliCompress)(bytes, { params });
    writeFileSync(join(folder, `${file}.br`), small);
    writeFileSync(join(folder, `${file}.gz`), await promisify(gzip)(bytes, { level: 9 }));
    if (file.endsWith('.js')) scriptBytes += small.length;
  }
  return scriptBytes;
}

/** The page goes last: it names files that are there by then. Files of older builds go after it. */
function putInPlace(freshPath: string): void {
  mkdirSync(join(outPath, 'assets'), { recursive: true });
  const files = globSync('assets/*', { cwd: freshPath });
  for (const file of files) renameSync(join(freshPath, file), join(outPath, file));
  renameSync(join(freshPath, 'index.html'), join(outPath, 'index.html'));
  for (const file of globSync('assets/*', { cwd: outPath })) {
    if (!files.includes(file)) rmSync(join(outPath, file), { force: true });
  }
  writeFileSync(stampPath, JSON.stringify({ hash }));
}

function say(text: string): void {
  process.stdout.write(`The dashboard ${text}\n`);
}
