import { describe, expect, test } from 'vitest';
import { tracesFromJson } from '../../../collector/otlp/json.ts';
import { type AnyValue, encodeTraces, type Span } from '../../../collector/otlp/traces-encoder.ts';
import { traceRequest } from '../../support/trace-schema.ts';

const traceId = '5B8EFFF798038103D269B633813FC60C';
const spanId = 'eee19b7ec3c1b174';

interface Plain {
  resourceSpans: {
    resource: { attributes: { value?: unknown }[] } | null;
    scopeSpans: { spans: unknown[] }[];
  }[];
}

/** By an independent decoder; absent fields are their defaults. */
function plain(message: Buffer): Plain {
  const options = { longs: String, bytes: String, defaults: true, oneofs: true };
  return traceRequest.toObject(traceRequest.decode(message), options) as Plain;
}

function decoded(text: string): Buffer {
  return tracesFromJson(Buffer.from(text));
}

/** A request with one span, its fields as JSON text. */
function withSpan(fields: string): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[{${fields}}]}]}]}`;
}

/** A request whose resource has one attribute `a`, its value as JSON text. */
function withValue(value: string): string {
  return `{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":${value}}]},"scopeSpans":[{"spans":[{}]}]}]}`;
}

function expectSpan(fields: string, span: Partial<Span>): void {
  const whole: Span = {
    traceId: Buffer.alloc(0),
    spanId: Buffer.alloc(0),
    name: '',
    kind: 0,
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    attributes: [],
    ...span,
  };
  const expected = plain(
    encodeTraces([{ attributes: [], scopes: [{ name: '', spans: [whole] }] }]),
  );
  const seen = plain(decoded(withSpan(fields)));
  expect(seen.resourceSpans[0]!.scopeSpans[0]!.spans).toEqual(
    expected.resourceSpans[0]!.scopeSpans[0]!.spans,
  );
}

function expectValue(value: string, expected: AnyValue): void {
  const attributes = [{ key: 'a', value: expected }];
  const made = plain(encodeTraces([{ attributes, scopes: [] }])).resourceSpans[0]!.resource!;
  const seen = plain(decoded(withValue(value))).resourceSpans[0]!.resource!;
  // A value that is absent is as good as an empty one.
  for (const attribute of seen.attributes) attribute.value ??= {};
  expect(seen).toEqual(made);
}

test('a whole request becomes the same bytes as protobuf', () => {
  const json = {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        schemaUrl: 'ignored',
        scopeSpans: [
          {
            scope: { name: 'http', version: '1.2', attributes: [] },
            spans: [
              {
                traceId,
                spanId,
                parentSpanId: spanId,
                traceState: 'ot=th:8',
                flags: 769,
                name: 'GET /users/{id}',
                kind: 2,
                startTimeUnixNano: '1544712660000000001',
                endTimeUnixNano: '1544712661000000002',
                attributes: [
                  { key: 'http.route', value: { stringValue: '/users/{id}' } },
                  { key: 'http.response.status_code', value: { intValue: '404' } },
                ],
                events: [
                  {
                    timeUnixNano: '1',
                    name: 'exception',
                    attributes: [],
                    droppedAttributesCount: 3,
                  },
                ],
                links: [{ traceId, spanId }],
                status: { code: 2, message: 'no' },
              },
            ],
          },
        ],
      },
    ],
  };
  const span: Span = {
    traceId: Buffer.from(traceId, 'hex'),
    spanId: Buffer.from(spanId, 'hex'),
    parentSpanId: Buffer.from(spanId, 'hex'),
    traceState: 'ot=th:8',
    flags: 769,
    name: 'GET /users/{id}',
    kind: 2,
    startTimeUnixNano: 1544712660000000001n,
    endTimeUnixNano: 1544712661000000002n,
    attributes: [
      { key: 'http.route', value: '/users/{id}' },
      { key: 'http.response.status_code', value: 404 },
    ],
    events: [{ timeUnixNano: 1n, name: 'exception', attributes: [] }],
    status: { code: 2, message: 'no' },
  };
  const attributes = [{ key: 'service.name', value: 'shop' }];
  const scopes = [{ name: 'http', version: '1.2', spans: [span] }];
  expect(plain(decoded(JSON.stringify(json)))).toEqual(
    plain(encodeTraces([{ attributes, scopes }])),
  );
});

