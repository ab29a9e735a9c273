import { expect, test } from 'vitest';
import { requestedWindow } from '../../../analyzer/query/window.ts';

const nowMs = Date.UTC(2026, 2, 18, 12, 0, 30);
const clock = { nowMs, newestCallMs: undefined };
const dayMs = 86_400_000;
const at = (ms: number) => new Date(ms).toISOString();
const iso = ({ fromS, toS }: { fromS: number; toS: number }) => [at(fromS * 1000), at(toS * 1000)];

test('a window without a beginning or an end is the 30 days up to the minute that runs', () => {
  expect(iso(requestedWindow({}, clock))).toEqual([
    '2026-02-16T12:01:00.000Z',
    '2026-03-18T12:01:00.000Z',
  ]);
  expect(iso(requestedWindow({ window: 3600 }, clock))).toEqual([
    '2026-03-18T11:01:00.000Z',
    '2026-03-18T12:01:00.000Z',
  ]);
  const to = Date.UTC(2026, 2, 10);
  expect(iso(requestedWindow({ to }, clock))).toEqual([at(to - 30 * dayMs), at(to)]);
});

test('an end that is not told reaches to the newest call, ten minutes ahead at the most', () => {
  const endOf = (newestCallMs: number) => iso(requestedWindow({}, { nowMs, newestCallMs }))[1];
  expect(endOf(nowMs - dayMs)).toBe('2026-03-18T12:01:00.000Z');
  expect(endOf(nowMs + 300_000)).toBe('2026-03-18T12:06:00.000Z');
  expect(endOf(nowMs + 600_000)).toBe('2026-03-18T12:11:00.000Z');
  expect(endOf(nowMs + dayMs)).toBe('2026-03-18T12:11:00.000Z');
});

test('a beginning and an end are rounded outward to whole minutes', () => {
  const [from, to] = [Date.UTC(2026, 2, 1, 0, 0, 59, 999), Date.UTC(2026, 2, 2, 0, 0, 0, 1)];
  expect(iso(requestedWindow({ from, to }, clock))).toEqual([
    '2026-03-01T00:00:00.000Z',
    '2026-03-02T00:01:00.000Z',
  ]);
  const whole = { from: Date.UTC(2026, 2, 1), to: Date.UTC(2026, 2, 2) };
  expect(iso(requestedWindow(whole, clock))).toEqual([at(whole.from), at(whole.to)]);
});

test('a window may last 3,660 days, and not a minute longer', () => {
  const to = Date.UTC(2026, 0, 1);
  const from = to - 3_660 * dayMs;
  expect(iso(requestedWindow({ from, to }, clock))).toEqual([at(from), at(to)]);
  expect(() => requestedWindow({ from: from - 60_000, to }, clock)).toThrow(
    expect.objectContaining({
      code: 'invalid',
      field: 'from',
      message: expect.stringContaining('is 3661 days; at most 3660'),
    }),
  );
});

test('a window that is empty, inverted or told twice is refused by the field', () => {
  const to = Date.UTC(2026, 2, 1);
  const refusal = (field: string) => expect.objectContaining({ code: 'invalid', field });
  expect(() => requestedWindow({ from: to, to }, clock)).toThrow(refusal('from'));
  expect(() => requestedWindow({ from: to + 1, to }, clock)).toThrow(refusal('from'));
  expect(() => requestedWindow({ window: 60, to }, clock)).toThrow(refusal('window'));
  expect(() => requestedWindow({ window: 60, from: to }, clock)).toThrow(refusal('window'));
  expect(() => requestedWindow({ from: nowMs + dayMs }, clock)).toThrow(refusal('from'));
});
