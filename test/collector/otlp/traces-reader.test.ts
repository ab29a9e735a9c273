import { describe, expect, test } from 'vitest';
import { AppError } from '../../../core/error.ts';
import { limits } from '../../../core/limits.ts';
import { extracting, nowNs } from '../support/extracting.ts';
import {
  bytesField,
  type Field,
  fixed32Field,
  fixed64Field,
  groupField,
  varint,
  varintField,
} from '../support/wire.ts';

const ids = [bytesField(1, Buffer.alloc(16, 1)), bytesField(2, Buffer.alloc(8, 2))];
const kind = varintField(6, 2);
const times = [fixed64Field(7, nowNs - 1_000_000n), fixed64Field(8, nowNs)];

function attribute(key: string, ...values: Field[][]): Field {
  const fields = values.map((value) => bytesField(2, Buffer.concat(value)));
  return bytesField(9, Buffer.concat([bytesField(1, key), ...fields]));
}

const string = (text: string) => bytesField(1, text);
const method = attribute('http.request.method', [string('GET')]);
const status = attribute('http.response.status_code', [varintField(3, 200)]);

function scope(...spans: Field[][]): Field {
  return bytesField(2, Buffer.concat(spans.map((span) => bytesField(2, Buffer.concat(span)))));
}

function resource(...attributes: [string, string][]): Field {
  const fields = attributes.map(([key, value]) =>
    bytesField(1, Buffer.concat([bytesField(1, key), bytesField(2, string(value))])),
  );
  return bytesField(1, Buffer.concat(fields));
}

const request = (...fields: Field[]) => bytesField(1, Buffer.concat(fields));
const usual = [...ids, bytesField(5, 'GET'), kind, ...times, method, status];

function calledFrom(...requests: Field[]) {
  const { extract, called } = extracting({}, { countsOnce: false });
  const extracted = extract(Buffer.concat(requests));
  return { extracted, calls: called() };
}

function call(...fields: Field[]) {
  const { calls } = calledFrom(request(scope(fields)));
  expect(calls).toHaveLength(1);
  return calls[0]!;
}

describe('P1: nothing', () => {
  test.each<[string, Buffer]>([
    ['an empty message', Buffer.alloc(0)],
    ['an empty ResourceSpans', request()],
    ['a ScopeSpans without spans', request(resource(['service.name', 'a']), bytesField(2, ''))],
  ])('%s is a valid request without calls', (_, body) => {
    const { extract, called } = extracting({}, { countsOnce: false });
    expect(extract(body)).toMatchObject({ stored: 0, notServer: 0 });
    expect(called()).toEqual([]);
  });

  test('an empty span is no SERVER span', () => {
    expect(calledFrom(request(scope([]))).extracted).toMatchObject({ stored: 0, notServer: 1 });
  });
});

