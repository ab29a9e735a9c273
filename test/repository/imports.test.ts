import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** The import directions are only worth something if the checker reads every file and every import. */
it('the import checker sees every import of every source file', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  expect(scripts.imports).toMatch(/^depcruise /);
  const script = `${scripts.imports.replace('depcruise', 'node_modules/.bin/depcruise')} -T json`;
  const { modules } = JSON.parse(execFileSync('sh', ['-c', script], options)) as {
    modules: { source: string; dependencies: { module: string }[] }[];
  };
  const seen = new Map(modules.map((m) => [m.source, m.dependencies.map((d) => d.module)]));
  const files = globSync('{core,collector,analyzer,cli,instrumentation/src,test}/**/*.{ts,tsx}', {
    cwd: root,
  });
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    const source = readFileSync(`${root}/${file}`, 'utf8');
    const imports = [...source.matchAll(/^(?:import|export|\}).*? from '([^']+)';$/gm)];
    const names = imports.map(([, name]) => plain(name!));
    expect(seen.get(file)?.map(plain), file).toEqual(expect.arrayContaining(names));
  }
});

/** The checker names some of Node's own modules with their prefix and some without. */
const plain = (name: string): string => name.replace(/^node:/, '');
