import { afterEach, describe, expect, test } from 'vitest';
import { call, dayMs, type ListenOptions, minuteMs, nowMs, openDoor } from '../support/door.ts';
import { engines, type Opened } from '../support/engines.ts';

/** A calling service's clock may be ten minutes ahead of ours: its calls are accepted, so they are reported. */
describe.each(engines)('on $name', ({ open }) => {
  let opened: Opened | undefined;
  let door: ListenOptions | undefined;
  afterEach(async () => {
    await door?.close();
    await opened?.remove();
  });
  const start = async (endsMs: number[]): Promise<ListenOptions> => {
    opened = await open(
      endsMs.map((endMs) => call({ endMs })),
      nowMs,
    );
    door = await openDoor(opened.reader, nowMs);
    return door;
  };

  test('a window without an end reaches to a call that ends in nine minutes', async () => {
    const aheadMs = nowMs + 9 * minuteMs;
    const { get } = await start([nowMs - minuteMs, aheadMs]);
    const endMs = (Math.floor(aheadMs / minuteMs) + 1) * minuteMs;
    for (const query of ['window=15m', 'window=30d', `from=${iso(nowMs - dayMs)}`, 'window=24h']) {
      const report = await get(`/report?${query}`);
      expect(report.window.to, query).toBe(iso(endMs));
      expect(report.summary.total_requests, query).toBe(2);
      const summary = await get(`/summary?${query}`);
      expect(summary.summary.total_requests, query).toBe(2);
      const { points } = await get(`/timeseries?${query}`);
      const counted = points.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0);
      expect(counted, query).toBe(2);
      expect((await get(`/clients?${query}`)).clients[0].calls, query).toBe(2);
      const { id } = report.endpoints[0];
      expect((await get(`/endpoints/${id}?window=15m`)).endpoint.total_calls).toBe(2);
    }
  });

  test('the window still begins as long before now as was asked', async () => {
    const { get } = await start([nowMs - 14 * minuteMs, nowMs + 9 * minuteMs]);
    const { window, summary } = await get('/report?window=15m');
    expect(Date.parse(window.from)).toBe((Math.floor(nowMs / minuteMs) + 1 - 15) * minuteMs);
    expect(summary.total_requests).toBe(2);
  });

  test('a window that names its end keeps it', async () => {
    const { get } = await start([nowMs - minuteMs, nowMs + 9 * minuteMs]);
    const { window, summary } = await get(`/report?from=${iso(nowMs - dayMs)}&to=${iso(nowMs)}`);
    expect(Date.parse(window.to)).toBe(Math.ceil(nowMs / minuteMs) * minuteMs);
    expect(summary.total_requests).toBe(1);
  });

  test('a call years ahead, of a time when our own clock was wrong, stretches no window', async () => {
    const { get } = await start([nowMs - minuteMs, nowMs + 1000 * dayMs]);
    const { window, summary } = await get('/report?window=1h');
    expect(Date.parse(window.to)).toBe(
      (Math.floor((nowMs + 10 * minuteMs) / minuteMs) + 1) * minuteMs,
    );
    expect(summary.total_requests).toBe(1);
  });
});

const iso = (ms: number): string => new Date(ms).toISOString();
