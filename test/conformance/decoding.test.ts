import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeTraces } from '../../collector/otlp/encode.ts';
import {
  type Answer,
  type Door,
  encodeSpans,
  jsonSpan,
  jsonTraces,
  jsonType,
  openDoor,
  type Post,
  partialOf,
  protobufType,
  serverSpan,
  statusOf,
  traces,
} from './door.ts';

/** OTLP.md 1.2 to 1.4: bodies, protobuf, JSON, seen from outside. */
let door: Door;
const mib = 2 ** 20;

beforeAll(async () => {
  door = await openDoor({ ROLLCALL_MAX_BODY_MIB: '1' });
});

afterAll(() => door.close());

/** Posts, and checks how many calls that stored. */
async function posted(body: Buffer | string, calls: number, options?: Post): Promise<Answer> {
  const before = await door.stored();
  const answer = await door.post(body, options);
  expect((await door.stored()) - before).toBe(calls);
  return answer;
}

async function refused(body: Buffer | string, status: number, options?: Post): Promise<string> {
  const answer = await posted(body, 0, options);
  expect(answer.status).toBe(status);
  return statusOf(answer).message;
}

const codecs: [string, (body: Uint8Array) => Buffer][] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['zstd', zstdCompressSync],
  ['br', brotliCompressSync],
];

function encoding(name: string): Post {
  return { headers: { 'content-encoding': name } };
}

test.each(codecs)('E1 %s, with Content-Length and chunked', async (name, pack) => {
  expect((await posted(pack(traces(3)), 3, encoding(name))).status).toBe(200);
  const chunked = { ...encoding(name), chunked: true };
  expect((await posted(pack(traces(3)), 3, chunked)).status).toBe(200);
  const json = Buffer.from(jsonTraces(2));
  expect((await posted(pack(json), 2, { ...encoding(name), type: jsonType })).status).toBe(200);
});

test('E1 raw deflate is understood', async () => {
  expect((await posted(deflateRawSync(traces(1)), 1, encoding('deflate'))).status).toBe(200);
});

test.each(['identity', '', ' IDENTITY ', 'none'])('E3 Content-Encoding "%s"', async (name) => {
  const answer = await door.post(traces(1), encoding(name));
  expect(answer.status).toBe(name === 'none' ? 400 : 200);
});

test('E3 tokens in any case, several members, stacked codings', async () => {
  expect((await posted(gzipSync(traces(1)), 1, encoding(' GZip'))).status).toBe(200);
  const body = traces(2);
  const members = Buffer.concat([gzipSync(body.subarray(0, 50)), gzipSync(body.subarray(50))]);
  expect((await posted(members, 2, encoding('gzip'))).status).toBe(200);
  await refused(gzipSync(gzipSync(traces(1))), 400, encoding('gzip, gzip'));
});

test.each(['snappy', 'lz4', 'x-snappy-framed', 'nonsense'])('E4 %s is 400', async (name) => {
  const message = `unsupported Content-Encoding: ${name}`;
  expect(await refused(traces(1), 400, encoding(name))).toBe(message);
  expect(await refused('{}', 400, { ...encoding(name), type: jsonType })).toBe(message);
  const untyped = await door.post(traces(1), { ...encoding(name), type: null });
  expect([untyped.status, untyped.headers['content-type']]).toEqual([400, jsonType]);
});

test.each(codecs)('E5 %s: another format, cut short, empty', async (name, pack) => {
  const packed = pack(traces(3));
  for (const body of [traces(1), packed.subarray(0, -1), packed.subarray(0, 5), Buffer.alloc(0)]) {
    const answer = await posted(body, 0, encoding(name));
    expect([answer.status, answer.headers['content-type']]).toEqual([400, protobufType]);
    expect(statusOf(answer)).toMatchObject({ code: 3, message: expect.stringContaining(name) });
  }
  const json = await posted(packed.subarray(0, -3), 0, { ...encoding(name), type: jsonType });
  expect([json.status, json.headers['content-type']]).toEqual([400, jsonType]);
});

/** A request of exactly so many bytes, filled up by an attribute. */
function sized(bytes: number): Buffer {
  const filled = (filler: number) =>
    encodeTraces([
      {
        attributes: [{ key: 'filler', value: 'x'.repeat(filler) }],
        scopes: [{ name: '', spans: [serverSpan()] }],
      },
    ]);
  const body = filled(bytes - (filled(bytes - 1000).length - bytes + 1000));
  expect(body.length).toBe(bytes);
  return body;
}

test.each(codecs)('E6 %s: the limit after decompression', async (name, pack) => {
  const most = sized(mib);
  expect((await posted(pack(most), 1, encoding(name))).status).toBe(200);
  expect(await refused(pack(sized(mib + 1)), 413, encoding(name))).toContain('1048576');
  const bomb = pack(Buffer.alloc(32 * mib));
  await refused(
    bomb,
    413,
    bomb.length > mib ? encoding(name) : { ...encoding(name), chunked: true },
  );
});

test('E7 exactly the limit passes, one byte more is 413, told by its length or not', async () => {
  expect((await posted(sized(mib), 1)).status).toBe(200);
  expect((await posted(sized(mib), 1, { chunked: true })).status).toBe(200);
  for (const chunked of [false, true]) {
    const answer = await posted(sized(mib + 1), 0, { chunked });
    expect([answer.status, answer.headers['content-type']]).toEqual([413, protobufType]);
    expect(statusOf(answer).message).toContain('1048576');
    expect(answer.headers['retry-after']).toBeUndefined();
  }
  // Large enough that nobody waits for all of it: the answer still arrives.
  expect(await refused(Buffer.alloc(3 * mib), 413)).toContain('3145728');
});