describe('64-bit integers keep every digit', () => {
  const most = 2n ** 64n - 1n;
  test.each<[string, bigint]>([
    [`"${most}"`, most],
    [`${most}`, most],
    ['1544712660123456789', 1544712660123456789n],
    ['"1544712660123456789"', 1544712660123456789n],
    ['1e3', 1000n],
    ['"2.5e1"', 25n],
    ['5.0', 5n],
    ['null', 0n],
  ])('%s', (text, value) => {
    expectSpan(`"endTimeUnixNano": ${text}`, { endTimeUnixNano: value });
  });

  test.each([
    '"3.f14"',
    'true',
    '1.5',
    `"${most + 1n}"`,
    `${most + 1n}`,
    '-1',
    '""',
    '" 1"',
    '1e30',
  ])('%s is no fixed64', (text) => {
    expect(() => decoded(withSpan(`"endTimeUnixNano":${text}`))).toThrow(
      /endTimeUnixNano is .* not/,
    );
  });

  test('int64 attributes, also beside text that looks like a number', () => {
    expectValue('{"intValue":"-9223372036854775808"}', -(2n ** 63n));
    expectValue('{"intValue":-9223372036854775808}', -(2n ** 63n));
    expectValue('{"intValue": 9007199254740993}', 9007199254740993n);
    expectValue('{"stringValue":": 9007199254740993"}', ': 9007199254740993');
  });
});

describe('values', () => {
  test.each<[string, AnyValue]>([
    ['{}', { empty: true }],
    ['null', { empty: true }],
    ['{"stringValue":""}', ''],
    ['{"string_value":"é\\ud83d\\ude00"}', 'é😀'],
    ['{"boolValue":false}', false],
    ['{"doubleValue":2}', { double: 2 }],
    ['{"doubleValue":"NaN"}', { double: Number.NaN }],
    ['{"doubleValue":"-Infinity"}', { double: Number.NEGATIVE_INFINITY }],
    ['{"doubleValue":"1.25e2"}', { double: 125 }],
    ['{"bytesValue":"AP+/"}', { bytes: Buffer.from([0, 255, 191]) }],
    ['{"bytesValue":"AP-_"}', { bytes: Buffer.from([0, 255, 191]) }],
    ['{"arrayValue":{"values":[{"intValue":1},{}]}}', { array: [1, { empty: true }] }],
    ['{"arrayValue":{}}', { array: [] }],
    [
      '{"kvlistValue":{"values":[{"key":"b","value":{"boolValue":true}}]}}',
      { kvlist: [{ key: 'b', value: true }] },
    ],
    ['{"futureValue":1}', { empty: true }],
  ])('%s', (text, value) => expectValue(text, value));

  test.each([
    '{"stringValue":1}',
    '{"boolValue":"true"}',
    '{"intValue":true}',
    '{"doubleValue":"x"}',
    '{"bytesValue":"é"}',
    '{"arrayValue":[]}',
    '{"kvlistValue":{"values":{}}}',
    '"text"',
  ])('%s is of the wrong type', (text) => {
    expect(() => decoded(withValue(text))).toThrow(/ is .*, not /);
  });

  test('nested a hundred deep, and not much deeper', () => {
    const nested = (depth: number) =>
      `${'{"arrayValue":{"values":['.repeat(depth)}{}${']}}'.repeat(depth)}`;
    expect(decoded(withValue(nested(100))).length).toBeGreaterThan(200);
    expect(() => decoded(withValue(nested(110)))).toThrow('the JSON nests deeper than 320');
    expect(() => decoded(withValue(nested(200_000)))).toThrow('the JSON nests deeper than 320');
    expect(() => decoded(`{"unknown":${'['.repeat(321)}`)).toThrow('nests deeper');
  });
});

