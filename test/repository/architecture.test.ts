import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${root}/docs/ARCHITECTURE.md`, 'utf8');
const section = (title: string): string => {
  const start = page.indexOf(`\n## ${title}\n`);
  expect(start, `docs/ARCHITECTURE.md has no section ${title}`).toBeGreaterThan(0);
  return page.slice(start + 1, page.indexOf('\n## ', start + 1));
};
const map = section('Map of folders');
const glossary = section('Glossary');
const words = Array.from(glossary.matchAll(/^\| \*\*(\w+)\*\* \|/gm), ([, word]) => word!);

const sources = globSync('{core,collector,analyzer,cli,instrumentation,test}/**/*.{ts,tsx,mjs}', {
  cwd: root,
}).filter((file) => !/node_modules|\/dist\/|test\/fixtures/.test(file));

/** Every folder that holds code, without the data of tests. */
const folders = [...new Set(sources.map((file) => dirname(file)))].filter(
  (folder) => !/^test\/.+\/.+/.test(folder),
);
const productFolders = folders.filter((folder) => !folder.startsWith('test'));

it('the map of folders has one line for every folder that holds code', () => {
  expect(folders.length).toBeGreaterThan(30);
  for (const folder of folders) {
    const lines = map.split('\n').filter((line) => line.startsWith(`- \`${folder}/\` `));
    expect(lines, `docs/ARCHITECTURE.md has no line for ${folder}/`).toHaveLength(1);
  }
});

it('the page names no folder that is gone', () => {
  const named = [...page.matchAll(/`([a-z]+(?:\/[\w-]+)*)\/`/g)].map(([, folder]) => folder!);
  expect(named.length).toBeGreaterThan(60);
  for (const folder of named) {
    expect(globSync(`${folder}/*`, { cwd: root }), folder).not.toEqual([]);
  }
});

it('the page names no file that is gone', () => {
  const named = [...page.matchAll(/`([a-z]+\/[\w/.-]+\.[a-z]{2,4})`/g)].map(([, file]) => file!);
  expect(named.length).toBeGreaterThan(5);
  for (const file of named) expect(globSync(file, { cwd: root }), file).toEqual([file]);
});

it.each([["One span's way"], ["One query's way"]])('%s is a list of folders', (title) => {
  const steps = section(title).match(/^\d+\. .*$/gm) ?? [];
  expect(steps.length).toBeGreaterThan(5);
  for (const step of steps) expect(step).toMatch(/^\d+\. `(core|collector|analyzer)\/[a-z/]*\/`/);
});

it('the glossary has at most 25 words, each used in the code', () => {
  expect(words.length).toBeGreaterThan(15);
  expect(words.length).toBeLessThanOrEqual(25);
  expect(words).toEqual(words.toSorted());
  const code = sources
    .filter((file) => /^(core|collector|analyzer)\//.test(file))
    .map((file) => readFileSync(`${root}/${file}`, 'utf8').toLowerCase())
    .join('\n');
  // Verbs stand for their nouns in code: `compact` and `rolledUp`.
  const inCode: Record<string, string> = { compaction: 'compact', rollup: 'rollup' };
  for (const word of words) expect(code.includes(inCode[word] ?? word), word).toBe(true);
});

it("each folder's name is a word of the glossary or a standard name listed below it", () => {
  const below = glossary.slice(glossary.indexOf('Other folder names'));
  const standard = Array.from(below.matchAll(/`([a-z]+)`/g), ([, name]) => name!);
  const known = new Set([...words, ...standard]);
  const names = new Set(productFolders.flatMap((folder) => folder.split('/')));
  const isKnown = (name: string) => known.has(name) || known.has(name.replace(/s$/, ''));
  expect([...names].filter((name) => !isKnown(name))).toEqual([]);
  // Nothing is listed that no folder bears.
  expect(standard.filter((name) => !names.has(name))).toEqual([]);
});

it.each(productFolders)('%s holds at most 20 files', (folder) => {
  const files = globSync(`${folder}/*.{ts,tsx,mjs}`, { cwd: root });
  expect(files.length, files.join(' ')).toBeLessThanOrEqual(20);
});

it('the list of decisions names every decision', () => {
  const list = readFileSync(`${root}/docs/decisions/README.md`, 'utf8');
  const decisions = globSync('docs/decisions/0*.md', { cwd: root });
  expect(decisions.length).toBeGreaterThan(5);
  for (const file of decisions) expect(list).toContain(`](${file.split('/').at(-1)}) |`);
});
