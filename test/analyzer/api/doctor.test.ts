import { expect, it } from 'vitest';
import { doctor } from '../../../analyzer/reports/doctor.ts';
import { callFindings, spanFindings } from '../../../analyzer/reports/doctor-findings.ts';
import { errorCount } from '../../../analyzer/reports/figures.ts';
import { arrivalOutcomes } from '../../../core/store/arrivals.ts';
import { call, dayMs, nowMs } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

const noCounts = Object.fromEntries(arrivalOutcomes.map((outcome) => [outcome, 0]));
const codesOf = (counts: Record<string, number>, rejected: Record<string, number> = {}) =>
  spanFindings('shop', {
    counts: { ...noCounts, ...counts } as never,
    rejected,
    refused: {},
    otherSignals: {},
  }).map(({ code }) => code);

it('no span of kind SERVER is a finding only where none came, a repeated or rejected one included', () => {
  expect(codesOf({ not_server: 5 })).toEqual(['none_server']);
  for (const outcome of ['stored', 'excluded', 'duplicate']) {
    expect(codesOf({ not_server: 5, [outcome]: 1 })).not.toContain('none_server');
  }
  expect(codesOf({ not_server: 5, not_http: 1 })).toEqual(['none_http']);
  expect(codesOf({ not_server: 5 }, { too_old: 1 })).toEqual(['rejected']);
  expect(codesOf({ not_http: 5, duplicate: 1 })).toEqual([]);
});

it('a share of 5 % without a route or a client is left alone, and a larger one is not', () => {
  const coverage = { service: 'shop', environment: '', calls: 100, isSampled: false, gaps: 0 };
  const codes = (withoutRoute: number, withoutClient: number | undefined) =>
    callFindings({ ...coverage, withoutRoute, withoutClient }).map(({ code }) => code);
  expect(codes(5, 5)).toEqual([]);
  expect(codes(6, undefined)).toEqual(['without_route']);
  expect(codes(0, 6)).toEqual(['without_client']);
});

it('calls are of a service in its environment, a bucket counts as no route, arrivals are of seven days', async () => {
  const calls = [
    ...[1, 2, 3].map((n) => call({ environment: 'prod', endMs: nowMs - n * 60_000 })),
    call({ environment: 'prod', route: '(unmatched)', endMs: nowMs - 240_000 }),
    call({ environment: 'staging', endMs: nowMs - 60_000 }),
  ];
  const asked: number[] = [];
  const answer = (await doctor.run({
    project: 'default',
    nowMs,
    arrivals: {
      since: async (_project: string, day: number) => {
        asked.push(day);
        return [];
      },
    },
    ask: (work: (context: object) => unknown) =>
      oracleReader(calls).snapshot('default', async (snapshot) =>
        work({ snapshot, nowMs, thresholds: { coldAfterDays: 7, deadAfterDays: 30 } }),
      ),
  } as never)) as { services: { environment: string; calls: number; without_route_pct: number }[] };
  expect(asked).toEqual([Math.floor(nowMs / dayMs) - 6]);
  expect(
    answer.services.map(({ environment, calls: count, without_route_pct }) => [
      environment,
      count,
      without_route_pct,
    ]),
  ).toEqual([
    ['prod', 4, 25],
    ['staging', 1, 0],
  ]);
});

it('errors of sampled calls are added before they are rounded', () => {
  expect(errorCount({ errors4xx: 0.4, errors5xx: 0.4 } as never)).toBe(1);
  expect(errorCount({ errors4xx: 1.4, errors5xx: 1.4 } as never)).toBe(3);
});
