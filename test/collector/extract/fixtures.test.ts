import { describe, expect, test } from 'vitest';
import { nothingExtracted } from '../../../collector/extract/counts.ts';
import { Extractor } from '../../../collector/extract/extractor.ts';
import { CallBatch, CallDictionary } from '../../../core/call.ts';
import { readConfig } from '../../../core/config/config.ts';
import { specialRoutes } from '../../../core/limits.ts';
import { routeShape } from '../../../core/route/route.ts';
import { type Called, calledOf } from '../support/called.ts';
import { encodeJson } from '../support/decoder.ts';
import { fixtureNames, readFixture, type TrueCall } from '../support/fixture.ts';

/** What a stack without a router tells nothing of: its paths, templated. */
const templated: Record<string, string> = {
  '/health': '/health',
  '/users/1': '/users/{id}',
  '/users/42': '/users/{id}',
  '/users/7': '/users/{id}',
  // No id by its looks, and nothing else to go by.
  '/users/J%C3%BCrgen': '/users/Jürgen',
  '/orders': '/orders',
  '/orders/1001/items/5': '/orders/{id}/items/{id}',
  '/orders/1002/items/b7': '/orders/{id}/items/{id}',
  '/boom': '/boom',
  '/files/a.txt': '/files/{file}',
  '/files/docs/2026/read%20me.md': '/files/docs/{year}/{file}',
  '/api/v1/things/9': '/api/v1/things/{id}',
  '/api/v1/things/10': '/api/v1/things/{id}',
  '/api/v1/things/6f1c2b9e-8a53-4f0e-9a7c-3d2b1e0f4a55': '/api/v1/things/{uuid}',
  '/slow': '/slow',
};

function expectedRoute(call: TrueCall): string {
  if (call.status === 404 || call.status === 405) return specialRoutes.unmatched;
  return routeShape(call.canonicalRoute ?? templated[call.path]!);
}

function extractAll(name: string) {
  const fixture = readFixture(name);
  const dictionary = new CallDictionary();
  const now = () => Date.UTC(2026, 10, 30);
  const extractor = new Extractor({ dictionary, config: readConfig({}), now });
  const batch = new CallBatch();
  let others = 0;
  for (const { contentType, body } of fixture.messages) {
    const message = contentType.includes('json') ? encodeJson(body) : body;
    const extracted = extractor.extract('p', message, batch);
    expect({ ...extracted, stored: 0, notServer: 0 }).toEqual(nothingExtracted());
    others += extracted.notServer;
  }
  const calls = calledOf(batch, dictionary.takeNew());
  // Made one after the other: the order of their ends is the order of truth.json.
  calls.sort((a, b) => Number(a.endNs - b.endNs));
  return { truth: fixture.truth, calls, others };
}

const agents: Record<string, string> = {
  'fixture-client/1.0': 'fixture-client',
  'other-client/2.1 (+test)': 'other-client',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)': 'Googlebot',
};

describe.each(fixtureNames())('%s', (name) => {
  const { truth, calls, others } = extractAll(name);

  test('every call is counted once, and no other span', () => {
    expect(calls.length).toBe(truth.spans.serverOuter);
    expect(others).toBe(truth.spans.total - truth.spans.serverOuter);
  });

  test('method, route, status, client and agent are the true ones', () => {
    const summary = ({ method, route, status, client, agent, bot }: Called) =>
      `${method} ${routeShape(route)} ${status} by ${client} with ${agent}${bot ? ' (bot)' : ''}`;
    expect(calls.map(summary)).toEqual(
      truth.calls.map((call) => {
        const agent = agents[call.observed.userAgent]!;
        return `${call.method} ${expectedRoute(call)} ${call.status} by ${call.observed.client} with ${agent}${agent === 'Googlebot' ? ' (bot)' : ''}`;
      }),
    );
  });

  test('durations are those of the spans', () => {
    for (const [i, call] of calls.entries()) {
      const { observed, durationMsAtLeast } = truth.calls[i]!;
      expect(call.durationNs / 1e6).toBeCloseTo(observed.durationMs, 2);
      expect(call.durationNs / 1e6).toBeGreaterThanOrEqual(durationMsAtLeast);
    }
  });

  test('an error has a type, and nothing else has one', () => {
    for (const call of calls) expect(call.errorType !== '').toBe(call.status >= 500);
  });

  test('service, environment and version are the resource’s', () => {
    for (const { service, environment, serviceVersion } of calls) {
      expect([service, environment, serviceVersion]).toEqual([name, 'test', '1.2.3']);
    }
  });
});
