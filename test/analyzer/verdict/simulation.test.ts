import { expect, test } from 'vitest';
import { simulate } from '../../labs/lifecycle/simulation.ts';

/** A small run of `npm run simulate:lifecycle`, whose whole run docs/verdicts.md records. */
test('of 600 synthetic endpoints with a known future, claims at 0.9 are right, those of 32 days are not', async () => {
  const { rollcall, others, bins, deadLong, found, spans } = await simulate({
    seed: 3,
    endpoints: 600,
    services: 5,
    stepDays: 20,
    sureFrom: 0.9,
  });
  expect(spans).toBeGreaterThan(50_000);
  expect(rollcall.claims).toBeGreaterThan(80);
  expect(rollcall.precisionPct).toBeGreaterThanOrEqual(98);
  expect(others.map(({ name }) => name)).toContain('silent for 32 days');
  for (const other of others) expect(other.precisionPct).toBeLessThan(85);
  // Not so cautious that the list is of no use.
  expect(found / deadLong).toBeGreaterThan(0.25);
  for (const kind of ['monthly', 'quarterly', 'yearly', 'year end', 'campaigns']) {
    const { claims, precisionPct } = rollcall.ofKind(kind);
    expect(claims === 0 || precisionPct === 100, kind).toBe(true);
  }
  const surest = bins.at(-1)!;
  expect(surest.dead / surest.verdicts).toBeGreaterThan(0.98);
}, 120_000);
