import { describe, expect, test } from 'vitest';
import type { AnyValue } from '../../../collector/otlp/traces-encoder.ts';
import { limits } from '../../../core/limits.ts';
import { callOf, extracting, message, nowNs, span } from '../support/extracting.ts';

const get = { 'http.request.method': 'GET', 'url.path': '/health', 'http.route': '/health' };
const dayNs = 86_400_000_000_000n;

/** The counters of a request that are not 0. */
function counted(extracted: object): Record<string, number> {
  const flat = Object.entries(extracted).flatMap(([name, count]) => {
    if (Array.isArray(count)) return [[name, count.length]];
    return typeof count === 'object' ? Object.entries(count as object) : [[name, count]];
  });
  return Object.fromEntries(flat.filter(([, count]) => count !== 0));
}

describe('which spans are calls', () => {
  test('X1: only SERVER spans, whatever else the others say', () => {
    const { extract } = extracting();
    const spans = [0, 1, 2, 3, 4, 5].map((kind) => span(get, { kind }));
    expect(counted(extract(message(spans)))).toEqual({ stored: 1, notServer: 5 });
  });

  test.each([
    ['http.request.method', 'GET'],
    ['http.method', 'GET'],
    ['http.response.status_code', 200],
    ['http.status_code', '200'],
    ['http.route', '/a'],
    ['url.path', '/a'],
    ['url.full', 'http://h/a'],
    ['http.target', '/a'],
    ['http.url', 'http://h/a'],
  ])('a span with %s is HTTP', (key, value) => {
    expect(counted(callOf({ [key]: value }).extracted)).toEqual({ stored: 1 });
  });

  test('messaging, RPC and bare spans are not', () => {
    const { extract } = extracting();
    const spans = [
      span({}),
      span({ 'messaging.system': 'kafka' }),
      span({ ...get, 'rpc.system': 'grpc' }),
      span({ ...get, 'rpc.system.name': 'grpc' }),
    ];
    expect(counted(extract(message(spans)))).toEqual({ notHttp: 4 });
  });

  test('X8: excluded methods and routes are counted as such', () => {
    const { extract, called } = extracting({
      excludeMethods: ['OPTIONS'],
      excludeRoutes: ['/internal/*', '/health?'],
    });
    const on = (method: string, route: string) =>
      span({ 'http.request.method': method, 'http.route': route });
    const spans = [
      on('OPTIONS', '/a'),
      on('GET', '/internal/a/b'),
      on('GET', '/healthz'),
      on('GET', '/health'),
      on('GET', '/a/internal/b'),
    ];
    expect(counted(extract(message(spans)))).toEqual({ stored: 2, method: 1, route: 2 });
    expect(called().map(({ route }) => route)).toEqual(['/health', '/a/internal/b']);
  });
});

