import { expect, it } from 'vitest';
import { openClientPrivacy } from '../../../collector/extract/client/privacy.ts';
import { PrivateDictionary } from '../../../collector/extract/client/private-dictionary.ts';
import { Extractor } from '../../../collector/extract/extractor.ts';
import { type AnyValue, encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { CallBatch } from '../../../core/call.ts';
import { readConfig } from '../../../core/config/config.ts';
import { type EndpointTraits, traitsOfText } from '../../../core/endpoint-traits.ts';
import { openLog } from '../../../core/log.ts';
import { temporaryFolder } from '../../support/process.ts';
import { extracting, message, nowMs, span } from '../support/extracting.ts';

const get = { 'http.request.method': 'GET', 'http.response.status_code': 200 };
const today = Math.floor(nowMs / 86_400_000) - 1; // The spans end a second before midnight.

/** The notes of one span. */
function traitsOf(
  attributes: Record<string, AnyValue>,
  resource: Record<string, AnyValue> = {},
): EndpointTraits[] {
  const { extract, batch } = extracting();
  extract(message([span({ ...get, 'http.route': '/a', ...attributes })], resource));
  return batch.notes.map(({ traits }) => traits);
}

it('a span without traits is noted nowhere', () => {
  expect(traitsOf({})).toEqual([]);
  expect(traitsOf({ 'http.response.header.link': { array: ['</next>; rel="next"'] } })).toEqual([]);
});

it('headers that announce the end of an endpoint are noted as they were sent, as arrays or texts', () => {
  const announcement = {
    deprecation: '@1688169599',
    sunset: 'Sun, 30 Jun 2030 00:00:00 GMT',
    link: '</a>; rel="deprecation", </b>; rel="sunset"',
    firstMs: nowMs - 1_000,
    lastDay: today,
  };
  const sent = {
    'http.response.header.deprecation': { array: ['@1688169599'] },
    'http.response.header.sunset': { array: ['Sun, 30 Jun 2030 00:00:00 GMT'] },
    'http.response.header.link': { array: ['</a>; rel="deprecation"', '</b>; rel="sunset"'] },
  };
  expect(traitsOf(sent)).toEqual([{ announcement }]);
  const texts = { ...sent, 'http.response.header.sunset': 'Sun, 30 Jun 2030 00:00:00 GMT' };
  expect(traitsOf(texts)).toEqual([{ announcement }]);
  // Cut, a date would be another date.
  expect(traitsOf({ 'http.response.header.sunset': 'x'.repeat(1_001) })).toEqual([{}]);
});

it('the code location has the new names, else the old ones', () => {
  const code = { function: 'app.Users.list', file: '/app/users.py', line: 42, lastDay: today };
  expect(
    traitsOf({
      'code.function.name': 'app.Users.list',
      'code.file.path': '/app/users.py',
      'code.line.number': 42,
      'code.function': 'old',
    }),
  ).toEqual([{ code }]);
  expect(
    traitsOf({
      'code.namespace': 'app.Users',
      'code.function': 'list',
      'code.filepath': '/app/users.py',
      'code.lineno': '42',
    }),
  ).toEqual([{ code }]);
  expect(traitsOf({ 'code.line.number': 42 })).toEqual([]);
});

it('the resource names the owner, and whether its spans report announcements', () => {
  expect(traitsOf({}, { 'service.owner': 'team-a' })).toEqual([
    { owner: { name: 'team-a', lastDay: today } },
  ]);
  expect(traitsOf({}, { 'telemetry.distro.name': '@rollcall/instrumentation' })).toEqual([
    { reportingDay: today },
  ]);
});

it('no address is noted where addresses are not stored', () => {
  const folder = temporaryFolder();
  const options = {
    mode: 'hash',
    keyPath: `${folder.path}/key`,
    log: openLog('test', 'silent'),
  } as const;
  const privacy = openClientPrivacy({ ...options, now: () => nowMs })!;
  const dictionary = new PrivateDictionary(privacy);
  const config = readConfig({});
  const extractor = new Extractor({ dictionary, config, now: () => nowMs, privacy });
  const batch = new CallBatch();
  const said = {
    'http.response.header.sunset': '2030-01-01',
    'http.response.header.link': '<https://203.0.113.7/v2>; rel="sunset"',
    'code.function.name': 'from_203.0.113.7',
    'code.file.path': '/srv/2001:db8::7/a.ts',
  };
  const body = message([span({ ...get, 'http.route': '/a', ...said })], {
    'service.owner': 'team at 203.0.113.7',
  });
  extractor.extract('p', body, batch);
  privacy.close();
  folder.remove();
  expect(JSON.stringify(batch.notes)).not.toMatch(/203\.0|2001:db8/);
  expect(batch.notes[0]!.traits).toMatchObject({
    announcement: { sunset: '2030-01-01', link: '<https://{address}/v2>; rel="sunset"' },
    owner: { name: 'team at {address}' },
  });
});

it('equal traits of an endpoint are noted once, other ones four times a minute', () => {
  const { extract, batch } = extracting();
  const sunset = (day: number, route = '/a') =>
    span({ ...get, 'http.route': route, 'http.response.header.sunset': `2030-01-0${day}` });
  for (let n = 0; n < 5; n += 1) extract(message([sunset(1), sunset(1, '/b'), sunset(1)]));
  expect(batch.notes).toHaveLength(2);
  for (let n = 0; n < 20; n += 1) extract(message([sunset(2), sunset(3)]));
  expect(batch.notes).toHaveLength(5);
});

it('a message that is refused or a batch that is not committed leaves its traits to be noted again', () => {
  const { extract, extractor, batch } = extracting();
  const one = span({ ...get, 'http.route': '/a', 'http.response.header.sunset': '2030-01-01' });
  const body = encodeTraces([{ attributes: [], scopes: [{ name: 'test', spans: [one] }] }]);
  const broken = Buffer.concat([body, Buffer.from([0x0a, 0x7f])]);
  expect(() => extract(broken)).toThrow();
  expect(batch.notes).toHaveLength(0);
  extract(body);
  expect(batch.notes).toHaveLength(1);
  extractor.forget(batch);
  extract(message([{ ...one, spanId: Buffer.alloc(8, 9) }]));
  expect(batch.notes).toHaveLength(2);
});

it('a damaged row says nothing', () => {
  expect(traitsOfText('{"owner":{"name":"a","lastDay":1}}')).toEqual({
    owner: { name: 'a', lastDay: 1 },
  });
  for (const text of ['', '{"owner":', 'null', '7', '\0\0'])
    expect(traitsOfText(text)).toBeUndefined();
});
