// Restores package-lock.json after `npm install`: `npm run lockfile`. With --check it changes nothing, and ends with 1
// when the file needs it. Plain JavaScript without packages: it runs before `npm ci`, on the host's Node.
//
// npm 10 compiles a package with native sources unless its entry in the lockfile says `"gypfile": false`, and
// `npm install` removes that line. better-sqlite3 brings its binaries, and a host may have no compiler. npm 11 reads
// `allowScripts` in package.json instead.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Packages with native sources that also hold the compiled binaries. */
const prebuilt = ['node_modules/better-sqlite3'];

const path = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const before = readFileSync(path, 'utf8');
const lock = JSON.parse(before);
for (const name of prebuilt) {
  const { version, gypfile, ...rest } = lock.packages[name];
  lock.packages[name] = { version, gypfile: false, ...rest };
}
const after = `${JSON.stringify(lock, null, 2)}\n`;
if (after === before) {
  console.log('package-lock.json: npm compiles nothing');
} else if (process.argv.includes('--check')) {
  console.error('package-lock.json: npm 10 would compile better-sqlite3; run `npm run lockfile`');
  process.exitCode = 1;
} else {
  writeFileSync(path, after);
  console.log('package-lock.json: restored "gypfile": false');
}