describe('P2: every legal way to write the same', () => {
  const plain = call(...usual);

  test('fields in any order', () => {
    expect(call(...[...usual].reverse())).toEqual(plain);
  });

  test('lengths and numbers in more bytes than they need', () => {
    const padded = [
      bytesField(1, Buffer.alloc(16, 1), 3),
      bytesField(2, Buffer.alloc(8, 2), 9),
      varintField(6, 2, 4),
      ...times,
      bytesField(
        9,
        Buffer.concat([
          bytesField(1, 'http.request.method', 1),
          bytesField(2, bytesField(1, 'GET', 2), 1),
        ]),
        5,
      ),
      attribute('http.response.status_code', [varintField(3, 200, 7)]),
    ];
    expect(call(...padded)).toEqual(plain);
  });

  test('unknown fields of every wire type, groups in groups too', () => {
    const unknown = [
      varintField(99, 2n ** 64n - 1n),
      fixed64Field(100, 7n),
      bytesField(101, 'anything'),
      fixed32Field(536_870_911, 7),
      groupField(103, [
        varintField(1, 1),
        groupField(104, [bytesField(6, 'x')]),
        fixed32Field(2, 1),
      ]),
    ];
    for (const field of unknown) {
      const span = [field, ...usual.flatMap((known) => [known, field])];
      const { calls } = calledFrom(field, request(field, scope(span), field), field);
      expect(calls).toEqual([plain]);
    }
  });

  test('a known number with another wire type is an unknown field', () => {
    const odd = [varintField(1, 5), fixed32Field(5, 1), bytesField(6, '\x01'), varintField(9, 3)];
    expect(call(...odd, ...usual, ...odd)).toEqual(plain);
  });

  test('a singular field that comes twice: the last one counts', () => {
    const twice = [
      bytesField(1, Buffer.alloc(16, 9)),
      varintField(6, 2),
      fixed64Field(8, 5n),
      bytesField(5, 'other'),
      ...usual,
    ];
    expect(call(...twice)).toEqual(plain);
    expect(calledFrom(request(scope([...usual, varintField(6, 3)]))).extracted.notServer).toBe(1);
  });

  test('a singular message that comes twice is merged', () => {
    const halves = [resource(['service.name', 'a']), resource(['service.version', '2'])];
    const { calls } = calledFrom(request(halves[0]!, scope(usual), halves[1]!));
    expect(calls[0]).toMatchObject({ service: 'a', serviceVersion: '2' });
    const failed = bytesField(15, varintField(3, 2));
    const message = bytesField(15, bytesField(2, 'text'));
    const bare = [...ids, kind, ...times, method];
    expect(call(...bare, failed, message).status).toBe(500);
    expect(call(...bare, failed, bytesField(15, varintField(3, 0))).status).toBe(0);
  });

  test('an AnyValue that comes twice: the last member set counts, arrays grow', () => {
    const bare = [...ids, kind, ...times, method];
    const code = (...values: Field[][]) => attribute('http.response.status_code', ...values);
    expect(call(...bare, code([varintField(3, 200)], [varintField(3, 404)])).status).toBe(404);
    expect(call(...bare, code([varintField(3, 200), string('503')])).status).toBe(503);
    expect(call(...bare, code([string('200')], [])).status).toBe(200);
    expect(call(...bare, code()).status).toBe(0);
    const array = (...items: string[]) => [
      bytesField(5, Buffer.concat(items.map((item) => bytesField(1, string(item))))),
    ];
    const hops = (...values: Field[][]) =>
      attribute('http.request.header.x-forwarded-for', ...values);
    const pieces = hops(array('203.0.113.7'), array('198.51.100.1'), array('10.0.0.1'));
    expect(call(...bare, pieces).client).toBe('198.51.100.1');
    const replaced = hops(array('203.0.113.7'), [varintField(3, 1)], array('192.0.2.1'));
    expect(call(...bare, replaced).client).toBe('192.0.2.1');
  });

  test('a key that comes twice in an attribute: the last one is its name', () => {
    const twice = bytesField(
      9,
      Buffer.concat([
        bytesField(1, 'server.port'),
        bytesField(2, varintField(3, 204)),
        bytesField(1, 'http.status_code'),
      ]),
    );
    expect(call(...ids, kind, ...times, twice).status).toBe(204);
  });

  test('duplicate attributes: the last wins (P6)', () => {
    const again = attribute('http.response.status_code', [varintField(3, 201)]);
    expect(call(...usual, again).status).toBe(201);
    expect(call(...usual, attribute('http.response.status_code', [])).status).toBe(0);
  });

  test('resources and scopes interleaved: each span has its own resource', () => {
    const { calls } = calledFrom(
      request(scope(usual), resource(['service.name', 'a'])),
      request(scope(usual)),
      request(resource(['service.name', 'b']), scope(usual, usual), scope(usual)),
    );
    expect(calls.map(({ service }) => service)).toEqual(['a', 'unknown_service', 'b', 'b', 'b']);
  });
});

