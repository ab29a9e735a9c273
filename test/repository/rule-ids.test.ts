import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** A reader who meets a rule's id opens its text in this repository. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

/** Ids in the first column of the two pages' tables, with the text beside them. */
const texts = new Map(
  ['docs/conformance.md', 'docs/extraction.md'].flatMap((page) =>
    Array.from(read(page).matchAll(/^\| ([HEPJRGLAX]\d{1,2}|[23](?:\.\d)?) \| ([^|]*) \|/gm)).map(
      ([, id, text]) => [id!, text!] as const,
    ),
  ),
);

const files = globSync(
  '{core,collector,analyzer,cli,instrumentation,test,docs,.ci}/**/*.{ts,tsx,mjs,cjs,md}',
  { cwd: root },
)
  .concat(['README.md', 'CHANGELOG.md', '.dependency-cruiser.cjs'])
  .filter((file) => !/node_modules|\/dist\/|test\/fixtures/.test(file));

it('the pages hold a text for every id', () => {
  expect(texts.size).toBeGreaterThanOrEqual(71 + 22 + 4);
  for (const [id, text] of texts) expect(text.length, id).toBeGreaterThanOrEqual('HTTP/1.1'.length);
});

it('every id that code, a test or a page cites has its text on one of the two pages', () => {
  expect(files.length).toBeGreaterThan(400);
  const unknown = files.flatMap((file) => {
    const source = read(file);
    const cited = [
      ...source.matchAll(/(?<![\w.#$%/-])([HEPJRGLA]\d{1,2}|X\d{1,2})(?![\w"'`%]|\.\w)/g),
      ...source.matchAll(/extraction\.md (\d(?:\.\d)?)/g),
    ].map(([, id]) => id!);
    return cited.filter((id) => !texts.has(id)).map((id) => `${file}: ${id}`);
  });
  expect(unknown).toEqual([]);
});

it('no file cites a collection of rules that is not in the repository', () => {
  const collection = ['OTLP', 'md'].join('.');
  expect(files.filter((file) => read(file).includes(collection))).toEqual([]);
});
