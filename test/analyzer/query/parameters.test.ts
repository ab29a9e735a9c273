import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseTime, readParameters } from '../../../analyzer/query/parameters.ts';
import { call, type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

let door: ListenOptions;
beforeAll(async () => {
  door = await openDoor(oracleReader([call(), call({ service: 'a b&c/ü' })]), nowMs);
});
afterAll(() => door.close());

/** Path and query, the field that is to blame, words of the message. */
const refused: [string, string, string[]][] = [
  ['/report?colour=red', 'colour', ['unknown parameter "colour"', 'service', 'sort']],
  ['/report?Service=shop', 'Service', ['unknown parameter "Service"']],
  ['/report?__proto__=1', '__proto__', ['unknown parameter "__proto__"']],
  ['/report?service=a&service=b', 'service', ['"service" was given 2 times']],
  ['/report?window=24h&window=24h', 'window', ['given 2 times']],
  ['/report?window=', 'window', ['window=""', '15m']],
  ['/report?window=0m', 'window', ['window="0m"']],
  ['/report?window=-1h', 'window', ['window="-1h"']],
  ['/report?window=1.5h', 'window', ['window="1.5h"']],
  ['/report?window=24', 'window', ['window="24"']],
  ['/report?window=2w', 'window', ['window="2w"']],
  ['/report?window=3661d', 'window', ['window="3661d"', 'at most 3660d']],
  ['/report?window=9999999m', 'window', ['at most 3660d']],
  ['/report?window=24h&from=2026-01-01', 'window', ['window stands alone']],
  ['/report?window=24h&to=2026-01-01', 'window', ['window stands alone']],
  ['/report?from=yesterday', 'from', ['from="yesterday"', 'ISO 8601']],
  ['/report?from=2026-02-30', 'from', ['from="2026-02-30"']],
  ['/report?from=2026-01-01T25:00Z', 'from', ['from="2026-01-01T25:00Z"']],
  ['/report?from=2026-01-01T10:00:60Z', 'from', ['from=']],
  ['/report?from=1767225600', 'from', ['from="1767225600"']],
  ['/report?from=1969-12-31', 'from', ['since 1970']],
  ['/report?to=9999-12-31', 'to', ['to="9999-12-31"']],
  [
    '/report?from=2026-01-02&to=2026-01-01',
    'from',
    ['from=2026-01-02T00:00:00.000Z must be before to=2026-01-01'],
  ],
  ['/report?from=2026-01-01&to=2026-01-01', 'from', ['must be before']],
  ['/report?from=2027-01-01', 'from', ['must be before now']],
  ['/report?from=1990-01-01', 'from', ['at most 3660']],
  ['/report?status=alive', 'status', ['status="alive"', 'active, cold, dead, never_called']],
  ['/report?status=', 'status', ['status=""']],
  ['/report?status=dead,', 'status', ['status="dead,"']],
  ['/report?method=G%20T', 'method', ['method="G T"']],
  ['/report?method=', 'method', ['method=""']],
  ['/report?route=', 'route', ['route=""']],
  [`/report?route=${'x'.repeat(513)}`, 'route', ['at most 512']],
  [`/report?q=${'x'.repeat(201)}`, 'q', ['at most 200', '…']],
  [`/report?service=${'x'.repeat(256)}`, 'service', ['at most 255']],
  ['/report?sort=speed', 'sort', ['sort="speed"', 'p95_duration_ms']],
  ['/report?order=up', 'order', ['order="up"', 'asc or desc']],
  ['/report?limit=0', 'limit', ['limit="0"', '1 to 10000']],
  ['/report?limit=10001', 'limit', ['1 to 10000']],
  ['/report?limit=1e3', 'limit', ['limit="1e3"']],
  ['/report?limit=', 'limit', ['limit=""']],
  ['/report?format=xml', 'format', ['format="xml"', 'json, csv, md, ndjson or pdf']],
  ['/report?cursor=abc', 'cursor', ['cursor="abc"', 'next_cursor']],
  ['/report?cursor=', 'cursor', ['cursor=""']],
  [
    `/report?cursor=${Buffer.from('["x",0,60,1,"k"]').toString('base64url')}`,
    'cursor',
    ['another'],
  ],
  ['/report/top?sort=route', 'sort', ['unknown parameter "sort"']],
  ['/report/dead?order=asc', 'order', ['unknown parameter "order"']],
  ['/services?status=dead', 'status', ['unknown parameter "status"']],
  ['/summary?limit=1001', 'limit', ['1 to 1000']],
  ['/summary?format=csv', 'format', ['json or pdf']],
  ['/timeseries?interval=2h', 'interval', ['interval="2h"', 'minute, 5m, hour, day, week, month']],
  ['/timeseries?interval=minute', 'interval', ['43200 points', 'at most 2000']],
  ['/timeseries?group_by=route', 'group_by', ['endpoint, method, status_class, outcome']],
  ['/timeseries?top=51', 'top', ['from 1 to 50']],
  ['/timeseries?group_by=method&top=50&interval=hour', 'top', ['36720 points', 'at most 25000']],
  ['/timeseries?apdex_t_ms=0', 'apdex_t_ms', ['from 0.001 to 8640000']],
  ['/timeseries?apdex_t_ms=1e3', 'apdex_t_ms', ['apdex_t_ms="1e3"']],
  ['/timeseries?apdex_t_ms=9&group_by=method', 'apdex_t_ms', ['together with group_by']],
  ['/timeseries?tz=Mars/Olympus', 'tz', ['tz="Mars/Olympus"', 'Europe/Berlin']],
  ['/timeseries?tz=', 'tz', ['tz=""']],
  [`/timeseries?endpoint=${'9'.repeat(65)}`, 'endpoint', ['endpoint="99', '64 characters']],
  ['/clients?limit=x', 'limit', ['limit="x"']],
  ['/endpoints/1?service=shop', 'service', ['unknown parameter "service"']],
];

test.each(refused)('%s is refused by name', async (path, field, words) => {
  const response = await door.fetch(`/api/v1${path}`);
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  const { error, ...rest } = (await response.json()) as { error: Record<string, string> };
  expect(rest).toEqual({});
  expect(Object.keys(error)).toEqual(['code', 'message', 'field']);
  expect(error).toMatchObject({ code: 'invalid', field });
  for (const word of words) expect(error.message).toContain(word);
  expect(error.message!.length).toBeLessThan(1000);
});

test('a list may repeat its name instead of using commas', async () => {
  const answer = await door.get('/report?status=active&status=cold,dead&method=GET&method=POST');
  expect(answer.filters).toMatchObject({ status: 'active,cold,dead', method: 'GET,POST' });
});

test('a cursor of one question does not continue another', async () => {
  const { next_cursor: cursor } = await door.get('/report?limit=1');
  expect((await door.fetch(`/api/v1/report?limit=5&cursor=${cursor}`)).status).toBe(200);
  for (const path of [`/report?sort=route&cursor=${cursor}`, `/report/top?cursor=${cursor}`]) {
    const response = await door.fetch(`/api/v1${path}`);
    expect(response.status, path).toBe(400);
    expect(await response.json()).toMatchObject({ error: { field: 'cursor' } });
  }
});

describe('the window', () => {
  /** Now is 2026-03-18T12:00:30Z. */
  const windows: [string, string, string][] = [
    ['', '2026-02-16T12:01', '2026-03-18T12:01'],
    ['window=15m', '2026-03-18T11:46', '2026-03-18T12:01'],
    ['window=24h', '2026-03-17T12:01', '2026-03-18T12:01'],
    ['window=3660d', '2016-03-10T12:01', '2026-03-18T12:01'],
    ['from=2026-03-01', '2026-03-01T00:00', '2026-03-18T12:01'],
    ['to=2026-03-01', '2026-01-30T00:00', '2026-03-01T00:00'],
    ['from=2026-03-01&to=2027-01-01', '2026-03-01T00:00', '2027-01-01T00:00'],
    ['from=2026-03-01T10:07:20Z&to=2026-03-01T10:07:40Z', '2026-03-01T10:07', '2026-03-01T10:08'],
    [
      'from=2026-03-01T10:07:00.001&to=2026-03-01T10:08:00.001',
      '2026-03-01T10:07',
      '2026-03-01T10:09',
    ],
    [
      'from=2026-03-01T10:00%2B02:00&to=2026-03-01T10:00-01:30',
      '2026-03-01T08:00',
      '2026-03-01T11:30',
    ],
    // A plus sign that was not escaped.
    ['from=2026-03-01T10:00+02:00', '2026-03-01T08:00', '2026-03-18T12:01'],
  ];
  test.each(windows)('%s is %s to %s', async (query, from, to) => {
    const { window } = await door.get(`/report?${query}`);
    const expected = { from: `${from}:00.000Z`, to: `${to}:00.000Z`, resolution: 'minute' };
    expect(window).toEqual(expected);
  });

  test('ends after the running minute, at its very first moment too', async () => {
    const sharpMs = Date.UTC(2026, 2, 18, 12);
    const sharp = await openDoor(oracleReader([call({ endMs: sharpMs })]), sharpMs);
    const answer = await sharp.get('/report?window=15m');
    await sharp.close();
    expect(answer.window.to).toBe('2026-03-18T12:01:00.000Z');
    expect(answer.summary.total_requests).toBe(1);
  });

  test('is rounded outward, and says so, where only hours are kept', async () => {
    const keptFromS = nowMs / 1000 - 3600;
    const options = { minutesFromS: keptFromS, hoursFromS: keptFromS - 86_400 };
    const coarse = await openDoor(oracleReader([call()], options), nowMs);
    const hours = await coarse.get('/report?window=2h');
    const days = await coarse.get('/report?window=48h');
    await coarse.close();
    expect(hours.window).toEqual({
      from: '2026-03-18T10:00:00.000Z',
      to: '2026-03-18T13:00:00.000Z',
      resolution: 'hour',
    });
    expect(days.window).toEqual({
      from: '2026-03-16T00:00:00.000Z',
      to: '2026-03-19T00:00:00.000Z',
      resolution: 'day',
    });
  });
});

test('names with strange characters are found', async () => {
  const name = encodeURIComponent('a b&c/ü');
  expect((await door.get(`/report?service=${name}`)).endpoints).toHaveLength(1);
});

test('times are read to the millisecond', () => {
  expect(parseTime('2026-01-31T12:30:15.5Z')).toBe(Date.UTC(2026, 0, 31, 12, 30, 15, 500));
  expect(parseTime('2026-01-31T23:59:59Z')).toBe(Date.UTC(2026, 0, 31, 23, 59, 59));
  for (const late of ['24:00', '24:00:00Z', '23:60', '23:59:60Z']) {
    expect(parseTime(`2026-01-31T${late}`), late).toBeUndefined();
  }
  expect(parseTime('2026-01-31T12:30')).toBe(Date.UTC(2026, 0, 31, 12, 30));
  expect(parseTime('2026-01-31')).toBe(Date.UTC(2026, 0, 31));
  expect(parseTime('2024-02-29')).toBe(Date.UTC(2024, 1, 29));
  expect(parseTime('2026-02-29')).toBeUndefined();
});

test('thousands of parameters are refused before they are compared', () => {
  const search = Array.from({ length: 8_000 }, (_, n) => `p${n}=1`).join('&');
  expect(() => readParameters(z.strictObject({}), search)).toThrow(
    'the query has 8000 parameters; the bound is 200',
  );
});