test('P1 an empty body, and envelopes without spans', async () => {
  for (const body of [
    Buffer.alloc(0),
    encodeTraces([{ attributes: [], scopes: [] }]),
    encodeTraces([{ attributes: [], scopes: [{ name: 'x', spans: [] }] }]),
  ]) {
    const answer = await posted(body, 0);
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
  }
});

test('P3 cut short or garbage is 400, and nothing of it is stored', async () => {
  const body = traces(5);
  for (const cut of [1, 10, body.length >> 1, body.length - 1]) {
    expect(await refused(body.subarray(0, cut), 400)).toMatch(/malformed protobuf/);
  }
  await refused(Buffer.from('GET / HTTP/1.1'), 400);
  await refused(Buffer.concat([traces(2), Buffer.from([0xff])]), 400);
});

test('P4 a span with an id of another length is rejected, the others are taken', async () => {
  const bad = [
    serverSpan({ traceId: Buffer.alloc(15, 1) }),
    serverSpan({ spanId: Buffer.alloc(7, 1) }),
    serverSpan({ traceId: Buffer.alloc(17, 1) }),
  ];
  const answer = await posted(encodeSpans([serverSpan(), ...bad, serverSpan()]), 2);
  expect(answer.status).toBe(200);
  expect(partialOf(answer)).toEqual({
    rejected: '3',
    errorMessage: expect.stringContaining('16 bytes'),
  });
  for (const reason of ['trace_id', 'span_id']) {
    const name = `rollcall_spans_total{outcome="rejected",reason="${reason}"}`;
    expect(await door.counter(name)).toBe(reason === 'trace_id' ? 2 : 1);
  }
});

describe('JSON', () => {
  const json = { type: jsonType };

  test('J1 hex ids in either case; another length as P4', async () => {
    const { traceId, spanId } = jsonSpan() as { traceId: string; spanId: string };
    const upper = {
      traceId: traceId.toUpperCase(),
      spanId: spanId.toUpperCase(),
      parentSpanId: '',
    };
    expect((await posted(jsonTraces(1, upper), 1, json)).status).toBe(200);
    const short = await posted(jsonTraces(2, { traceId: 'abcd' }), 0, json);
    expect(partialOf(short)).toMatchObject({ rejected: '2' });
    await refused(jsonTraces(1, { traceId: 'W47/95gDgQPSabYzgT/GDA==' }), 400, json);
  });

  test('J2 enums as numbers and as names', async () => {
    expect((await posted(jsonTraces(1, { kind: 'SPAN_KIND_SERVER' }), 1, json)).status).toBe(200);
    expect((await posted(jsonTraces(1, { kind: 1 }), 0, json)).status).toBe(200);
    expect(await refused(jsonTraces(1, { kind: 'SPAN_KIND_X' }), 400, json)).toMatch(/kind/);
  });

  test('J3 64-bit integers as text and as numbers', async () => {
    const end = Date.now() * 1e6;
    const times = { startTimeUnixNano: end - 1e6, endTimeUnixNano: end };
    expect((await posted(jsonTraces(1, times), 1, json)).status).toBe(200);
    for (const endTimeUnixNano of ['3.f14', true, '18446744073709551616', -1, 0.5]) {
      expect(await refused(jsonTraces(1, { endTimeUnixNano }), 400, json)).toMatch(
        /endTimeUnixNano/,
      );
    }
  });

  test('J4, J5 snake_case, unknown fields and nulls', async () => {
    const body = jsonTraces(1, { droppedLinksCount: 1, later: { a: [1] }, events: null });
    expect((await posted(body, 1, json)).status).toBe(200);
    const snake = jsonTraces(1).replace(/[a-z][A-Z]/g, ([a, b]) => `${a}_${b!.toLowerCase()}`);
    expect(snake).toContain('"end_time_unix_nano"');
    expect((await posted(snake, 1, json)).status).toBe(200);
  });

  test('J6 what is no request is 400', async () => {
    for (const body of ['{}', '\ufeff{}', '{"resourceSpans":[]}', ' {} \n']) {
      const answer = await posted(body, 0, json);
      expect([answer.status, answer.body.toString()]).toEqual([200, '{}']);
    }
    for (const body of ['1234', '[]', '""', '', '{"resourceSpans":[', '{} {}', 'nonsense']) {
      await refused(body, 400, json);
    }
  });

  test('J7 the example of opentelemetry-proto: a span of 2018 is too old, and said so', async () => {
    const example = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}}]},
      "scopeSpans":[{"scope":{"name":"my.library","version":"1.0.0","attributes":[{"key":"my.scope.attribute",
      "value":{"stringValue":"some scope attribute"}}]},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C",
      "spanId":"EEE19B7EC3C1B174","parentSpanId":"EEE19B7EC3C1B173","name":"I'm a server span",
      "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000","kind":2,
      "attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}}]}]}]}]}`;
    expect((await posted(example, 0, json)).status).toBe(200);
  });

  test('J8 an attribute without a value', async () => {
    const attributes = [
      ...(jsonSpan().attributes as object[]),
      { key: 'empty', value: {} },
      { key: 'missing' },
      {},
    ];
    expect((await posted(jsonTraces(1, { attributes }), 1, json)).status).toBe(200);
  });
});
