import { describe, expect, it } from 'vitest';
import { findingsOf } from '../../../cli/gate/findings.ts';
import { operationsOf, type Row } from '../../../cli/gate/operation.ts';
import { removalsOf } from '../../../cli/gate/removals.ts';
import { SpecLines } from '../../../cli/gate/spec-lines.ts';

const nowMs = Date.UTC(2026, 2, 18);
const options = { minConfidence: 0.9, window: '7 days', nowMs };

/** A declared operation that nobody called for a year, with a confidence of 0.97, except for what is told. */
function row(told: Partial<Row> = {}): Row {
  return {
    service: 'shop',
    environment: 'prod',
    method: 'GET',
    route: '/old/{id}',
    declared: true,
    declared_route: '/old/{id}',
    status: 'dead',
    marks: [],
    total_calls: 0,
    answered_count: 0,
    unique_clients: 0,
    last_called_at: '2025-03-01T10:00:00Z',
    observed_days: 400,
    last_callers: [{ client: '10.0.0.1', consumer: 'carmen', agent: null }],
    sunset_at: null,
    confidence: 0.97,
    ...told,
  };
}

const used: Partial<Row> = {
  status: 'active',
  total_calls: 1204,
  answered_count: 1204,
  unique_clients: 3,
  last_called_at: '2026-03-17T10:00:00Z',
};

const without = ({ confidence: _confidence, ...rest }: Row): Row => rest;

/** `kind: message` of each finding of a specification with these rows. */
function found(...rows: Row[]): string[] {
  const { findings } = findingsOf('shop', operationsOf(rows), [], options);
  return findings.map(({ kind, message }) => `${kind}: ${message}`);
}

describe('a declared operation', () => {
  it('that is dead with enough confidence is a finding', () => {
    expect(found(row())).toEqual([
      'dead: last called 2025-03-01; last callers carmen; confidence 0.97',
    ]);
  });

  it('that was never called is one too', () => {
    const never: Partial<Row> = { status: 'never_called', last_called_at: null, last_callers: [] };
    expect(found(row(never))).toEqual(['dead: never called in 400 observed days; confidence 0.97']);
  });

  it.each([
    ['with less confidence', row({ confidence: 0.89 })],
    ['with confidence null', row({ confidence: null })],
    ['without any confidence', without(row())],
    ['that the document itself adds', row({ marks: ['new'], status: 'never_called' })],
    ['that is cold', row({ status: 'cold' })],
  ])('%s is no finding', (_what, one) => {
    expect(found(one)).toEqual([]);
  });

  it('without confidence passes the threshold 0 alone', () => {
    const some = { ...options, minConfidence: 0 };
    const { findings } = findingsOf('shop', operationsOf([without(row())]), [], some);
    expect(findings[0]?.message).toMatch(/confidence unknown$/);
  });

  it('without confidence is named in a note', () => {
    const { notes } = findingsOf('shop', operationsOf([without(row())]), [], options);
    expect(notes).toEqual([
      '1 silent operations are not judged: the analyzer states no confidence for them',
    ]);
  });

  it('has a fingerprint of its service: another service is not excused by the same baseline', () => {
    const of = (service: string) => findingsOf(service, operationsOf([row()]), [], options);
    const [shop, pay] = [of('shop'), of('pay')].map(({ findings }) => findings[0]!.fingerprint);
    expect(shop).toMatch(/^[0-9a-f]{32}$/);
    expect(pay).not.toBe(shop);
    expect(of('shop').findings[0]!.fingerprint).toBe(shop);
  });

  it('that is dead in one environment and used in another is no finding', () => {
    expect(found(row(), row({ environment: 'eu', ...used }))).toEqual([]);
  });

  it('has the least confidence of its environments', () => {
    expect(found(row(), row({ environment: 'eu', confidence: 0.5 }))).toEqual([]);
  });

  it('that is deprecated and called is a finding', () => {
    const deprecated = row({ ...used, marks: ['deprecated'], sunset_at: '2026-06-30' });
    expect(found(deprecated)).toEqual([
      'deprecated-used: it is deprecated with its sunset on 2026-06-30, and called: 3 clients, 1,204 calls in the last 7 days; last callers carmen',
    ]);
    expect(found(row({ marks: ['deprecated'], status: 'cold' }))).toEqual([]);
  });
});

