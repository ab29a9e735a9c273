import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeCoverage } from 'node:v8';
import { afterEach, beforeEach } from 'vitest';

/**
 * With NODE_V8_COVERAGE, divides the coverage of a test file by test: folder `1` gets the first test's, with its name.
 * Coverage of imports, of hooks and of threads that end late goes to the folder `all`: it belongs to every test of the
 * file. Threads and processes write their coverage when they end.
 */
const folder = process.env.NODE_V8_COVERAGE;
let count = 0;

if (folder !== undefined) {
  beforeEach(() => {
    takeCoverage();
    moveCoverage(folder, 'all');
  });

  afterEach(({ task }) => {
    takeCoverage();
    count += 1;
    moveCoverage(folder, String(count));
    writeFileSync(join(folder, String(count), 'test.txt'), task.fullTestName);
  });
}

function moveCoverage(from: string, name: string): void {
  const to = join(from, name);
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from)) {
    if (file.endsWith('.json')) renameSync(join(from, file), join(to, file));
  }
}