test('names of enums and of proto fields are understood', () => {
  expectSpan('"kind":"SPAN_KIND_SERVER"', { kind: 2 });
  expectSpan('"kind":"2"', { kind: 2 });
  expectSpan('"status":{"code":"STATUS_CODE_ERROR"}', { status: { code: 2 } });
  expectSpan(`"trace_id":"${traceId}","end_time_unix_nano":7`, {
    traceId: Buffer.from(traceId, 'hex'),
    endTimeUnixNano: 7n,
  });
  expect(() => decoded(withSpan('"kind":"SPAN_KIND_NONE"'))).toThrow(/kind is "SPAN_KIND_NONE"/);
});

test('ids are hex in either case; one of another length or spelling is for extraction to reject', () => {
  expectSpan(`"traceId":"${traceId.toLowerCase()}"`, { traceId: Buffer.from(traceId, 'hex') });
  expectSpan('"traceId":""', {});
  expectSpan('"spanId":"abcd"', { spanId: Buffer.from('abcd', 'hex') });
  for (const bad of ['abc', 'W47/95gDgQPSabYzgT/GDA==', 'zz']) {
    expectSpan(`"traceId":"${bad}"`, { traceId: Buffer.alloc(1) });
  }
  expect(() => decoded(withSpan('"traceId":7'))).toThrow(/traceId is 7, not hexadecimal/);
});

test('null is the default, a mark of byte order is no part of the text', () => {
  expectSpan('"name":null,"attributes":null,"events":null,"status":null,"kind":null', {});
  expect(decoded('\ufeff{}').length).toBe(0);
  expect(decoded('{"resourceSpans":null,"other":[1,{"a":2}]}').length).toBe(0);
});

test('bytes that are not UTF-8 are handed on as they are, as in protobuf', () => {
  const body = Buffer.from(withSpan('"name":"a?b"'));
  body[body.indexOf('?')] = 0xff;
  expect(tracesFromJson(body).includes(Buffer.from([0x61, 0xff, 0x62]))).toBe(true);
});

test.each([
  '{"a":1,}',
  '{"a" 1}',
  '{a:1}',
  '{,}',
  '[1,]',
  '{"a":[1,]}',
  '{"a":01}',
  '{"a":1.}',
  '{"a":.5}',
  '{"a":+1}',
  '{"a":nul}',
  '{"a":True}',
  '{"a":"\n"}'.replace('\\n', '\n'),
  '{"a":"b}',
  '{"a":1}}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\\x"}]}]}]}',
])('not JSON: %j', (text) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(() => decoded(text)).toThrow(/the body is (not JSON|a list)/);
});

test('agrees with JSON.parse on what is JSON, whatever one byte is changed', () => {
  const text = '{"resourceSpans":[{"x":[true,false,null,-1.5e+3,"\\u00e9\\n",{"y":{}}]}],"z":0}';
  for (let at = 1; at < text.length; at += 1) {
    for (const byte of '{}[],:"\\0-.eEnt \n\t!') {
      const changed = text.slice(0, at) + byte + text.slice(at + 1);
      let isJson = true;
      try {
        JSON.parse(changed);
      } catch {
        isJson = false;
      }
      let isRead = true;
      let message = '';
      try {
        decoded(changed);
      } catch (error) {
        isRead = false;
        message = (error as Error).message;
      }
      // What is JSON may still be no request, and what is not may be so after a wrong value.
      const isWrong = isJson ? message.startsWith('the body is not JSON') : isRead;
      if (isWrong && !isSkippedEscape(changed)) {
        expect.fail(
          `${changed}: ${isJson ? 'is JSON' : 'is not JSON'}, but: ${message || 'was read'}`,
        );
      }
    }
  }
});

/** Escapes of strings nobody asked for are passed over, not checked. */
function isSkippedEscape(text: string): boolean {
  return /\\(?!["\\/bfnrt]|u[0-9a-f]{4})/i.test(text);
}

test.each(['', '1234', '[]', '""', 'null', '{"resourceSpans":', '{} x', '{"resourceSpans":{}}'])(
  'not a request: %s',
  (text) => {
    expect(() => decoded(text)).toThrow();
    try {
      decoded(text);
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid' });
    }
  },
);

test('names of the object prototype are only names', () => {
  const hostile = '{"__proto__":{"resourceSpans":[{}]},"constructor":1,"toString":null}';
  expect(decoded(hostile).length).toBe(0);
});
