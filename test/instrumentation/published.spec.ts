import { execFile } from 'node:child_process';
import { cpSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/process.ts';
import { packedTarball, runTool } from './workshop.ts';

const run = promisify(execFile);

/** What npm would publish. */
it('publint finds nothing to say', async () => {
  const said = await runTool('publint@0.3.25', 'publint', ['run', packedTarball(), '--strict']);
  expect(said).toContain('All good!');
});

it('the types are right for every way of importing', async () => {
  const args = [packedTarball(), '--format', 'json', '--profile', 'node16'];
  const said = await runTool('@arethetypeswrong/cli@0.18.5', 'attw', args);
  const { analysis } = JSON.parse(said) as {
    analysis: { types: unknown; problems: { resolutionKind?: string }[] };
  };
  expect(analysis.types).toMatchObject({ kind: 'included' });
  // The resolver of TypeScript's `node10` knows no `exports`; no Node that we serve is like that.
  const problems = analysis.problems.filter(({ resolutionKind }) => resolutionKind !== 'node10');
  expect(problems).toEqual([]);
});

it('npm pack works in a fresh clone, where nothing is installed', async () => {
  const clone = temporaryFolder();
  try {
    const source = fileURLToPath(new URL('../../instrumentation', import.meta.url));
    const isSource = (path: string) => !/(?:node_modules|dist)$/.test(path);
    cpSync(source, clone.path, { recursive: true, filter: isSource });
    await run('npm', ['pack', '--pack-destination', clone.path], { cwd: clone.path });
    const [tarball] = globSync('*.tgz', { cwd: clone.path });
    const { stdout } = await run('tar', ['-tzf', `${clone.path}/${tarball}`]);
    const paths = stdout.trim().split('\n');
    const published = ['dist/index.js', 'dist/register.mjs', 'dist/register.js', 'README.md'];
    expect(paths).toEqual(expect.arrayContaining(published.map((path) => `package/${path}`)));
    expect(paths.filter((path) => /src|node_modules/.test(path))).toEqual([]);
  } finally {
    clone.remove();
  }
});

it('the version is the same in package.json and in what spans say', () => {
  const read = (path: string) =>
    readFileSync(new URL(`../../instrumentation/${path}`, import.meta.url), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(read('src/version.ts')).toContain(`'${version}'`);
});

it('the lockfile names no registry', () => {
  const path = new URL('../../instrumentation/package-lock.json', import.meta.url);
  expect(readFileSync(path, 'utf8')).not.toContain('"resolved"');
});
