import { describe, expect, it, test } from 'vitest';
import {
  type DecidedEndpoint,
  decisionTableOf,
  evidenceOf,
} from '../../../analyzer/decisions/applied-decision.ts';
import type { Decision } from '../../../core/store/decisions.ts';

const nowMs = 1_790_000_000_000;
const answeredMs = nowMs - 1_000_000;

const decision = (told: Partial<Decision> = {}): Decision => ({
  service: 'shop',
  environment: null,
  method: 'GET',
  route: '/a/:id',
  action: 'keep',
  reason: '',
  untilMs: null,
  by: '',
  decidedMs: nowMs - 500_000,
  lastAnsweredMs: answeredMs,
  callers: ['carmen', 'curl'],
  ...told,
});

const endpoint = (told: Partial<DecidedEndpoint> = {}): DecidedEndpoint => ({
  service: 'shop',
  environment: 'prod',
  method: 'GET',
  route: '/a/{name}',
  lastAnsweredCallers: [],
  ...told,
});

const caller = (consumer: string, atMs: number, agent = '') => ({
  client: '192.0.2.1',
  consumer,
  agent,
  atMs,
});

const returned = (told: Partial<Decision>, facts: Partial<DecidedEndpoint>, atMs = nowMs) =>
  decisionTableOf([decision(told)]).applied(endpoint(facts), atMs)?.returned;

test('a decision of a method comes before one of all, then that of an environment before one of all', () => {
  const all = [
    decision({ method: '*', reason: 'any' }),
    decision({ method: '*', environment: 'prod', reason: 'any in prod' }),
    decision({ reason: 'GET' }),
    decision({ environment: 'prod', reason: 'GET in prod' }),
    decision({ environment: '', reason: 'GET in the unnamed' }),
  ];
  const reasonOf = (decisions: readonly Decision[], facts: Partial<DecidedEndpoint> = {}) =>
    decisionTableOf(decisions).applied(endpoint(facts), nowMs)?.decision.reason;
  expect(reasonOf(all)).toBe('GET in prod');
  expect(reasonOf(all, { environment: '' })).toBe('GET in the unnamed');
  expect(reasonOf(all, { environment: 'test' })).toBe('GET');
  expect(reasonOf(all, { method: 'PUT' })).toBe('any in prod');
  expect(reasonOf(all, { method: 'PUT', environment: 'test' })).toBe('any');
  expect(reasonOf(all.slice(0, 3))).toBe('GET');
  expect(reasonOf(all, { service: 'pay' })).toBeUndefined();
  expect(reasonOf(all, { route: '/b/{id}' })).toBeUndefined();
  expect(reasonOf([])).toBeUndefined();
});

describe('a kept endpoint', () => {
  it('returns for a caller that it had not when it was decided', () => {
    const after = answeredMs + 1;
    expect(returned({}, { lastAnsweredCallers: [caller('otto', after)] })).toBe('new_consumer');
    expect(returned({}, { lastAnsweredCallers: [caller('', after, 'wget')] })).toBe('new_consumer');
    expect(returned({}, { lastAnsweredCallers: [caller('carmen', after)] })).toBeNull();
    expect(returned({}, { lastAnsweredCallers: [caller('', after, 'curl')] })).toBeNull();
    const known = caller('carmen', after);
    expect(returned({}, { lastAnsweredCallers: [known, caller('otto', after)] })).toBe(
      'new_consumer',
    );
  });

  it('does not return for a call that was known then, by a caller that was not listed', () => {
    const lastAnsweredCallers = [caller('otto', answeredMs)];
    expect(returned({}, { lastAnsweredCallers })).toBeNull();
    expect(returned({ lastAnsweredMs: null, callers: [] }, { lastAnsweredCallers })).toBe(
      'new_consumer',
    );
  });

  it('does not return for being answered', () => {
    expect(returned({}, { lastAnsweredMs: nowMs })).toBeNull();
  });
});

describe('an endpoint that is to be removed', () => {
  it('returns when it is answered after it was decided, by whomever', () => {
    const removal = { action: 'remove' as const };
    expect(returned(removal, { lastAnsweredMs: answeredMs + 1 })).toBe('called');
    expect(returned(removal, { lastAnsweredMs: answeredMs })).toBeNull();
    expect(returned(removal, {})).toBeNull();
    expect(returned({ ...removal, lastAnsweredMs: null }, { lastAnsweredMs: 1 })).toBe('called');
    const lastAnsweredCallers = [caller('otto', answeredMs)];
    expect(returned(removal, { lastAnsweredCallers })).toBeNull();
  });
});

it.each(['keep', 'deprecate', 'remove'] as const)('%s returns at its date', (action) => {
  expect(returned({ action, untilMs: nowMs }, {}, nowMs - 1)).toBeNull();
  expect(returned({ action, untilMs: nowMs }, {}, nowMs)).toBe('until_passed');
});

test('the evidence of endpoints is their newest answered call and all their callers', () => {
  expect(evidenceOf([])).toEqual({ lastAnsweredMs: null, callers: [] });
  expect(evidenceOf([endpoint()])).toEqual({ lastAnsweredMs: null, callers: [] });
  const carmen = endpoint({ lastAnsweredMs: 7, lastAnsweredCallers: [caller('carmen', 7)] });
  const curl = endpoint({
    lastAnsweredMs: 5,
    lastAnsweredCallers: [caller('', 5, 'curl'), caller('carmen', 4)],
  });
  for (const endpoints of [
    [carmen, curl],
    [curl, carmen],
  ]) {
    const { lastAnsweredMs, callers } = evidenceOf(endpoints);
    expect([lastAnsweredMs, callers.sort()]).toEqual([7, ['carmen', 'curl']]);
  }
  // A call that release 0.1.0 counted: it may have been answered.
  expect(evidenceOf([endpoint({ lastAnsweredMs: 5, unrecordedMs: 9 })]).lastAnsweredMs).toBe(9);
  expect(evidenceOf([endpoint({ lastAnsweredMs: 9, unrecordedMs: 5 })]).lastAnsweredMs).toBe(9);
});