describe('an operation that is not declared', () => {
  const undeclared: Partial<Row> = { declared: false, declared_route: null };

  it('is a finding while it is in use', () => {
    expect(found(row({ ...undeclared, ...used }))).toEqual([
      'undocumented: it is not declared and in use: 3 clients, 1,204 calls in the last 7 days, last called 2026-03-17',
    ]);
  });

  it.each([
    ['dead', row(undeclared)],
    ['removed', row({ ...undeclared, status: 'removed' })],
    ['only answered with errors', row({ ...undeclared, ...used, marks: ['only_errors'] })],
    ['a bucket', row({ ...undeclared, ...used, route: '(unmatched)', status: null })],
  ])('is no finding when it is %s', (_what, one) => {
    expect(found(one)).toEqual([]);
  });
});

describe('a removal', () => {
  /** Verdict and message, then the kinds of its findings. */
  function removed(...rows: Row[]): [string, string, string[]] {
    const removals = removalsOf(operationsOf(rows), new Map(), options);
    const next = operationsOf(rows.map((one) => ({ ...one, declared: false })));
    const { findings } = findingsOf('shop', next, removals, options);
    const [{ verdict, message } = { verdict: '', message: '' }] = removals;
    return [verdict, message, findings.map(({ kind }) => kind)];
  }

  it('breaks callers that were answered in the window, whatever its status', () => {
    for (const status of ['dead', 'removed', 'unknown', 'never_called']) {
      const [verdict] = removed(row({ status, total_calls: 3, answered_count: 3 }));
      expect(verdict, status).toBe('breaks');
    }
  });

  it('of a dead operation is safe, deprecated or not', () => {
    expect(removed(row({ confidence: 0.98 }))).toEqual([
      'safe',
      'safe: dead, 0.98; last called 2025-03-01; last callers carmen',
      [],
    ]);
  });

  it('of an operation in use breaks its callers', () => {
    expect(removed(row(used))).toEqual([
      'breaks',
      'breaks 3 clients, 1,204 calls in the last 7 days; last callers carmen',
      ['breaking', 'removal-before-deprecation'],
    ]);
  });

  it('of a deprecated operation in use only breaks', () => {
    expect(removed(row({ ...used, marks: ['deprecated'] }))[2]).toEqual(['breaking']);
  });

  it('before its sunset is too early, after it is not', () => {
    const deprecated = (sunset_at: string) => row({ ...used, marks: ['deprecated'], sunset_at });
    expect(removed(deprecated('2026-03-19'))[2]).toContain('removal-before-deprecation');
    expect(removed(deprecated('2026-03-17'))[2]).not.toContain('removal-before-deprecation');
  });

  it('of an operation without confidence is never safe', () => {
    expect(removed(without(row()))).toEqual([
      'unproven',
      'unproven: dead, confidence unknown; last called 2025-03-01; last callers carmen',
      ['removal-before-deprecation'],
    ]);
  });

  it('of an operation whose service is silent is unproven', () => {
    expect(removed(row({ status: 'unknown' }))[0]).toBe('unproven');
  });

  it('is none when only a parameter or the case changes its name', () => {
    const base = operationsOf([row()]);
    const next = operationsOf([
      row({ route: '/Old/{order_id}', declared_route: '/Old/:order_id' }),
    ]);
    expect(removalsOf(base, next, options)).toEqual([]);
  });
});

describe('the line of an operation', () => {
  it.each([
    ['YAML', 'openapi: 3.1.0\npaths:\n  /a/{id}:\n    get: {}\n    post: {}\n  /b:\n    put: {}\n'],
    [
      'JSON',
      '{\n "paths":\n {\n  "/a/{id}": { "x": 1,\n   "get": {},\n   "post": {} },\n  "/b": {\n   "put": {} } } }',
    ],
  ])('is found in %s', (_kind, text) => {
    const lines = new SpecLines(text);
    const line = (method: string, route: string) => text.split('\n')[lines.of(method, route) - 1];
    expect(line('GET', '/a/{id}')).toContain('get');
    expect(line('POST', '/a/{id}')).toContain('post');
    expect(line('PUT', '/b')).toContain('put');
    expect(line('PUT', '/a/{id}')).toContain('/a/{id}');
    expect(line('POST', '/a/{other_name}')).toContain('post');
    expect(lines.of('GET', '/other')).toBe(1);
  });

  it('is found in a list of routes', () => {
    expect(new SpecLines('# all\nGET  /a\nPOST /b deprecated\n').of('POST', '/b')).toBe(3);
  });
});
