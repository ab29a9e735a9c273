import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Ingest } from '../../../collector/ingest/ingest.ts';
import { checkReady } from '../../../collector/ingest/readiness.ts';
import { AppError } from '../../../core/error.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const ingestOf = (check: () => Promise<string>) => ({ check }) as Ingest;

test('a store that answers in time is ready, with what an operator must know', async () => {
  expect(await checkReady(ingestOf(async () => 'the clock is ahead'))).toBe('the clock is ahead');
  expect(vi.getTimerCount()).toBe(0);
});

test('a store that cannot commit is not ready, for its own reason', async () => {
  const locked = new AppError('unavailable', 'locked');
  await expect(checkReady(ingestOf(() => Promise.reject(locked)))).rejects.toBe(locked);
  expect(vi.getTimerCount()).toBe(0);
});

test('a store that does not answer within two seconds is not ready', async () => {
  let isSettled = false;
  const ready = checkReady(ingestOf(() => new Promise(() => {})));
  const refused = expect(ready).rejects.toMatchObject({
    code: 'unavailable',
    message: 'the store did not answer within 2000 ms',
  });
  ready.catch(() => {
    isSettled = true;
  });
  await vi.advanceTimersByTimeAsync(1_999);
  expect(isSettled).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await refused;
});
