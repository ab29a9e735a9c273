import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${root}/docs/ARCHITECTURE.md`, 'utf8');
const map = page.slice(page.indexOf('## Map of folders'), page.indexOf("## One span's way"));

/** Every folder that holds code, without the data of tests. */
const folders = [
  ...new Set(
    globSync('{core,collector,analyzer,cli,instrumentation,test}/**/*.{ts,tsx,mjs}', { cwd: root })
      .filter((file) => !/node_modules|\/dist\/|test\/fixtures/.test(file))
      .map((file) => dirname(file)),
  ),
].filter((folder) => !/^test\/.+\/.+/.test(folder));

it('the map of folders has one line for every folder that holds code', () => {
  expect(folders.length).toBeGreaterThan(30);
  for (const folder of folders) {
    expect(map, `docs/ARCHITECTURE.md has no line for ${folder}/`).toContain(`\n- \`${folder}/\``);
  }
});

it('the map of folders names no folder that is gone', () => {
  const named = [...map.matchAll(/^- `([^`]+)\/`/gm)].map(([, folder]) => folder!);
  expect(named.length).toBeGreaterThan(30);
  for (const folder of named) {
    expect(globSync(`${folder}/*`, { cwd: root }), folder).not.toEqual([]);
  }
});

it.each(folders.filter((folder) => !folder.startsWith('test')))(
  '%s holds at most 20 files',
  (folder) => {
    const files = globSync(`${folder}/*.{ts,tsx,mjs}`, { cwd: root });
    expect(files.length, files.join(' ')).toBeLessThanOrEqual(20);
  },
);
