import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { InternalCallRecorder } from '../../../collector/ingest/internal-callers.ts';
import { AppError } from '../../../core/error.ts';
import { limits } from '../../../core/limits.ts';
import type {
  InternalCall,
  InternalCallLink,
} from '../../../core/store/callers/internal-callers.ts';

/** The recorder on a store in memory that can be locked, by a clock that the test turns. */
let written: InternalCall[][];
let locked: AppError | undefined;
let failures: unknown[];
let recorder: InternalCallRecorder;

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  locked = undefined;
  failures = [];
  const add = async (calls: readonly InternalCall[]) => {
    if (locked) throw locked;
    written.push([...calls]);
  };
  recorder = new InternalCallRecorder({
    store: async () => ({ add }),
    now: Date.now,
    onFailure: (error) => failures.push(error),
  });
});
afterEach(() => vi.useRealTimers());

const link = (change: Partial<InternalCallLink> = {}): InternalCallLink => ({
  ...{ project: 'default', service: 'orders', environment: '', method: 'GET', route: '/orders' },
  ...{ caller: 'web', callerEnvironment: '', hour: 500_000, knownBy: 'trace', ...change },
});

test('counts of a link add up until they are written, every ten seconds', async () => {
  const one = link();
  recorder.add([{ link: one, calls: 2, errors: 1, named: 0, seen: 2 }]);
  await vi.advanceTimersByTimeAsync(9_900);
  recorder.add([{ link: one, calls: 8, errors: 8, named: 8, seen: 1 }]);
  expect(written).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(written).toEqual([[{ ...one, calls: 10, errors: 9, named: 8, seen: 3 }]]);
  recorder.add([{ link: one, calls: 1, errors: 0, named: 0, seen: 1 }]);
  await vi.advanceTimersByTimeAsync(10_100);
  expect(written[1]).toEqual([{ ...one, calls: 1, errors: 0, named: 0, seen: 1 }]);
});

test('counts of a write that failed are written with the next, and at the end all are', async () => {
  locked = new AppError('unavailable', 'locked');
  recorder.add([{ link: link(), calls: 2, errors: 0, named: 0, seen: 2 }]);
  await vi.advanceTimersByTimeAsync(10_100);
  expect([written, failures]).toEqual([[], [locked]]);
  locked = undefined;
  await recorder.close();
  expect(written.flat().map(({ calls }) => calls)).toEqual([2]);
});

test('many counts are written in commits of 500, and those past the bound are left out', async () => {
  expect([limits.internalCallsAtOnce, limits.internalCallLinks]).toEqual([500, 20_000]);
  const many = Array.from({ length: 20_001 }, (_, n) => ({
    ...{ link: link({ route: `/r${n}` }), calls: 1, errors: 0, named: 0, seen: 1 },
  }));
  recorder.add(many);
  await recorder.close();
  expect(written.map((calls) => calls.length)).toEqual(Array.from({ length: 40 }, () => 500));
});
