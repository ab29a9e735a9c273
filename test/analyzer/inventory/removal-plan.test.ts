import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { removalPlan } from '../../../analyzer/inventory/removal-plan.ts';
import type { EndpointRow } from '../../../analyzer/reports/endpoint-row.ts';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';

const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

/** A dead endpoint with a confidence of 0.97, except for what is told. */
function row(told: Partial<EndpointRow>): EndpointRow {
  return {
    service: 'shop',
    environment: 'prod',
    method: 'GET',
    route: '/old',
    status: 'dead',
    marks: [],
    confidence: 0.97,
    owner: null,
    last_called_at: '2026-01-02T03:04:05.000Z',
    observed_days: 200,
    last_callers: [{ client: '10.0.0.1', consumer: 'carmen', agent: null, called_at: '' }],
    reasons: [],
    expected_at: null,
    sunset_at: null,
    decision: null,
    decision_returned: null,
    decision_until: null,
    decision_reason: null,
    decision_by: null,
    ...told,
  } as EndpointRow;
}

it('each owner and service has its endpoints by what is to be done', () => {
  const returned = {
    decision: 'keep',
    decision_returned: 'new_consumer',
    decision_by: 'ada',
  } as const;
  const endpoints = [
    row({ route: '/safe', owner: 'team-a' }),
    row({ route: '/unsure', owner: 'team-a', confidence: 0.5 }),
    row({
      route: '/ending',
      owner: 'team-a',
      confidence: 0.5,
      marks: ['deprecated'],
      sunset_at: '2026-09-30',
    }),
    row({ route: '/back', owner: 'team-a', status: 'active', ...returned }),
    row({
      route: '/a|b*',
      owner: 'team-a',
      service: 'pay',
      environment: '',
      status: 'never_called',
      last_called_at: null,
      last_callers: [],
    }),
    row({ route: '/nobody' }),
  ];
  expect(removalPlan({ endpoints }, 'As of today.')).toBe(`# Removal plan

As of today.

## team-a

### shop, prod

**Safe to remove now** (1)

- GET /safe: last called 2026-01-02, confidence 0.97; last callers carmen

**Decide again** (1)

- GET /back: keep by ada: a consumer calls it that had not; last callers carmen

**Deprecate first, and talk to the last callers** (1)

- GET /unsure: last called 2026-01-02, confidence 0.50; last callers carmen

**Watch** (1)

- GET /ending: until 2026-09-30, its sunset; last called 2026-01-02, confidence 0.50; last callers carmen

### pay

**Safe to remove now** (1)

- GET /a\\|b\\*: never called in 200 observed days, confidence 0.97

## Without an owner

### shop, prod

**Safe to remove now** (1)

- GET /nobody: last called 2026-01-02, confidence 0.97; last callers carmen
`);
});

it('what another environment uses, what came back and what nobody is sure of is not safe to remove', () => {
  const endpoints = [
    row({ route: '/used-elsewhere', service_status: 'active' }),
    row({ route: '/removed-elsewhere', service_status: 'removed' }),
    row({ route: '/dead-elsewhere', service_status: 'dead' }),
    row({
      route: '/back',
      decision: 'remove',
      decision_returned: 'until_passed',
      decision_until: '2026-05-06',
    }),
    row({ route: '/unknown', confidence: null }),
    row({ route: '/at-bound', confidence: 0.9 }),
    row({
      route: '/watched',
      confidence: 0.5,
      marks: ['deprecated'],
      expected_at: '2026-03-01',
      sunset_at: '2026-09-30',
      last_callers: [
        { client: '10.0.0.1', consumer: null, agent: 'curl', called_at: '' },
        { client: '10.0.0.2', consumer: null, agent: null, called_at: '' },
      ] as never,
    }),
  ];
  const plan = removalPlan({ endpoints }, '');
  const steps = plan.split(/^\*\*(.*)\*\* \(/m).slice(1);
  const routes = Object.fromEntries(
    steps.flatMap((title, i) =>
      i % 2 === 0 ? [[title, steps[i + 1]!.match(/\/[\w-]+(?=:)/g)]] : [],
    ),
  );
  expect(routes).toEqual({
    'Safe to remove now': ['/removed-elsewhere', '/dead-elsewhere', '/at-bound'],
    'Decide again': ['/back'],
    'Keep: not dead in another environment': ['/used-elsewhere'],
    'Deprecate first, and talk to the last callers': ['/unknown'],
    Watch: ['/watched'],
  });
  expect(plan).toContain(
    '/watched: until 2026-03-01, when its next call is expected; last called 2026-01-02, confidence 0.50; last callers curl, 10.0.0.2',
  );
  expect(plan).toContain('/back: remove: its date, 2026-05-06, has come; last callers carmen');
});

it('an empty list is a plan without work', () => {
  expect(removalPlan({ endpoints: [] }, 'As of today.')).toContain('Nothing is left to do.');
});

it('the dead list as Markdown is the plan, with fields a table; owner= narrows both', async () => {
  const analyzer = `${rollcall.addresses.analyzer}/api/v1`;
  const attributes = [{ key: 'service.name', value: 'shop' }];
  const spans = [serverSpan({ attributes: callTo('/used') })];
  const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  const url = `${rollcall.addresses.otlp_http}/v1/traces`;
  await fetch(url, { method: 'POST', headers: { 'content-type': protobufType }, body });
  const routes = [
    { method: 'GET', route: '/used' },
    { method: 'GET', route: '/a', owner: 'team-a' },
    { method: 'GET', route: '/b', owner: 'team-b' },
    { method: 'GET', route: '/c' },
  ];
  await fetch(`${analyzer}/services/shop/inventory`, {
    method: 'PUT',
    body: JSON.stringify({ routes }),
  });
  const text = async (query: string) => (await fetch(`${analyzer}/report/dead?${query}`)).text();
  const plan = await text('format=md');
  expect(plan).toMatch(/^# Removal plan\n/);
  expect(plan.match(/^## .*/gm)).toEqual(['## team-a', '## team-b', '## Without an owner']);
  expect(await text('format=md&owner=team-b')).toContain('GET /b');
  expect(await text('format=md&owner=team-b')).not.toContain('GET /a');
  expect(await text('format=md&owner=')).toContain('GET /c');
  expect(await text('format=md&fields=method,route,owner')).toContain('| GET | /a | team-a |');
  expect(await text('format=csv&owner=team-a')).toContain(',/a,');
});
