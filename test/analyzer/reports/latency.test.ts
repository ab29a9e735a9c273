import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { call, hourMs, minuteMs, nowMs, openDoor, repeat } from '../support/door.ts';
import { engines } from '../support/engines.ts';

/** 1.2 ms times powers of 2, from 1 to 512: inside the rows of the heatmap, away from their bounds. */
const durationMs = (n: number) => 1.2 * 2 ** (n % 10);
const calls = repeat(400, (n) =>
  call({ durationNs: durationMs(n) * 1_000_000, endMs: nowMs - n * 3 * minuteMs }),
);

describe.each(engines)('latency of an endpoint on $name', (engine) => {
  test('the heatmap counts every call in its cell', async () => {
    const { reader, remove } = await engine.open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const [{ id }] = (await door.get('/report')).endpoints;
    const answer = await door.get(`/endpoints/${id}?window=24h`);
    const { starts, bounds_ms, counts } = answer.latency_heatmap;
    // Halves of an hour: of whole steps the shortest that gives 60 columns or fewer.
    expect(starts.length).toBeGreaterThanOrEqual(48);
    expect(starts.length).toBeLessThanOrEqual(49);
    for (const start of starts.slice(1)) expect(Date.parse(start) % (30 * minuteMs)).toBe(0);
    expect(counts).toHaveLength(starts.length);
    expect(bounds_ms.length).toBeLessThanOrEqual(41);
    const ends = [...starts.slice(1), answer.window.to];
    starts.forEach((start: string, column: number) => {
      const own = calls.filter(
        ({ endMs }) => endMs >= Date.parse(start) && endMs < Date.parse(ends[column]),
      );
      counts[column].forEach((cell: number, row: number) => {
        const within = own.filter(
          ({ durationNs }) =>
            durationNs / 1e6 >= bounds_ms[row] && durationNs / 1e6 < bounds_ms[row + 1],
        );
        expect(cell, `${start} ${bounds_ms[row]} ms`).toBe(within.length);
      });
    });
    expect(counts.flat().reduce((a: number, b: number) => a + b)).toBe(400);
    await door.close();
    await remove();
  });

  test('the curve is exact at its ends, agrees with the row and ascends', async () => {
    const { reader, remove } = await engine.open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const [{ id }] = (await door.get('/report')).endpoints;
    const { endpoint, percentile_curve: curve } = await door.get(`/endpoints/${id}`);
    const at = (percentile: number) =>
      curve.find((point: { percentile: number }) => point.percentile === percentile).duration_ms;
    expect([at(0), at(100)]).toEqual([1.2, 614.4]);
    const { p50_duration_ms, p75_duration_ms, p90_duration_ms, p95_duration_ms } = endpoint;
    expect([at(50), at(75), at(90), at(95)]).toEqual([
      p50_duration_ms,
      p75_duration_ms,
      p90_duration_ms,
      p95_duration_ms,
    ]);
    expect([at(99), at(99.9)]).toEqual([endpoint.p99_duration_ms, endpoint.p999_duration_ms]);
    const durations = curve.map(({ duration_ms }: { duration_ms: number }) => duration_ms);
    expect(durations).toEqual([...durations].sort((a, b) => a - b));
    const { histogram } = await door.get(`/endpoints/${id}`);
    const read = decodeFromCompressedBase64(histogram);
    expect(read.totalCount).toBe(400);
    for (const percentile of [50, 90, 99]) {
      expect(
        Math.abs(read.getValueAtPercentile(percentile) / 1000 / at(percentile) - 1),
      ).toBeLessThan(0.01);
    }
    await door.close();
    await remove();
  });

  test('of all endpoints together it is the sum of those of each, narrowed as asked', async () => {
    const others = calls.map((made, n) =>
      call({
        durationNs: made.durationNs * 4,
        endMs: made.endMs,
        route: n % 2 === 0 ? '/others/{id}' : '/more',
        method: n % 3 === 0 ? 'POST' : 'GET',
      }),
    );
    const { reader, remove } = await engine.open([...calls, ...others], nowMs);
    const door = await openDoor(reader, nowMs);
    for (const narrowed of ['', '&method=POST', '&route=/others/*']) {
      const { endpoints } = await door.get(`/report?window=24h${narrowed}`);
      const { latency_heatmap: all, percentile_curve: curve } = await door.get(
        `/latency?window=24h${narrowed}`,
      );
      const byTime = Array(all.counts.length).fill(0);
      for (const { id } of endpoints) {
        const { latency_heatmap: own } = await door.get(`/endpoints/${id}?window=24h`);
        own.counts.forEach((column: number[], at: number) => {
          byTime[at] += column.reduce((a, b) => a + b, 0);
        });
      }
      expect(all.counts.map((column: number[]) => column.reduce((a, b) => a + b, 0))).toEqual(
        byTime,
      );
      const { summary } = await door.get(`/summary?window=24h${narrowed}`);
      expect(byTime.reduce((a, b) => a + b)).toBe(summary.total_requests);
      const [first, last] = [curve[0], curve.at(-1)];
      expect([first.duration_ms, last.duration_ms]).toEqual([
        summary.min_response_time_ms,
        summary.max_response_time_ms,
      ]);
    }
    await door.close();
    await remove();
  });

  test('without a call that has a latency there are no rows and no curve', async () => {
    const { reader, remove } = await engine.open([call({ endMs: nowMs - 5 * hourMs })], nowMs);
    const door = await openDoor(reader, nowMs);
    const [{ id }] = (await door.get('/report')).endpoints;
    const answer = await door.get(`/endpoints/${id}?window=1h`);
    expect([answer.percentile_curve, answer.histogram]).toEqual([[], null]);
    expect(answer.latency_heatmap.bounds_ms).toEqual([]);
    expect(answer.latency_heatmap.counts).toEqual(Array(60).fill([]));
    await door.close();
    await remove();
  });

  test('durations of seven orders of magnitude fit the bound of rows', async () => {
    const wide = repeat(8, (n) => call({ durationNs: 1_000 * 10 ** n }));
    const { reader, remove } = await engine.open([...wide, call({ durationNs: 10 })], nowMs);
    const door = await openDoor(reader, nowMs);
    const [{ id }] = (await door.get('/report')).endpoints;
    const { latency_heatmap: heatmap } = await door.get(`/endpoints/${id}?window=1h`);
    expect(heatmap.bounds_ms.length - 1).toBeLessThanOrEqual(40);
    expect(heatmap.bounds_ms[0]).toBe(0);
    expect(heatmap.counts.flat().reduce((a: number, b: number) => a + b)).toBe(9);
    await door.close();
    await remove();
  });
});