describe('P6: values of every kind', () => {
  const nested = (depth: number): Buffer =>
    depth === 0 ? string('x') : bytesField(5, bytesField(1, nested(depth - 1)));

  test.each<[string, Field[]]>([
    ['bytes', [bytesField(7, Buffer.alloc(300))]],
    ['kvlist', [bytesField(6, bytesField(1, bytesField(1, 'k')))]],
    ['string_value_strindex', [varintField(8, 3)]],
    ['double', [fixed64Field(4, 0x7ff8_0000_0000_0000n)]],
    ['deeply nested', [nested(5000)]],
  ])('%s on any attribute does no harm', (_, value) => {
    for (const key of ['http.route', 'client.address', 'enduser.id', 'thread.id', 'error.type']) {
      expect(call(...usual, attribute(key, value)).status).toBe(200);
    }
    const hops = attribute('http.request.header.x-forwarded-for', value);
    expect(call(...usual, hops).client).toBe('');
  });

  test('key_strindex instead of a key', () => {
    const index = bytesField(9, Buffer.concat([varintField(3, 7), bytesField(2, string('x'))]));
    expect(call(...usual, index).status).toBe(200);
  });
});

describe('P3: malformed bytes are an error that says where', () => {
  const inSpan = (...fields: Field[]) => request(scope([...usual, ...fields]));
  const tooDeep = (depth: number): Field =>
    depth === 0 ? varintField(1, 1) : groupField(7, [tooDeep(depth - 1)]);

  test.each<[string, Buffer, RegExp]>([
    [
      'a length past the end',
      Buffer.from([0x0a, 0x05, 0x00]),
      /byte 1: length 5 runs past .* byte 3/,
    ],
    [
      'a length past its parent',
      Buffer.from([0x0a, 0x02, 0x12, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00]),
      /byte 3: length 5/,
    ],
    [
      'a length beyond 2^32',
      Buffer.concat([Buffer.from([0x0a]), varint(2n ** 63n), Buffer.alloc(9)]),
      /length 9223372036854776000 runs past/,
    ],
    [
      'a varint of 11 bytes',
      inSpan(Buffer.concat([Buffer.from([0x50]), Buffer.alloc(10, 0x80), Buffer.from([1])])),
      /longer than 10 bytes/,
    ],
    ['a varint cut off', inSpan(Buffer.from([0x50, 0x80])), /varint runs past/],
    ['field number 0', inSpan(Buffer.from([0x02, 0x00])), /tag 2 names no field/],
    ['wire type 6', inSpan(Buffer.from([0x56])), /wire type 6 of field 10/],
    ['wire type 7', inSpan(Buffer.from([0x57])), /wire type 7 of field 10/],
    [
      'a group that ends without a beginning',
      inSpan(Buffer.from([0x54])),
      /wire type 4 of field 10/,
    ],
    ['a group that does not end', inSpan(Buffer.from([0x53, 0x08, 0x01])), /varint runs past/],
    [
      'a group that another number ends',
      inSpan(Buffer.from([0x53, 0x5c])),
      /wire type 4 of field 11/,
    ],
    ['groups too deep', inSpan(tooDeep(limits.nestingDepth + 1)), /nest deeper than 100/],
    ['a fixed64 cut off', inSpan(Buffer.from([0x41, 1, 2, 3])), /8 bytes run past/],
    [
      'a wanted attribute with a length past its end',
      inSpan(bytesField(9, Buffer.from([0x0a, 0x7f, 0x61]))),
      /length 127 runs past/,
    ],
    ['text', Buffer.from('{"resourceSpans":[]}'), /malformed protobuf at byte/],
  ])('%s', (_, body, pattern) => {
    const { extract, extractor, batch, called } = extracting({}, { countsOnce: false });
    extract(request(scope(usual)));
    const error = caught(() => extract(body));
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('invalid');
    expect((error as AppError).message).toMatch(pattern);
    expect(batch.length).toBe(1);
    extractor.extract('p', request(scope(usual)), batch);
    expect(called().map((each) => each.status)).toEqual([200, 200]);
  });

  test('calls before the fault are taken back', () => {
    const { extract, batch } = extracting({}, { countsOnce: false });
    const spans = Array.from({ length: 3000 }, () => usual);
    const body = Buffer.concat([request(scope(...spans)), Buffer.from([0x0a, 0x05])]);
    expect(caught(() => extract(body))).toBeInstanceOf(AppError);
    expect(batch.length).toBe(0);
  });

  test('as many groups as are allowed are skipped', () => {
    const { extracted } = calledFrom(inSpan(tooDeep(limits.nestingDepth)));
    expect(extracted.stored).toBe(1);
  });
});

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
