import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KeyCache } from '../../../core/auth/key-cache.ts';
import { AppError } from '../../../core/error.ts';
import { digestOf } from '../../../core/key.ts';
import type { ActiveKey, KeyStore, KeyUse } from '../../../core/store/keys.ts';

/** The cache on a store in memory that counts its readers and can be locked. */
const nowS = 1_790_000_000;
let nowMs: number;
let version: number;
let keys: ActiveKey[];
let reads: string[];
let touched: KeyUse[][];
let locked: AppError | undefined;
/** Runs while the store writes uses. */
let meanwhile: (() => Promise<unknown>) | undefined;
let cache: KeyCache;

const store = {
  version: async () => {
    reads.push('version');
    return version;
  },
  activeKeys: async () => {
    reads.push('activeKeys');
    return { version, keys };
  },
  touch: async (uses: readonly KeyUse[]) => {
    await meanwhile?.();
    if (locked) throw locked;
    touched.push([...uses]);
  },
} as unknown as KeyStore;

function add(text: string, lastUsedS: number | null = null): Buffer {
  const digest = digestOf(text);
  keys = [...keys, { id: text, project: 'shop', scope: 'read', digest, lastUsedS }];
  version += 1;
  return digest;
}

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = nowS * 1000;
  version = 0;
  keys = [];
  reads = [];
  touched = [];
  locked = undefined;
  meanwhile = undefined;
  cache = new KeyCache(
    async () => store,
    () => nowMs,
  );
});
afterEach(() => {
  vi.useRealTimers();
});

test('a use is written after a second, and again a minute after the one before', async () => {
  const digest = add('one');
  await cache.find(digest, true);
  await vi.advanceTimersByTimeAsync(999);
  expect(touched).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(touched).toEqual([[{ project: 'shop', id: 'one', usedS: nowS }]]);
  nowMs += 59_999;
  await cache.find(digest, true);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(touched).toHaveLength(1);
  nowMs += 1;
  await cache.find(digest, true);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(touched[1]).toEqual([{ project: 'shop', id: 'one', usedS: nowS + 60 }]);
});

test('uses of a second are written together', async () => {
  const [one, two] = [add('one'), add('two')];
  await cache.find(one, true);
  await vi.advanceTimersByTimeAsync(500);
  await cache.find(two, true);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(500);
  expect(touched).toEqual([
    [
      { project: 'shop', id: 'one', usedS: nowS },
      { project: 'shop', id: 'two', usedS: nowS },
    ],
  ]);
});

test('what the store knows of the last use counts, also from another process', async () => {
  const digest = add('one', nowS - 30);
  await cache.find(digest, true);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(touched).toEqual([]);
  nowMs += 30_000;
  await cache.find(digest, true);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(touched).toHaveLength(1);
  // Another key is made, and the store does not yet know of this use: it is not written a second time.
  add('two');
  nowMs += 30_000;
  await cache.find(digest, true);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(touched).toHaveLength(1);
});

test('a locked store gets the uses later, the newest of each key', async () => {
  const [one, two] = [add('one'), add('two')];
  locked = new AppError('unavailable', 'locked');
  await cache.find(one, true);
  await cache.find(two, true);
  await vi.advanceTimersByTimeAsync(1_000);
  nowMs += 60_000;
  await cache.find(one, true);
  await vi.advanceTimersByTimeAsync(1_000);
  locked = undefined;
  await vi.advanceTimersByTimeAsync(1_000);
  const uses = touched.flat().sort((a, b) => a.id.localeCompare(b.id));
  expect(uses).toEqual([
    { project: 'shop', id: 'one', usedS: nowS + 60 },
    { project: 'shop', id: 'two', usedS: nowS },
  ]);
});

test('a use during a write that fails is newer than the uses that are written again', async () => {
  const digest = add('one');
  await cache.find(digest, true);
  locked = new AppError('unavailable', 'locked');
  meanwhile = async () => {
    meanwhile = undefined;
    nowMs += 60_000;
    await cache.find(digest, true);
  };
  await vi.advanceTimersByTimeAsync(1_000);
  locked = undefined;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(touched).toEqual([[{ project: 'shop', id: 'one', usedS: nowS + 60 }]]);
});

test('a use after the close starts no timer', async () => {
  const digest = add('one');
  await cache.close();
  await cache.find(digest, true);
  expect(vi.getTimerCount()).toBe(0);
});

test('closing writes what waits, once, and starts no timer again', async () => {
  const digest = add('one');
  await cache.find(digest, true);
  await cache.close();
  expect(touched).toHaveLength(1);
  nowMs += 60_000;
  await cache.find(digest, true);
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(touched).toHaveLength(1);
  await cache.close();
  expect(touched).toHaveLength(2);
  await cache.close();
  expect(touched).toHaveLength(2);
});

test('a mistake of ours on writing is not swallowed', async () => {
  await cache.find(add('one'), true);
  locked = new TypeError('a mistake') as unknown as AppError;
  await expect(cache.close()).rejects.toThrow('a mistake');
});

test('a digest with the first 8 bytes of a good one is another key', async () => {
  const digest = add('one');
  const forged = Buffer.from(digest);
  forged[31]! ^= 1;
  expect(await cache.find(forged, true)).toBeUndefined();
  expect(await cache.find(digest, true)).toMatchObject({ id: 'one', project: 'shop' });
});

test('the store is asked for its version after 250 ms, once for all who wait', async () => {
  const digest = add('one');
  await Promise.all([cache.find(digest, true), cache.find(digest, true), cache.find(digest, true)]);
  expect(reads).toEqual(['version', 'activeKeys']);
  nowMs += 249;
  await cache.find(digest, true);
  expect(reads).toHaveLength(2);
  nowMs += 1;
  await cache.find(digest, true);
  expect(reads).toEqual(['version', 'activeKeys', 'version']);
  // Unknown: the store is asked again unless that is forbidden.
  await cache.find(digestOf('unknown'), false);
  expect(reads).toHaveLength(3);
  await cache.find(digestOf('unknown'), true);
  expect(reads).toHaveLength(4);
});
