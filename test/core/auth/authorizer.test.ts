import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Authorizer, authorizerOf } from '../../../core/auth/authorizer.ts';
import type { Credentials } from '../../../core/auth/credentials.ts';
import { digestOf, newKey, type Scope } from '../../../core/key.ts';
import { limits } from '../../../core/limits.ts';
import type { KeyStore } from '../../../core/store/keys.ts';
import { openSqliteKeys } from '../../../core/store/sqlite/keys.ts';
import { temporaryFolder } from '../../support/process.ts';

const adminKey = 'the-operator-has-chosen-this-one-well';
const address = '192.0.2.1';
const sent = (text: string, from = address): Credentials => ({
  authorization: `Bearer ${text}`,
  apiKey: undefined,
  address: from,
});

let folder: ReturnType<typeof temporaryFolder>;
let store: KeyStore;
let authorizer: Authorizer;
let nowMs: number;
/** What the authorizer asked of the store. */
let asked: string[];

beforeEach(async () => {
  folder = temporaryFolder();
  nowMs = 1_790_000_000_000;
  asked = [];
  store = await openSqliteKeys(`${folder.path}/rollcall.db`);
  const watched = new Proxy(store, {
    get(target, name: keyof KeyStore) {
      // A promise that is resolved with it asks whether it is one itself.
      if (typeof target[name] !== 'function') return undefined;
      return (...args: unknown[]) => {
        asked.push(name);
        return (target[name] as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  authorizer = authorizerOf({
    auth: 'keys',
    adminKey,
    keys: async () => watched,
    now: () => nowMs,
  });
});
afterEach(async () => {
  await authorizer.close();
  await store.close();
  folder.remove();
});

async function make(scope: Scope, project = 'default') {
  const { id, text, digest, prefix } = newKey();
  await store.createKey(project, { id, scope, digest, prefix, createdS: nowMs / 1000 });
  return { id, text };
}

const holders = {
  ingest: 'ingest',
  read: 'read or admin',
  declare: 'ingest or admin',
  decide: 'admin',
  describe: 'admin',
};

const refusal = (code: string) => expect.objectContaining({ code });

describe('an authorizer with keys', () => {
  it.each([
    ['ingest', ['ingest', 'declare']],
    ['read', ['read']],
    ['admin', ['read', 'declare', 'decide', 'describe']],
  ] as const)('lets a key with scope %s do %j alone', async (scope, may) => {
    await store.createProject('shop');
    const { text } = await make(scope, 'shop');
    for (const action of ['ingest', 'read', 'declare', 'decide', 'describe'] as const) {
      const answer = authorizer.project(sent(text), action);
      if ((may as readonly string[]).includes(action)) expect(await answer).toBe('shop');
      else {
        await expect(answer).rejects.toMatchObject({
          code: 'forbidden',
          message: `a key with scope ${scope} may not ${action}; scope ${holders[action]} may`,
        });
      }
    }
    const administrator = authorizer.administrator(sent(text));
    if (scope === 'admin')
      expect(await administrator).toEqual({ isOperator: false, project: 'shop' });
    else {
      await expect(administrator).rejects.toMatchObject({
        code: 'forbidden',
        message: `a key with scope ${scope} may not administer keys; scope admin may`,
      });
    }
  });

  it('lets the operator administer everything, and see or send nothing', async () => {
    expect(await authorizer.administrator(sent(adminKey))).toEqual({ isOperator: true });
    await expect(authorizer.project(sent(adminKey), 'read')).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('ROLLCALL_ADMIN_KEY belongs to no project'),
    });
    await expect(authorizer.project(sent(adminKey), 'ingest')).rejects.toEqual(
      refusal('forbidden'),
    );
  });

  it('refuses wrong keys, none, and every part of a good one', async () => {
    const { text } = await make('read');
    const wrong = [
      newKey().text,
      text.slice(0, -1),
      `${text}A`,
      text.slice(0, 12),
      adminKey.slice(1),
    ];
    for (const key of wrong) {
      await expect(authorizer.project(sent(key), 'read')).rejects.toMatchObject({
        code: 'unauthenticated',
        message: 'the key is not known here: wrong, rotated or revoked',
      });
    }
    const nothing = { authorization: undefined, apiKey: undefined, address };
    await expect(authorizer.project(nothing, 'read')).rejects.toEqual(refusal('unauthenticated'));
  });

  it('takes a key as soon as it is made, and asks the store no more while it is good', async () => {
    const first = await make('read');
    expect(await authorizer.project(sent(first.text), 'read')).toBe('default');
    asked = [];
    for (let i = 0; i < 1000; i++) await authorizer.project(sent(first.text), 'read');
    expect(asked).toEqual([]);
    const second = await make('read');
    expect(await authorizer.project(sent(second.text), 'read')).toBe('default');
    expect(asked).toEqual(['version', 'activeKeys']);
  });

  it('forgets a revoked or rotated key within its time, at one cheap question each', async () => {
    const [revoked, rotated, kept] = [await make('read'), await make('read'), await make('read')];
    for (const { text } of [revoked, rotated, kept]) await authorizer.project(sent(text), 'read');
    await store.revoke('default', revoked.id, nowMs / 1000);
    const next = newKey();
    await store.rotate('default', rotated.id, next, nowMs / 1000);
    asked = [];
    nowMs += limits.keyCheckMs;
    for (const { text } of [revoked, rotated]) {
      await expect(authorizer.project(sent(text), 'read')).rejects.toEqual(
        refusal('unauthenticated'),
      );
    }
    expect(await authorizer.project(sent(kept.text), 'read')).toBe('default');
    expect(await authorizer.project(sent(next.text), 'read')).toBe('default');
    expect(asked.filter((name) => name === 'activeKeys')).toHaveLength(1);
    expect(limits.keyCheckMs).toBeLessThan(1000);
  });

  it('does not trust its memory when the clock is set back', async () => {
    const { id, text } = await make('read');
    await authorizer.project(sent(text), 'read');
    await store.revoke('default', id, nowMs / 1000);
    nowMs -= 3_600_000;
    await expect(authorizer.project(sent(text), 'read')).rejects.toEqual(
      refusal('unauthenticated'),
    );
  });

  it('writes the last use once a minute', async () => {
    const { id, text } = await make('read');
    const written = () => asked.filter((name) => name === 'touch').length;
    for (let s = 0; s < 59; s++) {
      await authorizer.project(sent(text), 'read');
      nowMs += 1000;
    }
    await authorizer.close();
    expect(written()).toBe(1);
    const [key] = await store.listKeys('default');
    expect(key).toMatchObject({ id, lastUsedS: 1_790_000_000 });
    nowMs += 1000;
    await authorizer.project(sent(text), 'read');
    await authorizer.close();
    expect(written()).toBe(2);
    expect(await store.listKeys('default')).toMatchObject([{ lastUsedS: 1_790_000_060 }]);
  });
});

it('a session whose key was revoked is told to sign in again, and that is no guess', async () => {
  const { id } = await make('read');
  const [key] = (await store.activeKeys()).keys;
  const session = { ...sent('unused'), keyDigest: Buffer.from(key!.digest) };
  expect(await authorizer.project(session, 'read')).toBe('default');
  await store.revoke('default', id, nowMs / 1000);
  nowMs += 500;
  for (let i = 0; i < 101; i += 1) {
    await expect(authorizer.project(session, 'read')).rejects.toMatchObject({
      code: 'unauthenticated',
      message: 'the key of this session was rotated or revoked: sign in again',
    });
  }
});

it('a session of ROLLCALL_ADMIN_KEY lasts while that is the key, and any other is no guess', async () => {
  const session = { ...sent('unused'), keyDigest: digestOf(adminKey) };
  expect(await authorizer.administrator(session)).toEqual({ isOperator: true });
  await expect(authorizer.project(session, 'read')).rejects.toEqual(refusal('forbidden'));
  const changed = authorizerOf({ auth: 'keys', adminKey: 'another', keys: async () => store });
  for (let i = 0; i < 101; i += 1) {
    await expect(changed.administrator(session)).rejects.toMatchObject({
      code: 'unauthenticated',
      message: 'the key of this session was rotated or revoked: sign in again',
    });
  }
});

it('without ROLLCALL_ADMIN_KEY no key administers all projects', async () => {
  const keyless = authorizerOf({
    auth: 'keys',
    adminKey: undefined,
    keys: async () => store,
    now: () => nowMs,
  });
  for (const text of ['undefined', '', adminKey]) {
    await expect(keyless.administrator(sent(text))).rejects.toEqual(refusal('unauthenticated'));
  }
});

describe('wrong keys of one address', () => {
  const wrong = (from = address) => authorizer.project(sent(newKey().text, from), 'read');
  const spend = async (from = address) => {
    for (let i = 0; i < limits.failedKeys; i++) {
      await expect(wrong(from)).rejects.toEqual(refusal('unauthenticated'));
    }
  };

  it('are refused beyond a bound, without a question, until the window is over', async () => {
    await spend();
    asked = [];
    nowMs += 10_000;
    await authorizer.project(sent((await make('read')).text), 'read');
    asked = [];
    await expect(wrong()).rejects.toMatchObject({
      code: 'throttled',
      retryAfterS: limits.failedKeysS - 10,
      message: expect.stringContaining(address),
    });
    expect(asked).toEqual([]);
    await expect(wrong('192.0.2.2')).rejects.toEqual(refusal('unauthenticated'));
    nowMs += limits.failedKeysS * 1000;
    await expect(wrong()).rejects.toEqual(refusal('unauthenticated'));
  });

  it('never lock out a good key of the same address, but do the key that a person chose', async () => {
    const { text } = await make('read');
    await spend();
    expect(await authorizer.project(sent(text), 'read')).toBe('default');
    await expect(authorizer.administrator(sent(adminKey))).rejects.toEqual(refusal('throttled'));
    expect(await authorizer.administrator(sent(adminKey, '192.0.2.2'))).toEqual({
      isOperator: true,
    });
  });

  it('count for the whole network of an IPv6 host', async () => {
    await spend('2001:db8:1:2::1');
    await expect(wrong('2001:db8:1:2:3:4:5:6')).rejects.toMatchObject({
      code: 'throttled',
      message: expect.stringContaining('2001:db8:1:2::/64'),
    });
    await expect(wrong('2001:db8:1:3::1')).rejects.toEqual(refusal('unauthenticated'));
    await spend('fe80::1%eth0');
    await expect(wrong('fe80::2')).rejects.toEqual(refusal('throttled'));
    await spend('::ffff:192.0.2.9');
    await expect(wrong('::ffff:192.0.2.10')).rejects.toEqual(refusal('unauthenticated'));
  });
});

it('an authorizer without keys lets everybody in, and administers nothing', async () => {
  const open = authorizerOf({
    auth: 'off',
    adminKey: undefined,
    keys: () => Promise.reject(new Error()),
  });
  const nobody = { authorization: undefined, apiKey: undefined, address: '' };
  expect(await open.project(nobody, 'ingest')).toBe('default');
  expect(await open.project(sent('anything'), 'read')).toBe('default');
  await expect(open.administrator(nobody)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('authentication is off'),
  });
});

it('a store that cannot be read lets nobody in', async () => {
  const keys = () => openSqliteKeys(`${folder.path}/rollcall.db/not-a-folder/x.db`);
  const closed = authorizerOf({ auth: 'keys', adminKey, keys });
  await expect(closed.project(sent('rck_x'), 'read')).rejects.toEqual(refusal('unavailable'));
  await expect(closed.administrator(sent(adminKey))).rejects.toEqual(refusal('unavailable'));
});
