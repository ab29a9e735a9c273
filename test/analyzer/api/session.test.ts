import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authorizer, authorizerOf } from '../../../core/auth/authorizer.ts';
import { newKey, type Scope } from '../../../core/key.ts';
import type { KeyStore } from '../../../core/store/keys.ts';
import { openSqliteKeys } from '../../../core/store/sqlite/keys.ts';
import { temporaryFolder } from '../../support/process.ts';
import { call, type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

const hourMs = 3_600_000;
const operatorKey = 'the-operator-has-chosen-this-one-well';
let folder: ReturnType<typeof temporaryFolder>;
let keys: KeyStore;
let authorizer: Authorizer;
let door: ListenOptions;
let clockMs = nowMs;

beforeAll(async () => {
  folder = temporaryFolder();
  keys = await openSqliteKeys(`${folder.path}/rollcall.db`);
  authorizer = authorizerOf({ auth: 'keys', adminKey: operatorKey, keys: async () => keys });
  const tenancy = { authorizer, keys: async () => keys };
  const options = { auth: 'keys' as const, now: () => clockMs };
  door = await openDoor(oracleReader([call()]), nowMs, tenancy, undefined, options);
  await keys.createProject('default').catch(() => undefined);
});
afterAll(async () => {
  await door.close();
  await authorizer.close();
  await keys.close();
  folder.remove();
});

async function makeKey(scope: Scope): Promise<{ id: string; text: string }> {
  const { id, text, digest, prefix } = newKey();
  await keys.createKey('default', { id, scope, digest, prefix, createdS: 1 });
  return { id, text };
}

const ownPage = { 'x-rollcall-page': '1' };

async function signIn(key: string, headers: Record<string, string> = ownPage) {
  const response = await door.fetch('/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'Browser/1', ...headers },
    body: JSON.stringify({ key }),
  });
  const set = response.headers.get('set-cookie') ?? '';
  return { status: response.status, set, cookie: set.split(';')[0]!, body: await response.json() };
}

const withCookie = (cookie: string, more: Record<string, string> = {}) => ({
  headers: { cookie, ...more },
});

describe('signing in with a key', () => {
  it('sets a cookie that holds no key, is HttpOnly and SameSite=Strict, and opens the reports', async () => {
    const { text } = await makeKey('read');
    const { status, set, cookie, body } = await signIn(text);
    expect(status).toBe(201);
    expect(body).toEqual({ project: 'default', scope: 'read' });
    expect(set).toMatch(
      /^rollcall_session_\d+=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(set).not.toContain(text.slice(8));
    const answer = await door.fetch('/api/v1/report', withCookie(cookie));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ summary: { total_requests: 1 } });
    expect((await door.fetch('/api/v1/report')).status).toBe(401);
  });

  it('lets the operator make projects and keys, and read nothing', async () => {
    const { status, cookie, body } = await signIn(operatorKey);
    expect([status, body]).toEqual([201, { project: null, scope: 'operator' }]);
    const session = await (await door.fetch('/session', withCookie(cookie))).json();
    expect(session).toMatchObject({ user: { project: null, scope: 'operator' } });
    expect((await door.fetch('/sessions', withCookie(cookie))).status).toBe(200);
    expect((await door.fetch('/api/v1/report', withCookie(cookie))).status).toBe(403);
    expect((await door.fetch('/api/v1/projects', withCookie(cookie))).status).toBe(200);
    const create = (headers: Record<string, string>) =>
      door.fetch('/api/v1/projects', {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ name: 'made-by-session' }),
      });
    expect((await create({})).status).toBe(403);
    expect((await create(ownPage)).status).toBe(201);
    const { text } = await makeKey('admin');
    const other = await signIn(text);
    expect((await door.fetch('/api/v1/projects', withCookie(other.cookie))).status).toBe(403);
  });

  it('marks the cookie Secure behind a proxy that speaks TLS', async () => {
    const { text } = await makeKey('read');
    const { set } = await signIn(text, { ...ownPage, 'x-forwarded-proto': 'https' });
    expect(set).toMatch(/; Secure$/);
  });

  it('says who is signed in, and nothing of the configuration to others', async () => {
    const { text } = await makeKey('admin');
    const { cookie } = await signIn(text);
    const before = await (await door.fetch('/session')).json();
    expect(before).toMatchObject({ auth: 'keys', user: null, settings: null });
    const after = await (await door.fetch('/session', withCookie(cookie))).json();
    expect(after).toMatchObject({
      user: { project: 'default', scope: 'admin' },
      settings: { dead_after_days: 30 },
    });
    expect(JSON.stringify(after)).not.toContain('rck_');
  });

  it.each([
    ['a wrong key', 'rck_wrong', 401, 'unauthenticated'],
    ['an empty key', '', 400, 'invalid'],
  ])('refuses %s', async (_name, key, status, code) => {
    const refused = await signIn(key);
    expect(refused).toMatchObject({ status, set: '', body: { error: { code } } });
  });

  it('refuses a key that may only send', async () => {
    const { text } = await makeKey('ingest');
    expect(await signIn(text)).toMatchObject({ status: 403, set: '' });
  });

  it('ends on signing out, and the same cookie opens nothing any more', async () => {
    const { text } = await makeKey('read');
    const { cookie } = await signIn(text);
    const out = await door.fetch('/session', { method: 'DELETE', ...withCookie(cookie, ownPage) });
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toMatch(/=; Max-Age=0; /);
    expect((await door.fetch('/api/v1/report', withCookie(cookie))).status).toBe(401);
  });

  it('ends when the key is revoked', async () => {
    const { id, text } = await makeKey('read');
    const { cookie } = await signIn(text);
    await keys.revoke('default', id, 2);
    await expect
      .poll(async () => (await door.fetch('/api/v1/report', withCookie(cookie))).status, {
        timeout: 2_000,
      })
      .toBe(401);
    expect(await (await door.fetch('/session', withCookie(cookie))).json()).toMatchObject({
      user: null,
    });
  });

  it('ends 12 hours after its last use, and 7 days after it began', async () => {
    const { text } = await makeKey('read');
    const status = async (cookie: string) =>
      (await door.fetch('/api/v1/services', withCookie(cookie))).status;
    const idle = await signIn(text);
    clockMs += 11.9 * hourMs;
    expect(await status(idle.cookie)).toBe(200);
    clockMs += 12 * hourMs;
    expect(await status(idle.cookie)).toBe(401);
    const busy = await signIn(text);
    for (let hours = 0; hours < 7 * 24 - 10; hours += 10) {
      clockMs += 10 * hourMs;
      expect(await status(busy.cookie), `after ${hours + 10} h`).toBe(200);
    }
    clockMs += 10 * hourMs;
    expect(await status(busy.cookie)).toBe(401);
    clockMs = nowMs;
  });

  it('lists the sessions of one key, and ends another one of them by its id', async () => {
    const { text } = await makeKey('read');
    const [first, second] = [await signIn(text), await signIn(text)];
    const stranger = await signIn((await makeKey('read')).text);
    const list = async (cookie: string): Promise<Record<string, unknown>[]> =>
      ((await (await door.fetch('/sessions', withCookie(cookie))).json()) as { sessions: [] })
        .sessions;
    const listed = await list(second.cookie);
    expect(listed).toHaveLength(2);
    expect(listed[0]).toMatchObject({ current: true, agent: 'Browser/1', address: '127.0.0.1' });
    const other = listed.find(({ current }) => current === false)!;
    const end = (cookie: string) =>
      door.fetch(`/sessions/${String(other.id)}`, {
        method: 'DELETE',
        ...withCookie(cookie, ownPage),
      });
    expect((await end(stranger.cookie)).status).toBe(404);
    expect((await end(second.cookie)).status).toBe(204);
    expect((await door.fetch('/api/v1/report', withCookie(first.cookie))).status).toBe(401);
    expect((await door.fetch('/api/v1/report', withCookie(second.cookie))).status).toBe(200);
  });
});

