import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  badRequestOf,
  type Door,
  encodeSpans,
  jsonTraces,
  jsonType,
  openDoor,
  partialOf,
  protobufType,
  serverSpan,
  statusOf,
  traces,
} from './door.ts';

/** OTLP.md 1.5: what exactly is answered. */
let door: Door;

beforeAll(async () => {
  door = await openDoor();
});

afterAll(() => door.close());

test('R1 success is 200 with an empty message, and its length', async () => {
  const protobuf = await door.post(traces(1));
  expect([protobuf.status, protobuf.body.length]).toEqual([200, 0]);
  expect(protobuf.headers['content-length']).toBe('0');
  const json = await door.post(jsonTraces(1), { type: jsonType });
  expect([json.status, json.body.toString()]).toEqual([200, '{}']);
  expect(json.headers['content-length']).toBe('2');
});

test('R2 Content-Type is exact, whatever the request said', async () => {
  const charset = await door.post(jsonTraces(1), { type: 'application/json; charset=utf-8' });
  expect(charset.headers['content-type']).toBe('application/json');
  const bad = await door.post('{', { type: 'application/json; charset=utf-8' });
  expect(bad.headers['content-type']).toBe('application/json');
  expect((await door.post(traces(1))).headers['content-type']).toBe('application/x-protobuf');
});

test('R3 what was rejected, how many and why, in 200', async () => {
  const hourNs = 3_600_000_000_000n;
  const endTimeUnixNano = BigInt(Date.now()) * 1_000_000n + hourNs;
  const future = serverSpan({ endTimeUnixNano, startTimeUnixNano: endTimeUnixNano - 1n });
  const body = encodeSpans([serverSpan(), future, serverSpan({ endTimeUnixNano: 0n })]);
  for (const delivery of ['first', 'repeated']) {
    const answer = await door.post(body);
    expect([delivery, answer.status]).toEqual([delivery, 200]);
    const { rejected, errorMessage } = partialOf(answer)!;
    expect(rejected).toBe('2');
    expect(errorMessage).toMatch(/^2 spans were not counted: .*600 s in the future/);
  }
  const json = await door.post(jsonTraces(1, { traceId: 'ab' }), { type: jsonType });
  expect(JSON.parse(json.body.toString())).toEqual({
    partialSuccess: { rejectedSpans: '1', errorMessage: expect.any(String) },
  });
  expect(json.headers['retry-after']).toBeUndefined();
});

test('R4, R5, R6 failures carry a Status in the encoding of the request', async () => {
  const broken = traces(1).subarray(0, -1);
  const protobuf = await door.post(broken);
  expect([protobuf.status, protobuf.headers['content-type']]).toEqual([400, protobufType]);
  expect(statusOf(protobuf)).toMatchObject({
    code: 3,
    message: expect.stringMatching(/malformed/),
  });
  expect(badRequestOf(protobuf).fieldViolations[0]!.description).toMatch(/malformed/);
  const json = await door.post('{"resourceSpans":1}', { type: jsonType });
  expect(JSON.parse(json.body.toString())).toEqual({
    code: 3,
    message: 'resourceSpans is 1, not a list',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        fieldViolations: [
          { field: 'resourceSpans', description: 'resourceSpans is 1, not a list' },
        ],
      },
    ],
  });
  const missing = await door.post('{}', { path: '/v1/nothing', type: jsonType });
  expect([missing.status, statusOf(missing).code]).toEqual([404, 12]);
});

test('R7, R8 nothing that is wrong for good is called retryable', async () => {
  const answers = [
    await door.post(traces(1).subarray(1)),
    await door.post('{', { type: jsonType }),
    await door.post('x', { headers: { 'content-encoding': 'gzip' } }),
    await door.post('x', { type: 'text/plain' }),
    await door.post('x', { path: '/x' }),
    await door.post('x', { method: 'PUT' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 415, 404, 405]);
  for (const { headers } of answers) expect(headers['retry-after']).toBeUndefined();
});

test('R9 an error message is cut at its bound', async () => {
  const long = jsonTraces(1, { traceId: 'é'.repeat(100_000) });
  const answer = await door.post(long, { type: jsonType });
  expect(answer.status).toBe(400);
  expect(answer.body.length).toBeLessThan(4096);
});

test('R10 an answer is not compressed', async () => {
  const headers = { 'accept-encoding': 'gzip, br' };
  const answer = await door.post('{', { type: jsonType, headers });
  expect(answer.headers['content-encoding']).toBeUndefined();
  expect(statusOf(answer).code).toBe(3);
});

test('R11 a client that goes away: half a body is nothing, a whole one is kept', async () => {
  const body = traces(3);
  const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${protobufType}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const before = await door.stored();
  const half = connect(door.port, '127.0.0.1');
  await new Promise((resolve) =>
    half.write(Buffer.concat([Buffer.from(head), body.subarray(0, 200)]), resolve),
  );
  half.destroy();
  const aborted = 'rollcall_requests_total{transport="http",code="aborted"}';
  while ((await door.counter(aborted)) === 0) await turn();
  expect(await door.stored()).toBe(before);
  const whole = connect(door.port, '127.0.0.1');
  await new Promise((resolve) => whole.write(Buffer.concat([Buffer.from(head), body]), resolve));
  whole.destroy();
  while ((await door.stored()) < before + 3) await turn();
  // The exporter's retry is acknowledged and not counted again (X13).
  expect((await door.post(body)).status).toBe(200);
  expect(await door.stored()).toBe(before + 3);
  expect(await door.counter('rollcall_spans_total{outcome="duplicate",reason=""}')).toBeGreaterThan(
    2,
  );
});

test('every span received is in exactly one counter', async () => {
  const counters = [
    ...['stored', 'not_server', 'not_http', 'excluded', 'duplicate'].map((name) => [
      name,
      name === 'excluded' ? 'method' : '',
    ]),
    ...['trace_id', 'span_id', 'time_zero', 'future', 'too_old'].map((why) => ['rejected', why]),
  ].map(([outcome, reason]) => `rollcall_spans_total{outcome="${outcome}",reason="${reason}"}`);
  const all = () => Promise.all(counters.map((name) => door.counter(name)));
  const before = await all();
  const body = encodeSpans([
    serverSpan(),
    serverSpan({ kind: 1 }),
    serverSpan({ kind: 3 }),
    serverSpan({ attributes: [] }),
    serverSpan({ attributes: [{ key: 'http.request.method', value: 'OPTIONS' }] }),
    serverSpan({ traceId: Buffer.alloc(3, 1) }),
    serverSpan({ spanId: Buffer.alloc(3, 1) }),
    serverSpan({ endTimeUnixNano: 0n }),
    serverSpan({ endTimeUnixNano: 10n ** 19n }),
    serverSpan({ startTimeUnixNano: 1n, endTimeUnixNano: 2n }),
  ]);
  await door.post(body);
  expect((await all()).map((count, at) => count - before[at]!)).toEqual([
    1, 2, 1, 1, 0, 1, 1, 1, 1, 1,
  ]);
  await door.post(body);
  expect((await all()).map((count, at) => count - before[at]!)).toEqual([
    1, 4, 2, 2, 1, 2, 2, 2, 2, 2,
  ]);
});
