import { expect, test } from 'vitest';
import type { Status } from '../../../analyzer/query/status.ts';
import { jointVerdict } from '../../../analyzer/verdict/environments.ts';

/** Most alive first. */
const statuses: Status[] = ['active', 'unknown', 'cold', 'dead', 'never_called', 'removed'];

test('an endpoint is as alive as where it is most alive', () => {
  for (const [at, status] of statuses.entries()) {
    for (const other of statuses.slice(at)) {
      const verdicts = [other, status].map((one) => ({ status: one, confidence: 0.5 }));
      expect(jointVerdict(verdicts).status, `${status} and ${other}`).toBe(status);
      expect(jointVerdict(verdicts.reverse()).status, `${other} and ${status}`).toBe(status);
    }
  }
});

test('it is as sure as where it is least sure, and unjudged without a judgement', () => {
  const dead = (confidence: number | null) => ({ status: 'dead' as const, confidence });
  expect(jointVerdict([dead(0.9), dead(0.4), dead(0.95)])).toEqual(dead(0.4));
  expect(jointVerdict([dead(0.9), { status: 'never_called', confidence: 0.3 }])).toEqual(dead(0.3));
  expect(jointVerdict([dead(0.9), { status: 'removed', confidence: null }])).toEqual(dead(0.9));
  expect(jointVerdict([dead(0.9), { status: 'active', confidence: null }])).toEqual({
    status: 'active',
    confidence: null,
  });
  expect(jointVerdict([dead(0.9), { status: 'unknown', confidence: null }])).toEqual({
    status: 'unknown',
    confidence: null,
  });
});
