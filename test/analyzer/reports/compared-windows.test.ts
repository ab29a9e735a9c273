import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  call,
  hourMs,
  type ListenOptions,
  minuteMs,
  nowMs,
  openDoor,
  repeat,
} from '../support/door.ts';
import { type Opened, openSqlite } from '../support/engines.ts';
import { oracleReader } from '../support/oracle.ts';

/** 200 days of one call each half hour: a workload in which nothing changes. */
const calls = repeat(200 * 48, (n) => call({ endMs: nowMs - n * 30 * minuteMs }));
const dayS = 86_400;
const todayS = Math.floor(nowMs / 1000 / dayS) * dayS;

/** Engines that keep minutes for two days and hours for ninety, as the default is. */
const engines: { name: string; open: () => Promise<Opened> }[] = [
  { name: 'sqlite', open: () => openSqlite(calls, nowMs) },
  {
    name: 'the oracle',
    open: async () => ({
      reader: oracleReader(calls, {
        minutesFromS: todayS - 2 * dayS,
        hoursFromS: todayS - 90 * dayS,
      }),
      remove: async () => undefined,
    }),
  },
];

const windows = [
  '15m',
  '1h',
  '6h',
  '24h',
  '36h',
  '47h',
  '2d',
  '3d',
  '7d',
  '30d',
  '45d',
  '60d',
  '90d',
];
const ranges = [
  // Minutes, hours and days of the past, and ranges across their borders.
  'from=2026-03-18T09:07Z&to=2026-03-18T09:23Z',
  'from=2026-03-10T09:07Z&to=2026-03-10T10:07Z',
  'from=2026-03-10T09:00Z&to=2026-03-10T10:00Z',
  'from=2025-11-05T09:07Z&to=2025-11-05T10:07Z',
  'from=2025-11-05&to=2025-11-06',
  'from=2025-12-10T05:00Z&to=2025-12-22T05:00Z',
  'from=2026-03-15T05:10Z&to=2026-03-17T05:10Z',
];

describe.each(engines)('windows that are compared, on $name', ({ open }) => {
  let opened: Opened;
  let door: ListenOptions;
  beforeAll(async () => {
    opened = await open();
    door = await openDoor(opened.reader, nowMs);
  });
  afterAll(async () => {
    await door?.close();
    await opened?.remove();
  });

  test.each([...windows.map((window) => `window=${window}`), ...ranges])(
    '%s: they touch, do not overlap and have one length',
    async (query) => {
      const { window } = await door.get(`/report?${query}`);
      const answer = await door.get(`/summary?${query}`);
      const [from, to] = [answer.window, answer.previous_window].map(({ from, to }) => [
        Date.parse(from),
        Date.parse(to),
      ]) as [[number, number], [number, number]];
      const [current, previous] = [from, to];
      expect(previous[1]).toBe(current[0]);
      expect(previous[1] - previous[0]).toBe(current[1] - current[0]);
      // No call that was asked for is lost, and at most a day is added.
      expect(current[0]).toBeLessThanOrEqual(Date.parse(window.from));
      expect(current[1]).toBeGreaterThanOrEqual(Date.parse(window.to));
      expect(current[1] - current[0]).toBeLessThan(
        Date.parse(window.to) - Date.parse(window.from) + 24 * hourMs,
      );
      // Each counts the calls of its own range, by brute force.
      const within = ([fromMs, toMs]: [number, number]) =>
        calls.filter(({ endMs }) => endMs >= fromMs && endMs < toMs).length;
      expect(answer.summary.total_requests).toBe(within(current));
      expect(answer.previous.total_requests).toBe(within(previous));
    },
  );

  test('the windows of the dashboard show no change in a workload without one', async () => {
    for (const window of ['1h', '24h', '3d', '7d', '30d', '90d']) {
      const { summary, previous } = await door.get(`/summary?window=${window}`);
      const part = Math.abs(summary.total_requests / previous.total_requests - 1);
      // The window now ends in the future by less than its own step: an hour of three days, a day of ninety.
      expect(part, window).toBeLessThan(0.02);
    }
  });
});

test('a window that begins in 1970 is compared with one before it', async () => {
  const door = await openDoor(oracleReader(calls), nowMs);
  const answer = await door.get('/summary?from=1970-01-01&to=1970-01-03');
  await door.close();
  expect(answer.previous_window).toMatchObject({
    from: '1969-12-30T00:00:00.000Z',
    to: '1970-01-01T00:00:00.000Z',
  });
  expect(answer.previous.total_requests).toBe(0);
});
