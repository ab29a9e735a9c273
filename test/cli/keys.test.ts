import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../core/key.ts';
import type { KeyStore } from '../../core/store/keys.ts';
import { openSqliteKeys } from '../../core/store/sqlite/keys.ts';
import { temporaryFolder } from '../support/process.ts';

interface Said {
  code: number | null;
  /** What a script reads, apart from what a person does. */
  stdout: string;
  stderr: string;
}

let folder: ReturnType<typeof temporaryFolder>;
let store: KeyStore;
beforeEach(async () => {
  folder = temporaryFolder();
  store = await openSqliteKeys(`${folder.path}/rollcall.db`);
});
afterEach(async () => {
  await store.close();
  folder.remove();
});

function rollcall(...args: string[]): Promise<Said> {
  const script = fileURLToPath(new URL('../../cli/rollcall.mjs', import.meta.url));
  const path = `sqlite:${folder.path}/rollcall.db`;
  const store = args.includes('--store') ? [] : ['--store', path];
  const child = spawn(process.execPath, [script, 'keys', ...args, ...store]);
  const said: Said = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ ...said, code }));
  });
}

const digests = async () =>
  (await store.activeKeys()).keys.map(({ digest }) => Buffer.from(digest).toString('hex'));

describe('rollcall keys', () => {
  it('create makes the project and prints the key alone on its standard output', async () => {
    const made = await rollcall('create', '--project', 'shop', '--scope', 'ingest');
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^rck_[\w-]{43}\n$/) });
    const text = made.stdout.trim();
    expect(made.stderr).toMatch(/^project shop is created\nkey key_[0-9a-f]{16} of project shop/);
    expect(made.stderr).not.toContain(text);
    expect(await digests()).toEqual([digestOf(text).toString('hex')]);
    const again = await rollcall('create', '--project', 'shop', '--scope', 'read');
    expect(again.stderr).not.toContain('is created');
    expect(await store.listKeys('shop')).toMatchObject([{ scope: 'ingest' }, { scope: 'read' }]);
  });

  it('list shows every key and no secret', async () => {
    const none = await rollcall('list');
    expect(none).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^there are no keys yet/),
    });
    const made = await rollcall('create', '--project', 'shop', '--scope', 'read');
    await rollcall('create', '--project', 'default', '--scope', 'admin');
    const [key] = await store.listKeys('shop');
    await store.touch([{ project: 'shop', id: key!.id, usedS: 1_790_000_000 }]);
    const { stdout, code } = await rollcall('list');
    expect(code).toBe(0);
    const [head, ...rows] = stdout.trim().split('\n');
    expect(head!.split(/ {2,}/)).toEqual([
      'ID',
      'PROJECT',
      'SCOPE',
      'PREFIX',
      'CREATED',
      'ROTATED',
      'LAST USED',
      'REVOKED',
    ]);
    expect(rows).toHaveLength(2);
    const row = rows.find((line) => line.includes('shop'));
    expect(row).toContain(`${key!.id}  shop     read   ${key!.prefix}`);
    expect(row).toContain('2026-09-21T14:13Z');
    expect(stdout).not.toContain(made.stdout.trim());
    const own = await rollcall('list', '--project', 'shop');
    expect(own.stdout).not.toContain('default');
  });

  it('rotate prints another secret, revoke ends the key', async () => {
    const first = await rollcall('create', '--project', 'shop', '--scope', 'read');
    const [{ id } = { id: '' }] = await store.listKeys('shop');
    const second = await rollcall('rotate', id);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/^rck_[\w-]{43}\n$/) });
    expect(second.stdout).not.toBe(first.stdout);
    expect(await digests()).toEqual([digestOf(second.stdout.trim()).toString('hex')]);
    const revoked = await rollcall('revoke', id);
    expect(revoked).toMatchObject({ code: 0, stdout: '' });
    expect(revoked.stderr).toContain(`key ${id} of project shop is revoked`);
    expect(await digests()).toEqual([]);
    const late = await rollcall('rotate', id);
    expect(late.code).toBe(1);
    expect(late.stderr).toContain(`key ${id} is revoked`);
  });

  it('says what is not there', async () => {
    expect(await rollcall('list', '--project', 'nobody')).toMatchObject({
      code: 1,
      stderr: 'rollcall: there is no project "nobody"; create it first\n',
    });
    const elsewhere = `sqlite:${folder.path}/mistyped.db`;
    expect(await rollcall('list', '--store', elsewhere)).toMatchObject({
      code: 1,
      stderr: `rollcall: there is no store at ${folder.path}/mistyped.db\n`,
    });
    expect(existsSync(`${folder.path}/mistyped.db`)).toBe(false);
    expect(await rollcall('revoke', 'key_0123456789abcdef')).toMatchObject({
      code: 1,
      stderr: 'rollcall: there is no key key_0123456789abcdef\n',
    });
  });

  it.each([
    [['--log', 'info'], 'keys needs one of create, list, rotate, revoke'],
    [['make'], 'keys has no "make"'],
    [['create', '--scope', 'read'], 'needs --project NAME'],
    [['create', '--project', 'a b', '--scope', 'read'], '--project "a b" must be letters'],
    [['create', '--project', 'shop'], 'needs --scope one of ingest, read, admin'],
    [['create', '--project', 'shop', '--scope', 'all'], '--scope "all" must be one of'],
    [['revoke', 'rck_secret'], 'is not the id of a key'],
    [['rotate'], 'is not the id of a key'],
    [['list', '--scope', 'read'], '--scope'],
  ])('refuses %j with exit code 2', async (args, why) => {
    const { code, stdout, stderr } = await rollcall(...args);
    expect(stderr).toContain(why);
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect((await store.projects()).map(({ name }) => name)).toEqual(['default']);
  });
});
