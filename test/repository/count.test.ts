import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = temporaryFolder();
afterAll(() => folder.remove());

/** Runs .ci/count.mjs on results of vitest's shape. */
async function count(files: Record<string, string[]>, failedSteps = 0, status = 'passed') {
  const testResults = Object.entries(files).map(([file, outcomes]) => ({
    name: `${root}/${file}`,
    status,
    assertionResults: outcomes.map((outcome, n) => ({ status: outcome, fullName: `test ${n}` })),
  }));
  writeFileSync(`${folder.path}/results.json`, JSON.stringify({ testResults }));
  return run(failedSteps);
}

function run(failedSteps: number) {
  const args = [`${root}/.ci/count.mjs`, `${folder.path}/results.json`, String(failedSteps)];
  return new Promise<{ code: number; lines: string[] }>((resolve) => {
    execFile(process.execPath, args, (error, stdout) => {
      resolve({ code: Number(error?.code ?? 0), lines: stdout.trim().split('\n') });
    });
  });
}

it('passed tests end with 0', async () => {
  const { code, lines } = await count({ 'test/a.test.ts': ['passed', 'passed'] });
  expect({ code, lines }).toEqual({ code: 0, lines: ['2 passed, 0 failed'] });
});

it.each(['skipped', 'pending', 'todo', 'disabled'])(
  'an unexpected test that is %s fails',
  async (outcome) => {
    const { code, lines } = await count({ 'test/a.test.ts': ['passed', outcome] });
    expect(code).toBe(1);
    expect(lines[0]).toBe('skipped (UNEXPECTED): test/a.test.ts > test 1');
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
  },
);

it('an expected skip is printed and does not fail', async () => {
  const { code, lines } = await count({ 'test/faults/disk-full.test.ts': ['passed', 'skipped'] });
  expect(code).toBe(0);
  expect(lines[0]).toMatch(/^skipped \(expected without the right to mount a small disk\): /);
  expect(lines.at(-1)).toBe('1 passed, 0 failed');
});

it('failed tests, failed steps, files that do not load and missing results end with 1', async () => {
  const failed = await count({ 'test/a.test.ts': ['passed', 'failed'] }, 1);
  expect(failed).toEqual({ code: 1, lines: ['1 passed, 1 failed'] });
  const step = await count({ 'test/a.test.ts': ['passed'] }, 2);
  expect(step).toEqual({ code: 1, lines: ['1 passed, 2 failed'] });
  const unloaded = await count({ 'test/a.test.ts': [] }, 0, 'failed');
  expect(unloaded).toEqual({ code: 1, lines: ['0 passed, 1 failed'] });
  writeFileSync(`${folder.path}/results.json`, '');
  expect(await run(1)).toEqual({ code: 1, lines: ['0 passed, 1 failed'] });
});

it('the files that may skip exist', () => {
  const named = [...readFileSync(`${root}/.ci/count.mjs`, 'utf8').matchAll(/'(test\/[^']+)': '/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, file] of named) expect(existsSync(`${root}/${file}`), file).toBe(true);
});
