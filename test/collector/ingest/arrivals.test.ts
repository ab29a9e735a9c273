import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServiceArrival } from '../../../collector/extract/service-arrivals.ts';
import { ArrivalRecorder } from '../../../collector/ingest/arrivals.ts';
import { AppError } from '../../../core/error.ts';
import type { Arrival } from '../../../core/store/arrivals.ts';

/** The recorder on a store in memory that can be locked, by a clock that the test turns. */
const dayMs = 86_400_000;
const startMs = 20_000 * dayMs + 3_600_000;
let written: { day: number; arrivals: readonly Arrival[] }[];
let locked: AppError | undefined;
/** Runs while a write waits for the store. */
let meanwhile: () => void;
let failures: unknown[];
let recorder: ArrivalRecorder;

const store = {
  add: async (day: number, arrivals: readonly Arrival[]) => {
    meanwhile();
    if (locked) throw locked;
    written.push({ day, arrivals });
  },
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(startMs);
  written = [];
  locked = undefined;
  meanwhile = () => {};
  failures = [];
  recorder = new ArrivalRecorder({
    store: async () => store,
    now: Date.now,
    onFailure: (error) => failures.push(error),
  });
});
afterEach(() => vi.useRealTimers());

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const noneRejected = { future: 0, span_id: 0, time_zero: 0, too_old: 0, trace_id: 0 };
const none: ServiceArrival = {
  service: 'shop',
  stored: 0,
  notServer: 0,
  notHttp: 0,
  excluded: 0,
  duplicate: 0,
  rejected: noneRejected,
};

const counted = (at: number) =>
  written[at]?.arrivals.map(({ project, service, outcome, reason, count }) =>
    [project, service, outcome, reason, count].join(' '),
  );

test('each outcome of a span is counted by project, service and reason', async () => {
  recorder.spans('alpha', [
    {
      ...none,
      stored: 1,
      notServer: 2,
      notHttp: 3,
      excluded: 4,
      duplicate: 5,
      rejected: { ...noneRejected, too_old: 6, future: 7 },
    },
    { ...none, service: 'pay', stored: 8 },
  ]);
  recorder.spans('beta', [{ ...none, stored: 9 }]);
  recorder.spans('alpha', [{ ...none, stored: 10, rejected: { ...noneRejected, too_old: 1 } }]);
  recorder.request('alpha', 'refused', 'read');
  recorder.request('alpha', 'refused', 'read');
  recorder.request('alpha', 'undecodable', '');
  await recorder.close();
  expect(written).toHaveLength(1);
  expect(counted(0)).toEqual([
    'alpha shop stored  11',
    'alpha shop not_server  2',
    'alpha shop not_http  3',
    'alpha shop excluded  4',
    'alpha shop duplicate  5',
    'alpha shop rejected future 7',
    'alpha shop rejected too_old 7',
    'alpha pay stored  8',
    'beta shop stored  9',
    'alpha  refused read 2',
    'alpha  undecodable  1',
  ]);
});

test('a count carries the time of its newest span, and is written with the day of the write', async () => {
  recorder.spans('alpha', [{ ...none, stored: 1 }]);
  vi.setSystemTime(startMs + 400);
  recorder.spans('alpha', [{ ...none, stored: 1 }]);
  vi.setSystemTime(startMs + dayMs);
  await recorder.close();
  expect(written).toMatchObject([{ day: 20_001, arrivals: [{ count: 2, lastMs: startMs + 400 }] }]);
});

test('the first counts are written after half a second, the next ones 10 seconds after them', async () => {
  recorder.spans('alpha', [{ ...none, stored: 1 }]);
  await pass(499);
  expect(written).toHaveLength(0);
  await pass(1);
  expect(written).toHaveLength(1);
  recorder.spans('alpha', [{ ...none, stored: 2 }]);
  recorder.spans('alpha', [{ ...none, stored: 3 }]);
  expect(vi.getTimerCount()).toBe(1);
  await pass(9_999);
  expect(written).toHaveLength(1);
  await pass(1);
  expect(counted(1)).toEqual(['alpha shop stored  5']);
  expect(vi.getTimerCount()).toBe(0);
  await pass(60_000);
  expect(written).toHaveLength(2);
});

