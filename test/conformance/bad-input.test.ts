import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { AnyValue } from '../../collector/otlp/traces-encoder.ts';
import {
  callAttributes,
  encodeSpans,
  jsonTraces,
  jsonType,
  protobufType,
  serverSpan,
  traces,
} from '../support/export-request.ts';
import { type ListenOptions, openDoor } from './door.ts';
import { partialOf } from './export-answer.ts';
import { rawConnection } from './raw-connection.ts';

/** What no sender should send. After each of it the collector is up and counts a valid request exactly. */
let door: ListenOptions;
const mib = 2 ** 20;
const json = { type: jsonType };

beforeAll(async () => {
  door = await openDoor();
});

afterAll(() => door.close());

afterEach(async () => {
  const before = await door.stored();
  expect((await door.post(traces(3))).status).toBe(200);
  expect((await door.post(jsonTraces(2), json)).status).toBe(200);
  expect((await door.stored()) - before).toBe(5);
  expect(await door.counter('rollcall_queue_bytes')).toBe(0);
});

test('garbage of any length', async () => {
  for (let length = 1; length < 60_000; length = length * 3 + 1) {
    for (const type of [protobufType, jsonType]) {
      const { status } = await door.post(randomBytes(length), { type });
      expect([200, 400]).toContain(status);
    }
  }
});

test('a valid body with one byte changed, or cut anywhere', async () => {
  const body = traces(2);
  for (let at = 0; at < body.length; at += 3) {
    const changed = Buffer.from(body);
    changed[at] = ~changed[at]!;
    expect([200, 400]).toContain((await door.post(changed)).status);
    expect([200, 400]).toContain((await door.post(body.subarray(0, at))).status);
  }
});

test('JSON cut anywhere', async () => {
  const body = jsonTraces(1);
  for (let at = 0; at < body.length; at += 7) {
    expect((await door.post(body.slice(0, at), json)).status).toBe(400);
  }
});

test('lengths that lie inside the message', async () => {
  for (const length of ['ffffffff0f', 'ffffffffffffffffff01', '80808080808080808080', '7f']) {
    for (const prefix of ['0a', '0a04120212', '0a0412021212']) {
      expect((await door.post(Buffer.from(prefix + length, 'hex'))).status).toBe(400);
    }
  }
});

test('Content-Length that lies', async () => {
  const body = traces(1);
  const head = (length: number | string) =>
    `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${protobufType}\r\ncontent-length: ${length}\r\n\r\n`;
  const before = await door.stored();
  // Too short: the rest is no request. Nonsense, negative, two of them: refused by the parser.
  expect(await rawConnection(door.url, head(body.length - 9), body).closed()).toMatch(
    /^HTTP\/1\.1 400 /,
  );
  expect(await rawConnection(door.url, head('-5'), body).closed()).toMatch(/^HTTP\/1\.1 400 /);
  expect(await rawConnection(door.url, head('1\r\ncontent-length: 2'), body).closed()).toMatch(
    /^HTTP\/1\.1 400 /,
  );
  expect(
    await rawConnection(door.url, head('9\r\ntransfer-encoding: chunked'), body).closed(),
  ).toMatch(/ 400 /);
  // Too long: the sender ends before it.
  const long = connect(door.port, '127.0.0.1');
  const closed = new Promise((resolve) => long.once('close', resolve));
  long.on('error', () => {});
  long.resume();
  long.end(Buffer.concat([Buffer.from(head(body.length + 100)), body]));
  await closed;
  expect(await door.stored()).toBe(before);
});

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['zstd', zstdCompressSync],
  ['br', brotliCompressSync],
] as const)('%s: a bomb, and one within another', async (name, pack) => {
  const headers = { 'content-encoding': name };
  const bomb = pack(Buffer.alloc(80 * mib, 'a'), name === 'br' ? quickBrotli : {});
  expect((await door.post(bomb, { headers })).status).toBe(413);
  expect((await door.post(pack(bomb), { headers })).status).toBe(400);
  const zeros = (bytes: number) => pack(Buffer.alloc(bytes), name === 'br' ? quickBrotli : {});
  // No protobuf, and within every bound.
  expect((await door.post(zeros(6 * mib), { headers })).status).toBe(400);
  // zstd and brotli pack zeros more than 1,100 times, which no request of spans reaches; gzip cannot.
  const expected = name === 'zstd' || name === 'br' ? 413 : 400;
  expect((await door.post(zeros(40 * mib), { headers })).status).toBe(expected);
});

const quickBrotli = { params: { 1: 5 } };

