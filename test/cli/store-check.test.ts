import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Database } from '../../core/store/sqlite/database.ts';
import { openDatabase } from '../../core/store/sqlite/open.ts';
import { temporaryFolder } from '../support/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = temporaryFolder();
const path = `${folder.path}/rollcall.db`;

beforeAll(() => {
  writeFileSync(path, gunzipSync(release()));
  openDatabase(path, 'write').close();
});
afterAll(() => folder.remove());

function release(): Buffer {
  return readFileSync(`${root}/test/fixtures/store-0.1.0/store.db.gz`);
}

function check(store: string): Promise<{ code: number; output: string; error: string }> {
  const args = ['cli/rollcall.mjs', 'check', '--store', `sqlite:${store}`];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root }, (failed, output, error) => {
      resolve({ code: Number(failed?.code ?? 0), output, error });
    });
  });
}

it('rollcall check reads a whole store and ends with 0 when nothing is damaged', async () => {
  const { code, output } = await check(path);
  expect(output).toMatch(
    /rollcall\.db: \d+ raw calls in 0 blocks and 0 commits, \d+ rows of usage; 0 damaged\n$/,
  );
  expect(code).toBe(0);
});

it('rollcall check names what is damaged and ends with 1', async () => {
  const db = new Database(path);
  db.exec("INSERT INTO commit_calls VALUES (9000, 1, 1, x'00010203040506070809', x'')");
  db.close();
  const { code, output } = await check(path);
  expect(output).toContain('damaged: commit of call 9000 is damaged: its checksum is');
  expect(output).toContain('; 1 damaged\n');
  expect(code).toBe(1);
});

it('rollcall check of a file that is not there ends with 1 and names it', async () => {
  const { code, error } = await check(`${folder.path}/none.db`);
  expect(error).toBe(`rollcall: there is no store at ${folder.path}/none.db\n`);
  expect(code).toBe(1);
});