test('after a silence of 10 seconds a count is written after half a second again', async () => {
  recorder.spans('alpha', [{ ...none, stored: 1 }]);
  await pass(10_500);
  recorder.spans('alpha', [{ ...none, stored: 2 }]);
  await pass(499);
  expect(written).toHaveLength(1);
  await pass(1);
  expect(written).toHaveLength(2);
});

test('with the clock set back, a count waits for 10 seconds and no longer', async () => {
  recorder.spans('alpha', [{ ...none, stored: 1 }]);
  await pass(500);
  vi.setSystemTime(startMs - dayMs);
  recorder.spans('alpha', [{ ...none, stored: 2 }]);
  await pass(10_000);
  expect(written).toHaveLength(2);
});

test('counts of a write that failed are written with the next one, with those of meanwhile', async () => {
  locked = new AppError('unavailable', 'locked');
  recorder.spans('alpha', [{ ...none, stored: 1, rejected: { ...noneRejected, future: 2 } }]);
  meanwhile = () => recorder.spans('alpha', [{ ...none, stored: 10 }]);
  await pass(500);
  expect(failures).toEqual([locked]);
  expect(written).toHaveLength(0);
  locked = undefined;
  meanwhile = () => {};
  await pass(10_000);
  expect(counted(0)).toEqual(['alpha shop stored  11', 'alpha shop rejected future 2']);
  await pass(60_000);
  expect(written).toHaveLength(1);
});

test('spans that come during a write are written 10 seconds later, without another span', async () => {
  recorder.spans('alpha', [{ ...none, stored: 1 }]);
  meanwhile = () => {
    meanwhile = () => {};
    recorder.spans('alpha', [{ ...none, stored: 2 }]);
  };
  await pass(500);
  await pass(10_000);
  expect([counted(0), counted(1)]).toEqual([['alpha shop stored  1'], ['alpha shop stored  2']]);
});

test('the close waits for a write that runs, writes the rest, and leaves no timer', async () => {
  recorder.spans('alpha', [{ ...none, stored: 1 }]);
  meanwhile = () => {
    meanwhile = () => {};
    recorder.spans('alpha', [{ ...none, stored: 2 }]);
  };
  vi.advanceTimersByTime(500);
  await recorder.close();
  expect([counted(0), counted(1)]).toEqual([['alpha shop stored  1'], ['alpha shop stored  2']]);
  expect(vi.getTimerCount()).toBe(0);
  recorder.spans('alpha', [{ ...none, stored: 3 }]);
  expect(vi.getTimerCount()).toBe(0);
});

test('nothing is written when nothing arrived', async () => {
  recorder.spans('alpha', [none]);
  expect(vi.getTimerCount()).toBe(0);
  await recorder.close();
  expect(written).toEqual([]);
});

test('names of services beyond 500 share one count, per write', async () => {
  for (let i = 0; i < 501; i += 1) {
    recorder.spans('alpha', [{ ...none, service: `service ${i}`, stored: 1 }]);
  }
  recorder.spans('alpha', [{ ...none, service: 'service 501', stored: 1 }]);
  recorder.spans('alpha', [{ ...none, service: 'service 0', stored: 1 }]);
  await pass(500);
  expect(written[0]!.arrivals).toHaveLength(501);
  expect(counted(0)!.at(-1)).toBe('alpha {other} stored  2');
  expect(counted(0)![0]).toBe('alpha service 0 stored  2');
  recorder.spans('alpha', [{ ...none, service: 'service 501', stored: 1 }]);
  await recorder.close();
  expect(counted(1)).toEqual(['alpha service 501 stored  1']);
});