test('nested deeply: protobuf values, groups, JSON', async () => {
  let value: AnyValue = 'leaf';
  for (let depth = 0; depth < 500; depth += 1) value = { array: [value] };
  const attributes = [...callAttributes, { key: 'deep', value }, { key: 'http.route', value }];
  expect([200, 400]).toContain((await door.post(encodeSpans([serverSpan({ attributes })]))).status);
  expect((await door.post(Buffer.alloc(5 * mib, 0x0b))).status).toBe(400);
  for (const text of ['[', '{"a":', '{"resourceSpans":[']) {
    expect((await door.post(text.repeat(mib), json)).status).toBe(400);
  }
  const closed = `{"x":${'['.repeat(mib)}${']'.repeat(mib)}}`;
  expect([200, 400]).toContain((await door.post(closed, json)).status);
  const exact = `{"n":12345678901234567890,"x":${'['.repeat(mib)}${']'.repeat(mib)}}`;
  expect([200, 400]).toContain((await door.post(exact, json)).status);
});

test('strings of a megabyte everywhere, invalid UTF-8, control characters', async () => {
  const long = 'x'.repeat(mib);
  const attributes = callAttributes.map(({ key }) => ({ key, value: long }));
  const before = await door.stored();
  const spans = [
    serverSpan({ name: long, traceState: long, attributes }),
    serverSpan({ attributes: [...callAttributes, { key: long, value: long }] }),
  ];
  expect((await door.post(encodeSpans(spans))).status).toBe(200);
  const body = encodeSpans([
    serverSpan({
      attributes: [{ key: 'url.path', value: '/\0\u0001\u202e@@@@' }, ...callAttributes],
    }),
  ]);
  body.fill(0xff, body.indexOf('@@@@'), body.indexOf('@@@@') + 4);
  expect((await door.post(body)).status).toBe(200);
  expect((await door.stored()) - before).toBe(3);
  expect((await door.post(jsonTraces(1, { name: long }), json)).status).toBe(200);
});

test('10,000 attributes, 10,000 of one key, 100,000 spans', async () => {
  const before = await door.stored();
  const many = Array.from({ length: 10_000 }, (_, n) => ({ key: `key.${n}`, value: n }));
  const same = Array.from({ length: 10_000 }, (_, n) => ({ key: 'http.route', value: `/r${n}` }));
  const spans = [
    serverSpan({ attributes: [...many, ...callAttributes] }),
    serverSpan({ attributes: [...callAttributes, ...same] }),
  ];
  expect((await door.post(encodeSpans(spans))).status).toBe(200);
  expect((await door.post(traces(100_000))).status).toBe(200);
  expect((await door.stored()) - before).toBe(100_002);
});

test('JSON so large that it is read on a thread of its own: whole, broken, of another signal', async () => {
  const before = await door.stored();
  const body = jsonTraces(4000);
  expect(body.length).toBeGreaterThan(mib);
  const small = Array.from({ length: 20 }, () => door.post(traces(1)));
  const large = [body, jsonTraces(4000), `${body}]`, body.slice(0, -1), jsonTraces(4000)];
  const answers = await Promise.all(large.map((each) => door.post(each, json)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 400, 200]);
  await Promise.all(small);
  expect((await door.stored()) - before).toBe(12_020);
  const dataPoints = Array.from({ length: 100_000 }, () => ({ asInt: '1' }));
  const metrics = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ sum: { dataPoints } }] }] }] };
  const path = '/v1/metrics';
  const counted = await door.post(JSON.stringify(metrics), { ...json, path });
  expect(partialOf(counted)).toMatchObject({ rejected: '100000' });
});

test('numbers that are none', async () => {
  const values: AnyValue[] = [
    { double: Number.NaN },
    -(2n ** 63n),
    2n ** 63n - 1n,
    'x',
    { array: [] },
    true,
  ];
  const spans = values.map((value) =>
    serverSpan({
      attributes: [
        { key: 'http.request.method', value },
        { key: 'http.response.status_code', value },
        { key: 'http.request.body.size', value },
        { key: 'client.address', value },
      ],
    }),
  );
  const before = await door.stored();
  expect((await door.post(encodeSpans(spans))).status).toBe(200);
  expect((await door.stored()) - before).toBe(values.length);
});

test('integers of JSON with a megabyte of digits', async () => {
  const digits = '9'.repeat(mib);
  for (const value of [digits, `"${digits}"`, `1e${digits}`]) {
    const body = jsonTraces(1).replace(/"endTimeUnixNano":"\d+"/, `"endTimeUnixNano":${value}`);
    expect((await door.post(body, json)).status).toBe(400);
  }
});
