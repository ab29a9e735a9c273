import { expect } from 'vitest';
import { limits } from '../../core/limits.ts';
import { percentiles, type Usage } from '../../core/usage/usage.ts';
import type { Window } from '../../core/window.ts';
import { copies, endMs, type PlainCall, weightOf } from './made-calls.ts';

/** The calls that ended in a window, by endpoint: `service method route`. */
export function truthOf(calls: PlainCall[], window: Window): Map<string, PlainCall[]> {
  const truth = new Map<string, PlainCall[]>();
  for (const call of calls) {
    if (call.endS < window.fromS || call.endS >= window.toS) continue;
    const key = `${call.service} ${call.method} ${call.route}`;
    const own = truth.get(key);
    if (own) own.push(call);
    else truth.set(key, [call]);
  }
  return truth;
}

export function sumOf(calls: PlainCall[]): number {
  return calls.reduce((sum, call) => sum + weightOf(call), 0);
}

export function lastCallers(calls: PlainCall[]): unknown[] {
  const latest = new Map<string, number>();
  for (const call of calls) {
    latest.set(call.client, Math.max(latest.get(call.client) ?? 0, endMs(call)));
  }
  return [...latest]
    .sort((a, b) => b[1] - a[1])
    .slice(0, limits.lastCallers)
    .map(([client, atMs]) => ({ client, consumer: 'shop', agent: 'curl', atMs }));
}

export function expectUsage(usage: Usage | undefined, seen: PlainCall[], what: string): void {
  expect(usage?.calls ?? 0, what).toBe(sumOf(seen));
  if (!usage || seen.length === 0) return;
  expectSampling(usage, seen, what);
  const calls = seen.filter((call) => weightOf(call) > 0);
  if (calls.length === 0) return;
  const timed = calls.filter(({ durationNs }) => durationNs >= 0);
  const ordered = timed.toSorted((a, b) => a.durationNs - b.durationNs);
  const untimed = sumOf(calls.filter(({ durationNs }) => durationNs < 0));
  expect(usage.untimed ?? 0, what).toBe(untimed);
  const count = (test: (status: number) => boolean): number =>
    sumOf(calls.filter(({ status }) => test(status)));
  expect(usage.errors4xx, what).toBe(count((status) => status >= 400 && status < 500));
  expect(usage.errors5xx, what).toBe(count((status) => status >= 500));
  const sumNs = timed.reduce((sum, call) => sum + weightOf(call) * call.durationNs, 0);
  expect(Math.abs(usage.sumNs - sumNs), what).toBeLessThanOrEqual(
    usage.sampling ? 1e-12 * sumNs : 0,
  );
  expect(usage.minNs, what).toBe(ordered[0]?.durationNs ?? 0);
  expect(usage.maxNs, what).toBe(ordered.at(-1)?.durationNs ?? 0);
  expect(usage.uniqueClients, what).toBe(
    new Set(calls.map(({ client }) => client).filter(Boolean)).size,
  );
  const total = ordered.reduce((sum, call) => sum + copies(call), 0);
  percentiles.forEach((percent, i) => {
    if (total === 0) return;
    let below = 0;
    const exact = ordered.find((call) => {
      below += copies(call);
      return below >= (percent * total) / 100;
    })!.durationNs;
    expect(Math.abs(usage.percentilesNs[i]! - exact) / exact, `${what} p${percent}`).toBeLessThan(
      0.01,
    );
  });
  for (const [status, n] of usage.statuses) expect(n).toBe(count((own) => own === status));
}

function expectSampling({ sampling }: Usage, calls: PlainCall[], what: string): void {
  if (calls.every((call) => weightOf(call) === 1)) {
    expect(sampling, what).toBeUndefined();
    return;
  }
  const variance = calls.reduce((sum, call) => sum + weightOf(call) * (weightOf(call) - 1), 0);
  expect(sampling?.seen, what).toBe(calls.length);
  expect(Math.abs(sampling!.variance - variance), what).toBeLessThanOrEqual(1e-12 * variance);
}
