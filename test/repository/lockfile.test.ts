import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/process.ts';

interface Entry {
  version?: string;
  resolved?: string;
  gypfile?: boolean;
  optionalDependencies?: Record<string, string>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const { packages } = JSON.parse(readFileSync(`${root}/package-lock.json`, 'utf8')) as {
  packages: Record<string, Entry>;
};

it('the lockfile holds every optional dependency: npm ci refuses one that does not', () => {
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      const places = [`${path}/node_modules/${name}`, `node_modules/${name}`];
      expect(
        places.filter((place) => place in packages),
        `${path} wants ${name}`,
      ).not.toEqual([]);
    }
  }
});

it('the lockfile names no registry', () => {
  expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});

/**
 * npm runs node-gyp for a package with a binding.gyp: npm 10 unless the lockfile's entry says `"gypfile": false`, npm
 * 11 unless `allowScripts` refuses it.
 */
it('nothing is compiled at installation: packages with native sources bring their binaries', () => {
  const installed = Object.keys(packages).filter((path) => existsSync(`${root}/${path}`));
  expect(installed.length).toBeGreaterThan(100);
  const native = installed.filter((path) => existsSync(`${root}/${path}/binding.gyp`));
  expect(native).toEqual(['node_modules/better-sqlite3']);
  const { allowScripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    allowScripts: Record<string, boolean>;
  };
  for (const path of native) {
    expect(
      packages[path]!.gypfile,
      `npm install removed "gypfile": false from package-lock.json; npm run lockfile restores it`,
    ).toBe(false);
    expect(allowScripts[path.replace('node_modules/', '')]).toBe(false);
    for (const platform of ['linux-x64', 'linux-arm64', 'linuxmusl-x64', 'linuxmusl-arm64']) {
      expect(existsSync(`${root}/${path}/prebuilds/${platform}.node`), platform).toBe(true);
    }
  }
});

it('npm run lockfile restores what npm install removes, and --check says that it must', () => {
  const folder = temporaryFolder();
  try {
    const lockPath = `${folder.path}/package-lock.json`;
    mkdirSync(`${folder.path}/.ci`);
    copyFileSync(`${root}/.ci/lockfile.mjs`, `${folder.path}/.ci/lockfile.mjs`);
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [`${folder.path}/.ci/lockfile.mjs`, ...args], {
        encoding: 'utf8',
      });
    const good = readFileSync(`${root}/package-lock.json`, 'utf8');
    writeFileSync(lockPath, good.replace('      "gypfile": false,\n', ''));
    expect(readFileSync(lockPath, 'utf8')).not.toBe(good);

    const checked = run('--check');
    expect([checked.status, checked.stderr]).toEqual([
      1,
      'package-lock.json: npm 10 would compile better-sqlite3; run `npm run lockfile`\n',
    ]);
    expect(run().status).toBe(0);
    expect(readFileSync(lockPath, 'utf8')).toBe(good);
    expect(run('--check').status).toBe(0);
  } finally {
    folder.remove();
  }
});
