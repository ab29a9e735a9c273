import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface Entry {
  version?: string;
  resolved?: string;
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

/** npm runs node-gyp for a package with a binding.gyp, on some versions whatever its package.json says. */
it('nothing is compiled at installation: no package has native sources', () => {
  const installed = Object.keys(packages).filter((path) => existsSync(`${root}/${path}`));
  expect(installed.length).toBeGreaterThan(100);
  expect(installed.filter((path) => existsSync(`${root}/${path}/binding.gyp`))).toEqual([]);
});
