import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface Entry {
  version?: string;
  resolved?: string;
  gypfile?: boolean;
  optionalDependencies?: Record<string, string>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
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
 * npm up to 11.18 runs node-gyp for every package with a binding.gyp unless its package.json says
 * `gypfile: false`; started from a lockfile it looks for that in the lockfile only, where npm itself
 * never writes it (WiseLibs/better-sqlite3#1516). It is put there by hand, again after an update.
 */
it('nothing is compiled at installation', () => {
  const native = Object.keys(packages).filter((path) => existsSync(`${root}/${path}/binding.gyp`));
  expect(native).toContain('node_modules/better-sqlite3');
  for (const path of native) {
    const { gypfile } = JSON.parse(readFileSync(`${root}/${path}/package.json`, 'utf8')) as Entry;
    expect(gypfile, `${path}/package.json`).toBe(false);
    expect(packages[path]!.gypfile, `"gypfile": false in the lockfile's ${path}`).toBe(false);
  }
});
