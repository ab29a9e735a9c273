import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';

/**
 * Bounds that pages promise. Both sides are written out here: a test that compares with `limits.name` cannot see that
 * the bound itself has changed.
 */
const promises: readonly [page: string, sentence: string, bound: number, promised: number][] = [
  ['README.md', 'sent again within an hour counts once', limits.deliveryMemoryS, 3600],
  ['README.md', 'After 100 wrong keys', limits.failedKeys, 100],
  ['README.md', 'from one address within a minute', limits.failedKeysS, 60],
  ['README.md', 'those beyond 50,000', limits.listedClients, 50_000],
  ['README.md', 'a secret of at least 32 characters', limits.adminKeyChars.least, 32],
  ['docs/extraction.md', 'A duration of more than 25 days', limits.callDurationNs, 2.16e15],
  ['docs/extraction.md', 'more than 10 minutes ahead', limits.futureS, 600],
  ['docs/extraction.md', 'within an hour are one delivery', limits.deliveryMemoryS, 3600],
  ['docs/extraction.md', 'within 2 seconds', limits.sameSpanS, 2],
  ['docs/extraction.md', 'last 131,072 counted', limits.countedSpans, 131_072],
  ['docs/extraction.md', 'at most 100 instances', limits.clocksAhead, 100],
  ['docs/extraction.md', 'at most 20,000 routes', limits.answeredRoutes, 20_000],
  ['docs/extraction.md', 'at most 50 of', limits.mountRemainders, 50],
  ['docs/routes.md', 'endpointsPerService` endpoints (20,000)', limits.endpointsPerService, 20_000],
  ['docs/routes.md', 'PerService` (2,000)', limits.templatedRoutesPerService, 2_000],
  ['docs/routes.md', 'at most 512 bytes long', limits.routeBytes, 512],
  ['docs/routes.md', '128 segments deep', limits.routeSegments, 128],
  ['docs/inventory.md', 'at most 32 MiB', limits.inventoryBytes, 33_554_432],
  ['docs/inventory.md', 'and 20,000 routes', limits.inventoryRoutes, 20_000],
  ['docs/calls.md', '`limit` is at most 2,000', limits.callPageRows, 2_000],
  ['docs/calls.md', 'at most two million calls', limits.visitedCalls, 2_000_000],
  ['docs/conformance.md', 'exactly 64 MiB pass', limits.bodyBytes, 67_108_864],
  [
    'docs/decisions/0001-usage-blocks.md',
    'up to 4,096 in one tally',
    limits.clientsPerEndpoint,
    4_096,
  ],
  ['docs/decisions/0001-usage-blocks.md', 'or 50,000 calls', limits.notRolledUpCalls, 50_000],
  ['docs/decisions/0004-keys.md', 'older than 250 ms', limits.keyCheckMs, 250],
  ['docs/decisions/0006-sampling.md', 'from 1 to 2^20', limits.callWeight, 1_048_576],
  ['docs/decisions/0010-endpoint-identity.md', '(1,000) shapes', limits.sideBySideGroups, 1_000],
  [
    'docs/decisions/0010-endpoint-identity.md',
    'sideBySideBuilds` (64)',
    limits.sideBySideBuilds,
    64,
  ],
  ['docs/decisions/0013-dashboard.md', 'at most 1,000 sessions', limits.sessions, 1_000],
  ['docs/decisions/0013-dashboard.md', '12 hours unused', limits.sessionIdleS, 43_200],
  ['docs/decisions/0013-dashboard.md', 'or 7 days in all', limits.sessionS, 604_800],
  [
    'docs/decisions/0014-answers-off-the-event-loop.md',
    '128 queries wait',
    limits.waitingQueries,
    128,
  ],
  [
    'docs/decisions/0014-answers-off-the-event-loop.md',
    '64 of one project',
    limits.waitingQueriesPerProject,
    64,
  ],
];

test.each(promises)('%s: %s', (page, sentence, bound, promised) => {
  expect(readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')).toContain(sentence);
  expect(bound).toBe(promised);
});

/** Bounds that no page names, on which memory, durability or fairness rest. */
test.each([
  ['rememberedDeliveries', 4_000_000],
  ['inFlightBytes', 67_108_864],
  ['smallBodyBytes', 262_144],
  ['waitingCalls', 262_144],
  ['batchCalls', 65_536],
  ['largeMessageBytes', 2_097_152],
  ['envelopes', 600_000],
  ['requestSpans', 300_000],
  ['requestFields', 3_000_000],
  ['jsonMembers', 8_000_000],
  ['expansion', 1_100],
  ['projects', 1_000],
  ['keysPerProject', 100],
  ['keys', 10_000],
  ['servicesPerProject', 1_000],
  ['failedKeyAddresses', 10_000],
  ['lastCallers', 5],
  ['internedStrings', 500_000],
  ['connections', 4_096],
  ['addressConnections', 3_072],
  ['pipelinedRequests', 16],
  ['keepAliveMs', 95_000],
  ['shutdownMs', 4_000],
  ['exitMs', 8_500],
  ['readyMs', 2_000],
  ['listRows', 10_000],
  ['seriesPoints', 2_000],
  ['windowDays', 3_660],
] as const)('%s is %i', (name, value) => {
  expect(limits[name]).toBe(value);
});
