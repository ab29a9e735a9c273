import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** A measured figure names the command that prints it, in its paragraph or in the one before its table. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = globSync('docs/{decisions/0*,benchmarks}.md', { cwd: root });

/** CPU time, memory, bytes of something stored, a ratio of two runs. */
const measured = /\d ?µs\b|CPU-s\b|CPU-seconds? per|\bRSS\b.*\d|\bp(50|95|99) \d/;
const command = /`(npm run|npm test|node test\/)|\.test\.ts`/;

it.each(pages)('every measured figure of %s names its command', (page) => {
  const text = readFileSync(`${root}/${page}`, 'utf8');
  const withoutCommand: string[] = [];
  let named = false;
  for (const paragraph of text.split(/\n\n+/)) {
    // A section's command holds for its tables and lists.
    if (paragraph.startsWith('#')) named = false;
    if (command.test(paragraph)) named = true;
    if (measured.test(paragraph) && !named) withoutCommand.push(paragraph.slice(0, 120));
  }
  expect(withoutCommand).toEqual([]);
});

it.each(pages)('every command that %s names is there', (page) => {
  const text = readFileSync(`${root}/${page}`, 'utf8');
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  const missing = [
    ...[...text.matchAll(/`npm run ([\w:]+)/g)].filter(([, name]) => !(name! in scripts)),
    ...[...text.matchAll(/`node (test\/[\w./-]+)/g)].filter(([, file]) => {
      return !existsSync(`${root}/${file}`);
    }),
    ...[...text.matchAll(/`(test\/[\w./-]+\.ts)`/g)].filter(([, file]) => {
      return !existsSync(`${root}/${file}`);
    }),
  ];
  expect(missing.map(([named]) => named)).toEqual([]);
});
