import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deprecationOf, endingOf, linkOf, momentOf } from '../../../analyzer/verdict/ending.ts';
import { type AnyValue, encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { checkDocumented } from '../support/documented.ts';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 5, 1);
const today = nowMs / dayMs;

describe('headers that announce the end of an endpoint', () => {
  it.each([
    ['@1688169599', { isDeprecated: true, sinceMs: 1_688_169_599_000 }],
    ['@1688169599;foo=1', { isDeprecated: true, sinceMs: 1_688_169_599_000 }],
    ['Sun, 11 Nov 2018 23:59:59 GMT', { isDeprecated: true, sinceMs: 1_541_980_799_000 }],
    ['true', { isDeprecated: true }],
    ['?1', { isDeprecated: true }],
    ['@99999999999', { isDeprecated: true, sinceMs: 99_999_999_999_000 }],
    ['@999999999999', { isDeprecated: true }],
    ['@-5', { isDeprecated: true }],
    ['false', { isDeprecated: false }],
    ['?0', { isDeprecated: false }],
    ['', { isDeprecated: false }],
  ])('Deprecation: %s', (header, expected) => {
    expect(deprecationOf(header)).toEqual(expected);
  });

  it.each([
    ['Sat, 31 Dec 2018 23:59:59 GMT', Date.UTC(2018, 11, 31, 23, 59, 59)],
    [
      'Sat, 31 Dec 2018 23:59:59 GMT, Sat, 31 Dec 2019 23:59:59 GMT',
      Date.UTC(2018, 11, 31, 23, 59, 59),
    ],
    ['2027-01-01', Date.UTC(2027, 0, 1)],
    ['soon', undefined],
    ['12', undefined],
    ['', undefined],
  ])('the date of %s', (text, expected) => {
    expect(momentOf(text)).toBe(expected);
  });

  it.each([
    ['<https://a.example/x>; rel="deprecation"; type="text/html"', 'https://a.example/x'],
    ['</next>; rel="next", </b>; rel="successor-version", </c>; rel=sunset', '/c'],
    ['</a>; title="x"; rel="alternate deprecation"', '/a'],
    ['</a>; rel="next"', undefined],
    ['<<<>;;;rel', undefined],
    ['', undefined],
  ])('the link of %s', (header, expected) => {
    expect(linkOf(header)).toBe(expected);
  });

  it('a link of 1,000 hostile characters costs no time', () => {
    const startMs = performance.now();
    for (const text of ['<'.repeat(1_000), '<a>'.repeat(330), `<a>${';'.repeat(990)}`])
      linkOf(text);
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});

describe('the end of an endpoint', () => {
  const announced = (deprecation: string, sunset = '', lastDay = today) => ({
    lastAnsweredMs: nowMs,
    traits: { announcement: { deprecation, sunset, link: '', firstMs: 5_000, lastDay } },
  });
  const declared = { state: 'declared', deprecated: true } as const;

  it('headers go before the inventory', () => {
    const declaration = { ...declared, sunset: '2030-01-01', deprecatedSince: '2026-01-01' };
    expect(endingOf({}, declaration, nowMs)).toEqual({
      isDeprecated: true,
      deprecatedSinceMs: Date.UTC(2026, 0, 1),
      sunsetAt: '2030-01-01',
      isSunsetPassed: false,
      link: null,
      isAnnounced: false,
    });
    const headers = announced('@1700000000', 'Fri, 01 May 2026 00:00:00 GMT');
    expect(endingOf(headers, declaration, nowMs)).toMatchObject({
      isDeprecated: true,
      deprecatedSinceMs: 1_700_000_000_000,
      sunsetAt: '2026-05-01T00:00:00.000Z',
      isSunsetPassed: true,
      isAnnounced: true,
    });
  });

  it('without a date it is deprecated since the first answer with the header, or the upload', () => {
    expect(endingOf(announced('true'), undefined, nowMs)?.deprecatedSinceMs).toBe(5_000);
    const declaration = { ...declared, deprecatedMs: 7_000 };
    expect(endingOf({}, declaration, nowMs)?.deprecatedSinceMs).toBe(7_000);
    expect(endingOf({}, declared, nowMs)?.deprecatedSinceMs).toBeNull();
  });

  it('a date to come is announced, and not deprecated yet', () => {
    const coming = endingOf(announced(`@${nowMs / 1000 + 60}`), undefined, nowMs);
    expect(coming).toMatchObject({ isDeprecated: false, isAnnounced: true });
    expect(coming?.deprecatedSinceMs).toBe(nowMs + 60_000);
  });

  it('an endpoint that was answered for more than 90 days without the header announces nothing more', () => {
    expect(endingOf(announced('true', '', today - 90), undefined, nowMs)?.isAnnounced).toBe(true);
    expect(endingOf(announced('true', '', today - 91), undefined, nowMs)).toBeUndefined();
    expect(endingOf(announced('true', '', today - 91), declared, nowMs)).toMatchObject({
      isDeprecated: true,
      isAnnounced: false,
    });
  });

  it('nothing says that it ends', () => {
    expect(endingOf({}, undefined, nowMs)).toBeUndefined();
    expect(endingOf({}, { state: 'declared', deprecated: false }, nowMs)).toBeUndefined();
    expect(endingOf(announced('?0', 'soon'), undefined, nowMs)).toBeUndefined();
  });
});

describe('spans with such headers, sent to a collector', () => {
  const folder = temporaryFolder();
  let rollcall: Running;
  beforeAll(async () => {
    rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
  });
  afterAll(async () => {
    await rollcall.stop();
    folder.remove();
  });

  async function send(route: string, more: Record<string, AnyValue> = {}): Promise<void> {
    const extra = Object.entries(more).map(([key, value]) => ({ key, value }));
    const spans = [serverSpan({ attributes: [...callTo(route), ...extra] })];
    const attributes = [
      { key: 'service.name', value: 'shop' },
      { key: 'service.owner', value: 'team-shop' },
    ];
    const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
    const headers = { 'content-type': protobufType };
    const url = `${rollcall.addresses.otlp_http}/v1/traces`;
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
  }
  // biome-ignore lint/suspicious/noExplicitAny: the assertions check the fields
  async function get(path: string): Promise<any> {
    const response = await fetch(`${rollcall.addresses.analyzer}/api/v1${path}`);
    const body = await response.json();
    checkDocumented('GET', path, response.status, body);
    return body;
  }
  const declare = (routes: object[]) =>
    fetch(`${rollcall.addresses.analyzer}/api/v1/services/shop/inventory`, {
      method: 'PUT',
      body: JSON.stringify({ routes }),
    });

  it('dates, marks, link, owner and code stand in the rows and the evidence, and survive a new inventory', async () => {
    await send('/silently');
    const silent = { method: 'GET', route: '/silently', deprecated: true };
    const told = { method: 'GET', route: '/told', deprecated: true };
    await declare([silent, told, { method: 'GET', route: '/plain' }]);
    await send('/plain');
    await send('/silently');
    let rows = (await get('/report?fields=id,route,marks,owner&sort=route')).endpoints;
    // Whether its answers have such headers cannot be known yet.
    expect(rows.map(({ marks }: { marks: string[] }) => marks)).toEqual([
      [],
      ['deprecated'],
      ['deprecated'],
    ]);
    await send('/told', {
      'http.response.header.deprecation': { array: ['@1688169599'] },
      'http.response.header.sunset': { array: ['Sat, 01 Jan 2022 00:00:00 GMT'] },
      'http.response.header.link': {
        array: ['<https://shop.example/v2>; rel="successor-version"'],
      },
      'code.function.name': 'Shop.told',
      'code.file.path': 'src/shop.ts',
      'code.line.number': 12,
    });
    rows = (
      await get(
        '/report?fields=id,route,marks,owner,deprecated_since,sunset_at,deprecation_link&sort=route',
      )
    ).endpoints;
    expect(rows).toMatchObject([
      { route: '/plain', marks: [], owner: 'team-shop', deprecated_since: null },
      { route: '/silently', marks: ['deprecated', 'deprecated_without_notice'], sunset_at: null },
      {
        route: '/told',
        marks: ['deprecated', 'sunset_passed'],
        deprecated_since: '2023-06-30T23:59:59.000Z',
        sunset_at: '2022-01-01T00:00:00.000Z',
        deprecation_link: 'https://shop.example/v2',
      },
    ]);
    const evidence = await get(`/endpoints/${rows[2].id}/evidence`);
    expect(evidence).toMatchObject({
      ending: { deprecated: true, announced: true, sunset_at: '2022-01-01T00:00:00.000Z' },
      owners: ['team-shop'],
      code_location: { function: 'Shop.told', file: 'src/shop.ts', line: 12, shared_by: 0 },
    });
    const url = `${rollcall.addresses.analyzer}/api/v1/endpoints/${rows[2].id}/evidence?format=md`;
    const text = await (await fetch(url)).text();
    for (const line of [
      '- Deprecated since 2023-06-30, sunset 2022-01-01, announced in its answers, https://shop.example/v2.',
      '- Code: `Shop.told` in `src/shop.ts:12`.',
      '- Owner: team-shop.',
    ]) {
      expect(text).toContain(line);
    }
    await declare([{ method: 'GET', route: '/told' }]);
    const [row] = (await get('/report?route=/told')).endpoints;
    expect(row).toMatchObject({ marks: ['deprecated', 'sunset_passed'], declared: true });
  });

  it('a code location that other routes have is said to be theirs too', async () => {
    const middleware = { 'code.filepath': 'middleware.rs', 'code.lineno': 7 };
    for (const route of ['/m1', '/m2', '/m3']) await send(route, middleware);
    const [row] = (await get('/report?route=/m2')).endpoints;
    const { code_location: location } = await get(`/endpoints/${row.id}/evidence`);
    expect(location).toEqual({ function: null, file: 'middleware.rs', line: 7, shared_by: 2 });
  });
});
