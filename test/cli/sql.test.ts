import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../core/store/sqlite/open.ts';
import { temporaryFolder } from '../support/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${root}/docs/sql.md`, 'utf8');
const [, session = ''] = /^```console\n(.*?)^```/ms.exec(page) ?? [];
const examples = session
  .split(/^\$ /m)
  .slice(1)
  .map((text) => {
    const [command = '', ...output] = text.split('\n');
    return { command, output: output.join('\n') };
  });

const folder = temporaryFolder();
const storePath = `${folder.path}/rollcall.db`;

beforeAll(() => {
  const fixture = readFileSync(`${root}/test/fixtures/store-0.1.0/store.db.gz`);
  writeFileSync(storePath, gunzipSync(fixture));
  openDatabase(storePath, 'write').close();
});
afterAll(() => folder.remove());

describe('rollcall sql', () => {
  it.each(examples)('answers as docs/sql.md shows: $command', async ({ command, output }) => {
    expect((await shell(command)).output).toBe(output);
  });

  it('has a session of at least five commands in docs/sql.md', () => {
    expect(examples.length).toBeGreaterThanOrEqual(5);
  });

  it('the table calls has the columns of docs/sql.md', async () => {
    const rows = [...page.matchAll(/^\| (`[^|]+) \|/gm)].map(([, names = '']) => names);
    const documented = rows.flatMap((names) => [...names.matchAll(/`(\w+)`/g)].map(([, n]) => n));
    const { output } = await ask('SELECT * FROM calls LIMIT 1', '--format', 'csv');
    expect(output.split('\n')[0]!.split(',').toSorted()).toEqual(documented.toSorted());
  });

  it.each([
    ["INSERT INTO meta VALUES ('x', 1)", /begins with SELECT/],
    ["WITH a AS (SELECT 1) INSERT INTO meta SELECT 'x', 1 FROM a", /would change something/],
    ['WITH a AS (SELECT 1) DELETE FROM meta RETURNING 1', /would change something/],
    ['/* SELECT */ -- SELECT\n DROP TABLE meta', /this one with "DROP"/],
    ["ATTACH '/etc/passwd' AS other", /this one with "ATTACH"/],
    ['PRAGMA writable_schema = ON', /this one with "PRAGMA"/],
    ['EXPLAIN PRAGMA journal_mode = DELETE', /this one with "PRAGMA"/],
    ["EXPLAIN QUERY PLAN ATTACH 'x' AS y", /this one with "ATTACH"/],
    ["VACUUM INTO 'copy.db'", /this one with "VACUUM"/],
    ["SELECT load_extension('evil')", /not authorized/],
    ["SELECT readfile('/etc/passwd')", /no such function: readfile/],
    ["SELECT writefile('x', 'y')", /no such function: writefile/],
    ["SELECT fts3_tokenizer('simple', x'0000000000000000')", /no such function|disabled|error/i],
    ['SELECT 1; DROP TABLE meta', /more than one statement/],
    ['', /begins with SELECT/],
    ['SELECT naught FROM calls', /no such column: naught/],
  ])('a question cannot change the store or read other files: %.60s', async (question, message) => {
    const before = readFileSync(storePath);
    const { output, code } = await ask(question);
    expect(output).toMatch(message);
    expect(code).toBe(1);
    expect(readFileSync(storePath).equals(before)).toBe(true);
    expect(existsSync(`${root}/copy.db`)).toBe(false);
  });

  it('a question that sorts without end is ended by time, and one that fills memory by its bound', async () => {
    const endless = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)';
    const sorting = `${endless} SELECT i FROM n ORDER BY -i`;
    expect(await ask(sorting, '--seconds', '1')).toEqual({
      code: 1,
      output:
        'rollcall: the question took more than 1 s and was ended; ask for less, or allow more time\n',
    });
    const filling = `${endless} SELECT randomblob(20000000) FROM n ORDER BY 1`;
    expect(await ask(filling, '--seconds', '50')).toEqual({
      code: 1,
      output: 'rollcall: the question was ended: more than 1024 MiB of memory\n',
    });
  });

  it('an answer without end is cut at its rows, or at 64 MiB', async () => {
    const endless = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT';
    const { output, code } = await ask(`${endless} i FROM n`, '--rows', '3');
    expect(output).toBe('i\n1\n2\n3\nrollcall: there are more rows than these 3; --rows\n');
    expect(code).toBe(0);
    const large = await ask(`${endless} hex(zeroblob(10000000)) AS h FROM n`, '--format', 'csv');
    expect(large.code).toBe(0);
    expect(large.output).toMatch(/there are more rows than these 3; --rows\n$/);
  });

  it('shows exact integers and blobs, and escapes what a terminal would act on', async () => {
    const question =
      "SELECT 9007199254740993 AS n, x'00ff' AS b, char(27) || '[31m' || char(8238) AS e, NULL AS naught, '=1+1' AS f, 'a\"b' AS q";
    expect((await ask(question, '--format', 'csv')).output).toBe(
      `n,b,e,naught,f,q\n9007199254740993,00ff,\\u001b[31m\\u202e,,'=1+1,"a""b"\n`,
    );
    expect((await ask(question, '--format', 'ndjson')).output).toBe(
      '{"n":9007199254740993,"b":"00ff","e":"\\u001b[31m\\u202e","naught":null,"f":"=1+1","q":"a\\"b"}\n',
    );
  });

  it.each([
    [['sql'], /lacks its question/],
    [['sql', 'SELECT 1', '--rows', '0'], /--rows 0 must be a whole number from 1 to 1000000/],
    [['sql', 'SELECT 1', '--seconds', 'x'], /--seconds x must be/],
    [['sql', 'SELECT 1', '--format', 'xml'], /--format xml must be one of table, csv, ndjson/],
  ])('a wrong command line has exit code 2: %j', async (args, message) => {
    const { output, code } = await rollcall(args);
    expect(output).toMatch(message);
    expect(code).toBe(2);
  });

  it('a store that does not exist is named, and not made', async () => {
    const missing = `${folder.path}/missing.db`;
    const { output, code } = await rollcall(['sql', 'SELECT 1', '--store', `sqlite:${missing}`]);
    expect(output).toBe(`rollcall: there is no store at ${missing}\n`);
    expect(code).toBe(1);
    expect(existsSync(missing)).toBe(false);
  });
});

interface Said {
  code: number;
  /** Standard output and error together, without the CR of CSV. */
  output: string;
}

function ask(question: string, ...flags: string[]): Promise<Said> {
  return rollcall(['sql', question, ...flags]);
}

function rollcall(args: string[]): Promise<Said> {
  return end(process.execPath, ['cli/rollcall.mjs', ...args]);
}

/** A command as a reader types it. */
function shell(command: string): Promise<Said> {
  const own = `rollcall() { "${process.execPath}" cli/rollcall.mjs "$@"; }; ${command} 2>&1`;
  return end('sh', ['-c', own]);
}

function end(program: string, args: string[]): Promise<Said> {
  const env = { ...process.env, ROLLCALL_STORE: `sqlite:${storePath}`, NODE_ENV: 'production' };
  return new Promise((resolve) => {
    const options = { cwd: root, env, maxBuffer: 2 ** 28 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, output: `${stdout}${stderr}`.replaceAll('\r', '') });
    });
  });
}
