import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTenancy, type Tenancy, warnWithoutKeys } from '../../../core/auth/tenancy.ts';
import { AppError } from '../../../core/error.ts';
import { newKey } from '../../../core/key.ts';
import type { Log } from '../../../core/log.ts';
import type { ActiveKey, KeyStore } from '../../../core/store/keys.ts';
import { openSqliteKeys } from '../../../core/store/sqlite/keys.ts';
import { temporaryFolder } from '../../support/process.ts';

describe('the authorization of a service', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let path: string;

  beforeEach(() => {
    folder = temporaryFolder();
    path = `${folder.path}/rollcall.db`;
  });
  afterEach(() => folder.remove());

  const config = () => ({
    auth: 'keys' as const,
    adminKey: 'the-operator-has-chosen-this-one-well',
    store: { engine: 'sqlite' as const, path },
  });
  const sent = (text: string) => ({ authorization: undefined, apiKey: text, address: '::1' });

  it('checks the keys of its store, and writes their uses before the store is closed', async () => {
    const tenancy = openTenancy(config());
    const { id, text, digest, prefix } = newKey();
    const store = await tenancy.keys();
    expect(await tenancy.keys()).toBe(store);
    await store.createProject('shop');
    await store.createKey('shop', { id, scope: 'read', digest, prefix, createdS: 1 });
    expect(await tenancy.authorizer.project(sent(text), 'read')).toBe('shop');
    await tenancy.close();
    await expect((async () => store.version())()).rejects.toThrow();
    const after = await openSqliteKeys(path);
    const [key] = await after.listKeys('shop');
    await after.close();
    expect(key!.lastUsedS).toBeGreaterThan(1_700_000_000);
  });

  it('knows ROLLCALL_ADMIN_KEY', async () => {
    const tenancy = openTenancy(config());
    const operator = await tenancy.authorizer.administrator(sent(config().adminKey));
    await tenancy.close();
    expect(operator).toEqual({ isOperator: true });
  });

  it('lets every request in with authentication off', async () => {
    const tenancy = openTenancy({ ...config(), auth: 'off' });
    expect(await tenancy.authorizer.project(sent('anything'), 'ingest')).toBe('default');
    await tenancy.close();
  });
});

describe('a service whose store has no key', () => {
  const warning =
    'every request needs a key, and there is none yet: rollcall keys create --project NAME --scope ingest makes one';
  const one = [{ id: 'key_1' } as ActiveKey];

  /** The lines that are logged, and how often the store is asked. */
  async function warned(
    auth: 'off' | 'keys',
    adminKey: string | undefined,
    activeKeys: () => Promise<ActiveKey[]>,
  ) {
    const lines: string[] = [];
    let asked = 0;
    const store = {
      activeKeys: async () => {
        asked += 1;
        return { version: 1, keys: await activeKeys() };
      },
    } as unknown as KeyStore;
    const log = { warn: (line: string) => lines.push(line) } as unknown as Log;
    await warnWithoutKeys({ keys: async () => store } as Tenancy, { auth, adminKey }, log);
    return { lines, asked };
  }

  it('says how to make the first one, once', async () => {
    expect(await warned('keys', undefined, async () => [])).toEqual({ lines: [warning], asked: 1 });
  });

  it('says nothing when there is a key, or one is not needed', async () => {
    expect(await warned('keys', undefined, async () => one)).toEqual({ lines: [], asked: 1 });
    expect(await warned('keys', 'chosen', async () => [])).toEqual({ lines: [], asked: 0 });
    expect(await warned('off', undefined, async () => [])).toEqual({ lines: [], asked: 0 });
    expect(await warned('off', 'chosen', async () => [])).toEqual({ lines: [], asked: 0 });
  });

  it('says nothing while the store cannot be read, and does not hide another error', async () => {
    const failing = (error: Error) => warned('keys', undefined, () => Promise.reject(error));
    expect(await failing(new AppError('unavailable', 'locked'))).toEqual({ lines: [], asked: 1 });
    await expect(failing(new TypeError('a mistake'))).rejects.toThrow('a mistake');
  });
});