describe('requests of other pages through a signed-in browser', () => {
  it.each([
    ['without the page’s header', {}],
    ['from another site', { ...ownPage, 'sec-fetch-site': 'cross-site' }],
    ['from another port of this host', { ...ownPage, 'sec-fetch-site': 'same-site' }],
  ])('are refused when they change something: %s', async (_name, headers) => {
    const { text } = await makeKey('admin');
    const { cookie } = await signIn(text);
    const before = (await keys.listKeys('default')).length;
    const json = { 'content-type': 'application/json', ...headers };
    const made = await door.fetch('/api/v1/keys', {
      method: 'POST',
      ...withCookie(cookie, json),
      body: '{"scope":"ingest"}',
    });
    expect(made.status).toBe(403);
    expect((await keys.listKeys('default')).length).toBe(before);
    const out = await door.fetch('/session', { method: 'DELETE', ...withCookie(cookie, headers) });
    expect(out.status).toBe(403);
    expect((await signIn(text, headers)).status).toBe(403);
    expect((await door.fetch('/api/v1/report', withCookie(cookie))).status).toBe(200);
  });

  it('an admin’s own page makes a key', async () => {
    const { cookie } = await signIn((await makeKey('admin')).text);
    const made = await door.fetch('/api/v1/keys', {
      method: 'POST',
      ...withCookie(cookie, { ...ownPage, 'content-type': 'application/json' }),
      body: '{"scope":"ingest"}',
    });
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ project: 'default', scope: 'ingest' });
  });

  it('a key in a header goes before the cookie', async () => {
    const { cookie } = await signIn((await makeKey('read')).text);
    const wrong = withCookie(cookie, { authorization: 'Bearer rck_wrong' });
    expect((await door.fetch('/api/v1/report', wrong)).status).toBe(401);
  });
});

it('wrong keys are bounded as at every other door: the 101st of a minute is 429', async () => {
  const own = authorizerOf({ auth: 'keys', adminKey: undefined, keys: async () => keys });
  const options = { auth: 'keys' as const };
  const tenancy = { authorizer: own, keys: async () => keys };
  const other = await openDoor(oracleReader([]), nowMs, tenancy, undefined, options);
  const tryOne = async () => {
    const response = await other.fetch('/session', {
      method: 'POST',
      headers: { ...ownPage, 'content-type': 'application/json' },
      body: '{"key":"rck_guess"}',
    });
    return response.status;
  };
  for (let times = 0; times < 100; times += 1) expect(await tryOne()).toBe(401);
  expect(await tryOne()).toBe(429);
  await other.close();
});

it('with authentication off there is one user and nothing to sign in to', async () => {
  const open = await openDoor(oracleReader([]), nowMs);
  expect(await (await open.fetch('/session')).json()).toEqual({
    auth: 'off',
    version: '0.0.0',
    build: null,
    collector: { scheme: 'http', http_port: 4318, grpc_port: 4317 },
    user: { project: 'default', scope: 'read', expires_at: null },
    settings: { dead_after_days: 30 },
  });
  await open.close();
});
