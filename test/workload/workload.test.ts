import { expect, test } from 'vitest';
import { decodeSpans } from '../labs/load/decoded-span.ts';
import { nearestRank, Truth } from '../labs/load/truth.ts';
import { Workload } from '../labs/load/workload.ts';

const options = {
  seed: 11,
  routes: 200,
  spansPerBody: 300,
  nowMs: 1_795_323_705_518,
  spreadS: 3600,
  lateShare: 0.03,
  lateS: 40 * 86_400,
};

test('a body is the same bytes whenever it is asked for, and unlike every other', () => {
  const [first, second] = [new Workload(options), new Workload(options)];
  expect(first.body(5).bytes.equals(second.body(5).bytes)).toBe(true);
  expect(first.body(5).bytes.equals(first.body(6).bytes)).toBe(false);
});

test('the calls named are the SERVER spans of the bytes', () => {
  const { bytes, calls } = new Workload(options).body(0);
  const servers = decodeSpans(bytes).filter(({ kind }) => kind === 2);
  const seen = servers.map(({ service, startNs, endNs, attributes }) => ({
    service,
    endNs,
    durationNs: Number(endNs - startNs),
    method: attributes.get('http.request.method') ?? attributes.get('http.method'),
    status: Number(
      attributes.get('http.response.status_code') ?? attributes.get('http.status_code'),
    ),
    client: attributes.get('client.address') ?? attributes.get('net.peer.ip') ?? '',
  }));
  const byEnd = (a: { endNs: bigint }, b: { endNs: bigint }) => (a.endNs < b.endNs ? -1 : 1);
  const named = calls.map(({ environment: _, route: __, ...call }) => call);
  expect(seen.sort(byEnd)).toEqual(named.sort(byEnd));
});

test('durations reach from 50 µs to 60 s, and some calls are 40 days late', () => {
  const workload = new Workload(options);
  const calls = Array.from({ length: 40 }, (_, n) => workload.body(n).calls).flat();
  expect(Math.min(...calls.map(({ durationNs }) => durationNs))).toBe(50_000);
  expect(Math.max(...calls.map(({ durationNs }) => durationNs))).toBe(60e9);
  const before = BigInt(options.nowMs - 39 * 86_400_000) * 1_000_000n;
  const late = calls.filter(({ endNs }) => endNs < before).length / calls.length;
  expect(late).toBeGreaterThan(0.02);
  expect(late).toBeLessThan(0.04);
});

test('truth: counts, classes, extremes, ranks and clients of a window', () => {
  const truth = new Truth();
  const call = { service: 's', environment: '', method: 'GET', route: '/', client: 'a' };
  for (let n = 1; n <= 100; n += 1) {
    const status = n <= 10 ? 404 : n <= 15 ? 503 : 200;
    truth.add({ ...call, status, durationNs: n, endNs: BigInt(n) * 1_000_000_000n });
  }
  truth.add({ ...call, client: 'b', status: 200, durationNs: 7, endNs: 60_000_000_000n });
  truth.add({ ...call, client: '', status: 200, durationNs: 7, endNs: 60_999_999_999n });
  const all = truth.usage({ fromS: 0, toS: 1e6 }).get('s GET /')!;
  expect(all).toMatchObject({ calls: 102, errors4xx: 10, errors5xx: 5, minNs: 1, maxNs: 100 });
  expect(all.uniqueClients).toBe(2);
  expect([nearestRank(all.durationsNs, 50), nearestRank(all.durationsNs, 99)]).toEqual([49, 99]);
  expect(truth.usage({ fromS: 60, toS: 61 }).get('s GET /')!.calls).toBe(3);
  expect(truth.usage({ fromS: 200, toS: 300 }).size).toBe(0);
});