describe('method', () => {
  test.each<[Record<string, AnyValue>, string, string]>([
    [{ 'http.request.method': 'POST', 'http.method': 'GET' }, 'x', 'POST'],
    [{ 'http.request.method': '', 'http.method': 'get' }, 'x', 'GET'],
    [{ 'http.request.method': '_OTHER', 'http.request.method_original': 'QUERY' }, 'x', 'QUERY'],
    [{ 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' }, 'x', '_OTHER'],
    [{ 'http.request.method': 'PROPFIND' }, 'GET /a', '_OTHER'],
    [{}, 'DELETE /a/{id}', 'DELETE'],
    [{}, 'Post office', '_OTHER'],
    [{}, 'HTTP', '_OTHER'],
    [{}, '', '_OTHER'],
  ])('%j named %j is %s', (attributes, name, method) => {
    expect(callOf({ 'url.path': '/a/b', ...attributes }, { name }).method).toBe(method);
  });
});

describe('status', () => {
  test.each<[AnyValue, number]>([
    [200, 200],
    ['404', 404],
    [{ double: 503.9 }, 503],
    [true, 0],
    ['', 0],
    ['ok', 0],
    [0, 0],
    [-1n, 0],
    [99, 0],
    [1000, 0],
    [999, 999],
  ])('%s is %s', (value, status) => {
    expect(callOf({ ...get, 'http.response.status_code': value }).status).toBe(status);
  });

  test('the old name counts where the new one says nothing', () => {
    const statuses = { 'http.response.status_code': '', 'http.status_code': '301' };
    expect(callOf({ ...get, ...statuses }).status).toBe(301);
  });

  const exception = {
    timeUnixNano: nowNs,
    name: 'exception',
    attributes: [{ key: 'exception.type', value: 'KeyError' }],
  };

  test('X19: none, but an error: counted as 500 and kept apart', () => {
    const failed = callOf(get, { status: { code: 2, message: 'boom' } });
    expect([failed.status, failed.errorType]).toEqual([500, '500']);
    expect(counted(failed.extracted)).toEqual({ stored: 1, statusAssumed: 1 });
    const thrown = callOf(get, { events: [exception] });
    expect([thrown.status, thrown.errorType]).toEqual([500, 'KeyError']);
    const other = callOf(get, { events: [{ ...exception, name: 'log' }], status: { code: 1 } });
    expect([other.status, other.errorType]).toEqual([0, '']);
  });

  test('the type of an error: attribute, exception, status; of nothing else', () => {
    const of = (status: number, attributes = {}, events = [exception]) =>
      callOf({ ...get, 'http.response.status_code': status, ...attributes }, { events }).errorType;
    expect(of(500, { 'error.type': 'Timeout' })).toBe('Timeout');
    expect(of(500)).toBe('KeyError');
    expect(of(503, {}, [])).toBe('503');
    expect(of(404, {}, [])).toBe('');
    expect(of(422, { 'error.type': 'ValidationError' }, [])).toBe('ValidationError');
    expect(of(200, { 'error.type': 'Ignored' })).toBe('');
  });
});

describe('time', () => {
  test.each([0n, 1n, 999_999_999n, 1_000_000_000n, 123_456_789n, 999_999_744n])(
    'P8: an end %d ns into a second keeps its digits',
    (beyond) => {
      const endTimeUnixNano = nowNs - dayNs + beyond;
      const startTimeUnixNano = endTimeUnixNano - 1_234_567_891n;
      const call = callOf(get, { startTimeUnixNano, endTimeUnixNano });
      expect(call.endNs).toBe(endTimeUnixNano);
      expect(call.durationNs).toBe(1_234_567_891);
    },
  );

  test('X9: an end before the start is a duration of 0, and counted', () => {
    const call = callOf(get, { startTimeUnixNano: nowNs, endTimeUnixNano: nowNs - 1n });
    expect(call.durationNs).toBe(0);
    expect(counted(call.extracted)).toEqual({ stored: 1, clockSkewed: 1 });
  });

  test.each([
    ['25 days', 25n * dayNs, 25 * 86_400 * 1e9, 0],
    ['25 days and 2 µs', 25n * dayNs + 2_000n, -1, 1],
    ['all since 1 ns after the epoch', nowNs - 1n, -1, 1],
  ])('X9: a duration of %s is kept or left out, and counted', (_, longNs, durationNs, dropped) => {
    const call = callOf(get, { startTimeUnixNano: nowNs - longNs, endTimeUnixNano: nowNs });
    expect(call.durationNs).toBe(durationNs);
    expect(counted(call.extracted)).toEqual({
      stored: 1,
      ...(dropped > 0 && { durationsDropped: dropped }),
    });
  });

  test('X10: too far in the future, too old, and zero are rejected by their names', () => {
    const retention = 800n * dayNs;
    const futureNs = BigInt(limits.futureS) * 1_000_000_000n;
    const ending = (endTimeUnixNano: bigint, startTimeUnixNano = 1n) =>
      span(get, { endTimeUnixNano, startTimeUnixNano });
    const { extract } = extracting();
    const spans = [
      ending(nowNs + futureNs + 999_999_999n),
      ending(nowNs + futureNs + 1_000_000_000n),
      ending(2n ** 64n - 1n),
      ending(nowNs - retention),
      ending(nowNs - retention - 1n),
      ending(1n),
      ending(0n),
      ending(nowNs, 0n),
    ];
    expect(counted(extract(message(spans)))).toEqual({
      stored: 2,
      durationsDropped: 2,
      future: 2,
      too_old: 2,
      time_zero: 2,
      clocksAhead: 1,
    });
  });
});

describe('P4, X12: ids', () => {
  test('another length rejects that span only; empty and zero are taken', () => {
    const { extract, called } = extracting();
    const spans = [
      span(get, { traceId: Buffer.alloc(15, 1) }),
      span(get, { traceId: Buffer.alloc(32, 1) }),
      span(get, { spanId: Buffer.alloc(7, 1) }),
      span(get, { traceId: Buffer.alloc(0), spanId: Buffer.alloc(0) }),
      span(get, { traceId: Buffer.alloc(16), spanId: Buffer.alloc(8) }),
      span(get, { traceId: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex') }),
    ];
    expect(counted(extract(message(spans)))).toEqual({ stored: 3, trace_id: 2, span_id: 1 });
    expect(called().map(({ traceId }) => traceId)).toEqual([
      '0'.repeat(32),
      '0'.repeat(32),
      '000102030405060708090a0b0c0d0e0f',
    ]);
  });
});

describe('who called', () => {
  const caller = { ...get, 'user_agent.original': 'curl/8.5.0' };

  test('the first configured attribute that is present, else the agent', () => {
    const consumerAttributes = ['enduser.id', 'user.id', 'http.request.header.x-api-key'];
    const of = (attributes: Record<string, AnyValue>) =>
      callOf({ ...caller, ...attributes }, {}, { consumerAttributes }).consumer;
    expect(of({})).toBe('curl');
    expect(of({ 'user.id': 'ann' })).toBe('ann');
    expect(of({ 'user.id': 'ann', 'enduser.id': 'bob' })).toBe('bob');
    expect(of({ 'user.id': 'ann', 'enduser.id': '' })).toBe('ann');
    expect(of({ 'enduser.id': 2n ** 62n + 1n })).toBe('4611686018427387905');
    expect(of({ 'enduser.id': -1n })).toBe('-1');
    expect(of({ 'http.request.header.x-api-key': { array: ['key', 'other'] } })).toBe('key');
  });

  test('an attribute that is read anyway can name the consumer too', () => {
    const call = callOf(
      { ...caller, 'client.address': '203.0.113.7' },
      {},
      {
        consumerAttributes: ['client.address'],
      },
    );
    expect([call.consumer, call.client]).toEqual(['203.0.113.7', '203.0.113.7']);
  });

  test('a bot by its name, or because the instrumentation says so', () => {
    expect(callOf(caller)).toMatchObject({ agent: 'curl', bot: false });
    expect(callOf({ ...caller, 'user_agent.synthetic.type': 'test' })).toMatchObject({ bot: true });
    const googlebot = { ...get, 'http.user_agent': 'Googlebot/2.1' };
    expect(callOf(googlebot)).toMatchObject({ agent: 'Googlebot', bot: true });
  });
});

describe('sizes', () => {
  test('new names, old names, text; -1 when unknown or nonsense', () => {
    const of = (attributes: Record<string, AnyValue>) => {
      const call = callOf({ ...get, ...attributes });
      return [call.requestBytes, call.responseBytes];
    };
    expect(of({})).toEqual([-1, -1]);
    expect(of({ 'http.request.body.size': 0, 'http.response.body.size': 2 ** 40 })).toEqual([
      0,
      2 ** 40,
    ]);
    expect(of({ 'http.request_content_length': '17', 'http.response.size': 5 })).toEqual([17, 5]);
    expect(of({ 'http.request.body.size': -1n, 'http.response.body.size': 'x' })).toEqual([-1, -1]);
  });
});

describe('the resource', () => {
  const of = (resource: Record<string, AnyValue>) => {
    const { extract, called } = extracting();
    extract(message([span(get)], resource));
    const { service, environment, serviceVersion } = called()[0]!;
    return [service, environment, serviceVersion];
  };

  test('service, environment by its new name and its old one, version', () => {
    const old = { 'deployment.environment': 'old' };
    expect(of({})).toEqual(['unknown_service', '', '']);
    expect(of({ 'service.name': 'shop', ...old, 'service.version': '1' })).toEqual([
      'shop',
      'old',
      '1',
    ]);
    expect(of({ 'deployment.environment.name': 'new', ...old })[1]).toBe('new');
  });

  test('names are cut at a character, and hold no NUL', () => {
    const [service] = of({ 'service.name': 'é'.repeat(200) });
    expect(service).toBe('é'.repeat(127));
    expect(of({ 'service.name': 'a\0b' })[0]).toBe('a\ufffdb');
  });

  test('projects, services and environments are endpoints of their own', () => {
    const { extract, called } = extracting();
    extract(message([span(get)], { 'service.name': 'a' }), 'p');
    extract(message([span(get)], { 'service.name': 'a' }), 'q');
    extract(message([span(get)], { 'service.name': 'a', 'deployment.environment': 'e' }), 'q');
    const names = called().map((call) => `${call.project} ${call.service} ${call.environment}`);
    expect(names).toEqual(['p a ', 'q a ', 'q a e']);
  });
});

describe('routes', () => {
  const of = (attributes: Record<string, AnyValue>, name = 'GET') =>
    callOf({ 'http.request.method': 'GET', ...attributes }, { name }).route;

  test('path from whichever attribute holds it, without query', () => {
    const route = '/a/{id}';
    expect(of({ 'url.path': '/a/123?x=/y/z' })).toBe(route);
    expect(of({ 'http.target': '/a/123#f' })).toBe(route);
    expect(of({ 'url.full': 'https://host:8443/a/123?q=secret' })).toBe(route);
    expect(of({ 'http.url': 'http://host' })).toBe('/');
  });

  test('a route that covers only a prefix is completed, and at most so many remainders of it', () => {
    const { extract, called } = extracting();
    const word = (i: number) => `${'abcdefghij'[i % 10]}${'klmnopqrst'[Math.floor(i / 10)]}item`;
    const to = (i: number) =>
      span({ ...get, 'http.route': '/mount', 'url.path': `/mount/${word(i)}` });
    const spans = Array.from({ length: limits.mountRemainders + 5 }, (_, i) => to(i));
    extract(message([...spans, to(0)]));
    const routes = called().map(({ route }) => route);
    expect(new Set(routes).size).toBe(limits.mountRemainders + 1);
    expect(routes.slice(-2)).toEqual(['/mount/{path}', `/mount/${word(0)}`]);
  });

  test('no end of paths and names is remembered', () => {
    const { extract, extractor } = extracting();
    for (let round = 0; round < 20; round += 1) {
      const spans = Array.from({ length: 2000 }, (_, i) =>
        span({ 'url.path': `/nope/${round}/${i}.php`, 'http.response.status_code': 404 }),
      );
      extract(message(spans));
    }
    expect(extractor.size).toBeLessThan(20);
  });
});

test('what is remembered can be forgotten between batches, and means the same again', () => {
  const { extract, extractor, dictionary, called } = extracting();
  const body = () =>
    message([span({ ...get, 'client.address': '203.0.113.7', 'user_agent.original': 'curl/8' })]);
  extract(body());
  const before = called();
  expect(extractor.size).toBeGreaterThan(0);
  const { epoch } = dictionary;
  extractor.reset();
  expect(extractor.size).toBe(0);
  expect(dictionary.epoch).toBe(epoch + 1);
  extract(body());
  expect(called()).toEqual([...before, ...before]);
});
