import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(`${root}/docs/ARCHITECTURE.md`, 'utf8');
const map = page.slice(page.indexOf('## Code map'), page.indexOf("## One span's way"));

/** `core/` … `docs/`: the part of the code map that begins with a room's name. */
function roomText(room: string): string {
  const start = map.indexOf(`\n\`${room}/\` `);
  expect(start, `${room}/ in the code map`).toBeGreaterThan(-1);
  const next = map.slice(start + 1).search(/\n\n`/);
  return next < 0 ? map.slice(start) : map.slice(start, start + 1 + next);
}

it.each(['core', 'collector', 'analyzer', 'cli', 'test'])(
  'the code map of %s names no file that is gone',
  (room) => {
    const files = globSync(`${room}/**/*.{ts,mjs}`, { cwd: root }).map((file) => basename(file));
    const named = [...roomText(room).matchAll(/`[^`]*?([\w-]+\.(?:ts|mjs))`/g)].map(
      ([, name]) => name,
    );
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(files).toContain(name);
  },
);
