import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { limits } from '../../../core/limits.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { checkDocumented } from '../support/documented.ts';

/** Notes on consumers, on a real collector and analyzer, by REST and by the command line. */

const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
  const spans = ['app', 'app', 'partner', ''].map((consumer) =>
    serverSpan({
      name: 'GET /v1/users',
      attributes: [
        ...callTo('/v1/users'),
        ...(consumer === '' ? [] : [{ key: 'enduser.id', value: consumer }]),
        { key: 'user_agent.original', value: consumer === '' ? 'Googlebot/2.1' : 'okhttp/5.0' },
      ],
    }),
  );
  const attributes = [{ key: 'service.name', value: 'shop' }];
  const response = await fetch(`${rollcall.addresses.otlp_http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': protobufType },
    body: encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]),
  });
  expect(response.status).toBe(200);
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

// biome-ignore lint/suspicious/noExplicitAny: the assertions check the fields
async function api(path: string, init: RequestInit = {}): Promise<{ status: number; body: any }> {
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1${path}`, init);
  const text = await response.text();
  const body = text === '' ? undefined : JSON.parse(text);
  if (text !== '') checkDocumented(init.method ?? 'GET', path, response.status, body);
  return { status: response.status, body };
}
const put = (path: string, body: unknown) =>
  api(path, { method: 'PUT', body: typeof body === 'string' ? body : JSON.stringify(body) });

async function rows(query = ''): Promise<string[]> {
  const { body } = await api(`/consumers${query}`);
  return body.consumers.map(
    (row: Record<string, unknown>) =>
      `${row.consumer} ${row.named_by} ${row.calls} ${row.display_name} ${row.group} ${row.contact}`,
  );
}

describe('notes on consumers', () => {
  it('stand in the rows of those that call, and nowhere else', async () => {
    expect(await rows()).toEqual(
      [
        'app span 2 null null null',
        'partner span 1 null null null',
        'Googlebot agent 1 null null null',
      ].toSorted((a, b) => Number(b.split(' ')[2]) - Number(a.split(' ')[2]) || (a < b ? -1 : 1)),
    );
    const told = { display_name: 'The app', group: 'mobile', contact: 'ada@example.com' };
    expect(await put('/consumers/app', told)).toEqual({
      status: 200,
      body: { consumer: 'app', ...told },
    });
    expect((await put('/consumers/nobody%2Felse', { group: 'mobile' })).status).toBe(200);
    expect(await rows('?group=mobile')).toEqual(['app span 2 The app mobile ada@example.com']);
    const { body } = await api('/consumers?agents=bots');
    expect(body.consumers).toMatchObject([{ consumer: 'Googlebot', bot_calls: 1, share_pct: 25 }]);
  });

  it('are replaced as a whole, and removed', async () => {
    await put('/consumers/app', { display_name: 'App' });
    expect((await rows())[0]).toBe('app span 2 App null null');
    expect((await api('/consumers/app', { method: 'DELETE' })).status).toBe(204);
    expect((await rows())[0]).toBe('app span 2 null null null');
    const again = await api('/consumers/app', { method: 'DELETE' });
    expect([again.status, again.body.error.code]).toEqual([404, 'not_found']);
  });

  it('of many are written together, or none when one is wrong', async () => {
    const yaml = 'consumers:\n  app: {display_name: App}\n  partner:\n    group: b2b\n  quiet:\n';
    expect((await put('/consumers', yaml)).body).toEqual({ consumers: 3 });
    expect(await rows('?group=b2b')).toEqual(['partner span 1 null b2b null']);
    const wrong = await put('/consumers', 'consumers:\n  app: {group: x}\n  other: {grup: y}\n');
    expect(wrong.status).toBe(400);
    expect(wrong.body.error.message).toContain('consumers.other');
    expect((await rows())[0]).toBe('app span 2 App null null');
  });

  it.each([
    ['/consumers/app', 'display_name: [1]', 'display_name'],
    ['/consumers/app', '{"nickname":"x"}', 'body'],
    ['/consumers/app', JSON.stringify({ group: 'x'.repeat(201) }), 'group'],
    ['/consumers/app', '{"group": "x', 'body'],
    ['/consumers/app', '', 'body'],
    [`/consumers/${'x'.repeat(201)}`, '{}', 'name'],
    ['/consumers', '{"consumers": []}', 'consumers'],
    ['/consumers', '{"consumers": {"": {}}}', 'name'],
    ['/consumers', 'nothing', 'body'],
  ])('PUT %s with %j is refused, naming %s', async (path, body, field) => {
    const answer = await put(path, body);
    expect([answer.status, answer.body.error.field]).toEqual([400, field]);
  });

  it('are bounded', async () => {
    const names = Array.from({ length: limits.consumerNotes + 1 }, (_, n) => [`c${n}`, null]);
    const many = await put('/consumers', { consumers: Object.fromEntries(names) });
    expect([many.status, many.body.error.code]).toEqual([413, 'too_large']);
    const full = await put('/consumers', { consumers: Object.fromEntries(names.slice(1)) });
    expect(full.status).toBe(409);
    expect(full.body.error.message).toContain('at most 10000');
    expect((await rows())[0]).toBe('app span 2 App null null');
  });
});

describe('rollcall consumers', () => {
  const script = fileURLToPath(new URL('../../../cli/rollcall.mjs', import.meta.url));
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [script, 'consumers', ...args], {
      env: { ...process.env, ROLLCALL_KEY: '' },
    }).then(
      (said) => ({ code: 0, ...said }),
      (failed: { code: number; stdout: string; stderr: string }) => failed,
    );
  const there = () => ['--url', rollcall.addresses.analyzer!];

  it('writes down one and many, lists who calls, and forgets', async () => {
    const file = join(folder.path, 'consumers.yaml');
    writeFileSync(file, 'consumers:\n  app:\n    display_name: The app\n    group: mobile\n');
    expect((await run('put', '--file', file, ...there())).stderr).toContain('1 consumers are');
    await run('set', 'partner', '--group', 'b2b', '--contact', 'bo@example.com', ...there());
    const listed = await run('list', '--route', '/v1/*', ...there());
    const lines = listed.stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^CONSUMER +NAMED BY +NAME +GROUP +CALLS +ERRORS +ENDPOINTS +LAST CALL/,
    );
    expect(lines[1]).toMatch(/^app +span +The app +mobile +2 +0 +1 +20/);
    expect(lines).toHaveLength(4);
    expect(listed.stderr).toContain('4 calls');
    const json = await run('list', '--group', 'b2b', '--json', ...there());
    expect(JSON.parse(json.stdout).consumers).toMatchObject([{ contact: 'bo@example.com' }]);
    expect((await run('remove', 'partner', ...there())).code).toBe(0);
    const failed = await run('remove', 'partner', ...there());
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('no note')]);
  });

  it.each([[['set']], [['put']], [['forget']], [[]]])(
    '%j is a wrong command line',
    async (args) => {
      expect((await run(...args)).code).toBe(2);
    },
  );
});
