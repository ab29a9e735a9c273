import { expect, test } from 'vitest';
import { checkFrames, slicesOf } from '../../../collector/otlp/split-request.ts';
import { encodeTraces, type Span } from '../../../collector/otlp/traces-encoder.ts';
import { Random } from '../../../core/random.ts';
import { fc } from '../../support/property.ts';
import { extracting, nowMs, span } from '../support/extracting.ts';
import { randomRequest } from '../support/random-request.ts';
import { bytesField, inOrder, shuffled } from '../support/wire.ts';

function sliced(message: Buffer, sliceBytes: number): Buffer[] {
  return Array.from(slicesOf(message, sliceBytes), (slice) => Buffer.from(slice));
}

/** Calls and counters of the messages, one after the other. Counters of counters are told by both names. */
function extractedOf(messages: readonly Buffer[]) {
  const { extract, called } = extracting();
  const counted: Record<string, number> = {};
  const ahead = new Set<string>();
  const add = (found: object, prefix: string): void => {
    for (const [name, value] of Object.entries(found)) {
      if (typeof value === 'object') add(value as object, `${prefix}${name} `);
      else if (value !== 0) counted[prefix + name] = (counted[prefix + name] ?? 0) + value;
    }
  };
  for (const message of messages) {
    const { clocksAhead, ...others } = extract(message);
    for (const { service, instance } of clocksAhead) ahead.add(`${service} ${instance}`);
    add(others, '');
  }
  return { called: called(), counted, ahead };
}

test('slices hold what the message holds, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 4000 }), (seed, sliceBytes) => {
      const random = new Random(seed);
      const arrange = seed % 2 === 0 ? inOrder : shuffled(random);
      const message = randomRequest(random, arrange, nowMs);
      expect(extractedOf(sliced(message, sliceBytes))).toEqual(extractedOf([message]));
    }),
    { numRuns: 500 },
  );
});

test('a slice is as large as asked, and where it is cut depends on the message alone', () => {
  const spans: Span[] = Array.from({ length: 5000 }, (_, i) => span({ n: i, 'http.route': '/a' }));
  const message = encodeTraces([
    { attributes: [{ key: 'service.name', value: 'shop' }], scopes: [{ name: 'test', spans }] },
  ]);
  const slices = sliced(message, 64 * 1024);
  expect(slices.length).toBe(Math.ceil(message.length / (64 * 1024)));
  for (const slice of slices.slice(0, -1)) expect(slice.length).toBeLessThan(65 * 1024);
  expect(sliced(message, 64 * 1024)).toEqual(slices);
});

test('a large resource is not repeated more often than it is worth', () => {
  const spans: Span[] = Array.from({ length: 5000 }, () => span({ 'http.route': '/a' }));
  const attributes = [{ key: 'service.name', value: 'x'.repeat(200_000) }];
  const message = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  const bytes = sliced(message, 1024).reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeLessThan(message.length * 1.5);
});

test('frames that a hostile sender cuts small stay within a slice', () => {
  const empty = Buffer.from('0a00'.repeat(200_000), 'hex');
  expect(sliced(empty, 1000).every(({ length }) => length <= 1006)).toBe(true);
});

test.each([
  ['a length that runs past the message', '0a7f'],
  ['a length that runs past its scope', '0a0412021205'],
  ['a tag of no field', '0a02000000'],
])('%s is refused', (_, hex) => {
  expect(() => sliced(Buffer.from(hex, 'hex'), 100)).toThrow(/malformed protobuf at byte/);
});

test.each([
  ['600,001 ResourceSpans', Buffer.from('0a00'.repeat(600_001), 'hex'), 600_000],
  [
    '600,001 ResourceSpans and ScopeSpans',
    bytesField(1, Buffer.from('1200'.repeat(600_000), 'hex')),
    600_000,
  ],
  [
    '300,001 spans',
    bytesField(1, bytesField(2, Buffer.from('1200'.repeat(300_001), 'hex'))),
    300_000,
  ],
  ['65 pieces of a resource', bytesField(1, Buffer.from('0a00'.repeat(65), 'hex')), 64],
])('%s are refused by name, whole and in slices', (_, message, most) => {
  const refused = expect.objectContaining({
    code: 'too_large',
    message: expect.stringContaining(`more than ${most} `),
  });
  expect(() => sliced(message, 1000)).toThrow(refused);
  expect(() => extracting().extract(message)).toThrow(refused);
});

test.each([
  ['600,001 ResourceSpans', Buffer.from('0a00'.repeat(600_001), 'hex'), 600_000],
  [
    '300,001 spans of two scopes',
    bytesField(
      1,
      Buffer.concat([
        bytesField(2, Buffer.from('1200'.repeat(150_000), 'hex')),
        bytesField(2, Buffer.from('1200'.repeat(150_001), 'hex')),
      ]),
    ),
    300_000,
  ],
  [
    '3,000,000 unknown fields of a ResourceSpans',
    bytesField(1, Buffer.from('4a00'.repeat(3_000_000), 'hex')),
    3_000_000,
  ],
  [
    '3,000,000 unknown fields of a ScopeSpans',
    bytesField(1, bytesField(2, Buffer.from('4a00'.repeat(3_000_000), 'hex'))),
    3_000_000,
  ],
])('%s are refused before a span is decoded', (_, message, most) => {
  expect(() => checkFrames(message)).toThrow(
    expect.objectContaining({
      code: 'too_large',
      message: expect.stringContaining(`more than ${most} `),
    }),
  );
});

test('frames within the bounds pass, whatever stands between them', () => {
  const scope = bytesField(2, Buffer.from('1200'.repeat(100_000) + '4a00'.repeat(1000), 'hex'));
  expect(() => checkFrames(bytesField(1, Buffer.concat([scope, scope, scope])))).not.toThrow();
  expect(() => checkFrames(Buffer.from('0a7f', 'hex'))).toThrow(/malformed protobuf at byte/);
});
