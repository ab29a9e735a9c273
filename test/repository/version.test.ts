import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { version } from '../../core/version.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

it('the services and the published package name the versions of their package.json', () => {
  expect(version).toBe(JSON.parse(read('package.json')).version);
  const [, packageVersion] = /'(.+)'/.exec(read('instrumentation/src/version.ts'))!;
  expect(packageVersion).toBe(JSON.parse(read('instrumentation/package.json')).version);
});

it('no other source file names the version', () => {
  const files = globSync('{core,collector,analyzer,cli,instrumentation/src}/**/*.{ts,tsx,mjs}', {
    cwd: root,
  }).filter((file) => !/node_modules|\/dist\//.test(file));
  const quoted = new RegExp(`['"\`]${version.replaceAll('.', '\\.')}['"\`]`);
  const naming = files.filter((file) => quoted.test(read(file)));
  expect(naming).toEqual(['instrumentation/src/version.ts']);
});
