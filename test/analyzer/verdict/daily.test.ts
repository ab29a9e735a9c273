import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Answerer } from '../../../analyzer/queue/answerer.ts';
import { takeDailySnapshots } from '../../../analyzer/verdict/daily.ts';
import type { Log } from '../../../core/log.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const minuteMs = 60_000;

function start() {
  const asked: string[] = [];
  const warned: unknown[] = [];
  const state: { error?: Error } = {};
  const answerer = {
    command: async ({ project, name, nowMs }: { project: string; name: string; nowMs: number }) => {
      if (state.error) throw state.error;
      asked.push(`${project} ${name} ${nowMs}`);
    },
  } as unknown as Answerer;
  const log = { warn: ({ err }: { err: unknown }) => warned.push(err) } as unknown as Log;
  const end = takeDailySnapshots(
    answerer,
    async () => ['alpha', 'beta'],
    log,
    () => 7,
  );
  return { asked, warned, state, end };
}

test('snapshots of all projects are taken a minute after the start, and then every hour', async () => {
  const { asked, end } = start();
  await vi.advanceTimersByTimeAsync(minuteMs - 1);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  const all = ['alpha deadHistory 7', 'beta deadHistory 7'];
  expect(asked).toEqual(all);
  await vi.advanceTimersByTimeAsync(59 * minuteMs);
  expect(asked).toEqual([...all, ...all]);
  await vi.advanceTimersByTimeAsync(60 * minuteMs);
  expect(asked).toHaveLength(6);
  end();
  await vi.advanceTimersByTimeAsync(600 * minuteMs);
  expect(asked).toHaveLength(6);
  expect(vi.getTimerCount()).toBe(0);
});

test('a snapshot that fails is logged, and tried again an hour later', async () => {
  const { asked, warned, state, end } = start();
  state.error = new Error('locked');
  await vi.advanceTimersByTimeAsync(minuteMs);
  expect(warned).toEqual([state.error]);
  delete state.error;
  await vi.advanceTimersByTimeAsync(59 * minuteMs);
  expect(asked).toHaveLength(2);
  end();
});

test('what fails after the end is not logged', async () => {
  const { warned, state, end } = start();
  state.error = new Error('closed');
  vi.advanceTimersByTime(minuteMs);
  end();
  await vi.advanceTimersByTimeAsync(0);
  expect(warned).toEqual([]);
});
