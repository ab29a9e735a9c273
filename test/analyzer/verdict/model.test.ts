import { expect, test } from 'vitest';
import { verdictModel } from '../../../analyzer/verdict/model.ts';
import { emptyDays } from '../../../core/day-set.ts';
import type { EndpointRecord, ServiceRecord, Snapshot } from '../../../core/store/store.ts';

const dayMs = 86_400_000;
const nowMs = 20_000 * dayMs;

const service = {
  service: 'shop',
  environment: '',
  firstCallMs: nowMs - 10 * dayMs,
  lastCallMs: nowMs,
  heardDays: [19_990],
  heardHours: [1],
  lifetimeCalls: 10,
  endpoints: 1,
} as unknown as ServiceRecord;

/** A project with one endpoint of ten calls. */
const snapshotOf = (told: Partial<EndpointRecord>) => {
  const endpoint = {
    service: 'shop',
    environment: '',
    route: '/a',
    templated: false,
    lifetimeOutcomes: { answered: 10, refused: 0, missing: 0, failed: 0 },
    use: { days: emptyDays() },
    ...told,
  } as unknown as EndpointRecord;
  return { endpoints: async () => [endpoint] } as unknown as Snapshot;
};

test('a project with as many calls as another has a model of its own', async () => {
  const guessedShare = async (project: string, told: Partial<EndpointRecord>) => {
    const snapshot = snapshotOf(told);
    const { services } = await verdictModel({ project, snapshot, nowMs }, [service], 7);
    return [...services.values()][0]!.guessedShare;
  };
  expect(await guessedShare('alpha', {})).toBe(0);
  expect(await guessedShare('beta', { templated: true })).toBe(1);
  expect(await guessedShare('alpha', {})).toBe(0);
});
