import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nothingExtracted, type RejectReason } from '../../../collector/extract/counts.ts';
import { messageDigest } from '../../../collector/ingest/digest.ts';
import type { Ingest } from '../../../collector/ingest/ingest.ts';
import { isLarge, LargeMessages } from '../../../collector/ingest/large-message.ts';
import { readConfig } from '../../../core/config/config.ts';
import { AppError } from '../../../core/error.ts';
import { callTo, copiesOf, encodeSpans, serverSpan } from '../../support/export-request.ts';

/** Large messages with an ingest that keeps what it is given, and rejects what the test says. */
function open(now: () => number = Date.now) {
  const taken: { project: string; bytes: number; digest: string }[] = [];
  const rejected: Partial<Record<RejectReason, number>>[] = [];
  const ingest = {
    take: async (project: string, slice: Buffer, digest: () => Uint8Array) => {
      const hex = Buffer.from(digest()).toString('hex');
      taken.push({ project, bytes: slice.length, digest: hex });
      const own = { ...nothingExtracted().rejected, ...rejected[taken.length - 1] };
      return { rejected: own, durationsDropped: 0 };
    },
  } as unknown as Ingest;
  return { taken, rejected, large: new LargeMessages(ingest, { config: readConfig({}), now }) };
}

/** 26,000 calls: four slices of up to 1 MiB. */
const spans = copiesOf(serverSpan({ attributes: callTo('/large') }), 26_000);
const message = encodeSpans(spans);

test('each slice is a delivery, identified by the digest of the message and its number', async () => {
  const { large, taken } = open();
  expect(await large.receive('shop', message)).toBeUndefined();
  expect(taken).toHaveLength(4);
  const numbered = (digest: Uint8Array) =>
    taken.map((_, number) => {
      const tail = Buffer.alloc(4);
      tail.writeUInt32LE(number);
      return createHash('sha256').update(digest).update(tail).digest('hex').slice(0, 32);
    });
  expect(taken.map(({ digest }) => digest)).toEqual(numbered(messageDigest(message)));
  expect(taken.every(({ project, bytes }) => project === 'shop' && bytes < 1.3 * 2 ** 20)).toBe(
    true,
  );
  // What came in another encoding is identified by the bytes that came.
  const delivered = Buffer.from('compressed');
  taken.length = 0;
  await large.receive('shop', message, delivered);
  expect(taken.map(({ digest }) => digest)).toEqual(numbered(messageDigest(delivered)));
});

test('rejected spans of all slices are answered together', async () => {
  const { large, rejected } = open();
  rejected.push({ future: 1 }, {}, { future: 2, too_old: 3 });
  expect(await large.receive('shop', message)).toEqual({
    rejected: 6,
    message:
      '6 spans were not counted: 3 ending more than 600 s in the future (a wrong clock?), 3 older than the retention of days',
  });
});

test('a message that is malformed in its last part leaves nothing, and the part is named', async () => {
  const { large, taken } = open();
  const bad = encodeSpans([serverSpan()]);
  // The length of the last attribute's value, which is a tag and two bytes of a number.
  bad[bad.length - 4] = 0x7f;
  const refused = large.receive('shop', Buffer.concat([message, bad]));
  await expect(refused).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(
      /malformed protobuf.* \(in part 4 of the message, which was read in parts of 1048576 bytes\)$/,
    ),
    cause: { code: 'invalid' },
  });
  expect(taken).toEqual([]);
});

test.each([
  ['of ours', new TypeError('a mistake')],
  ['of the store', new AppError('unavailable', 'locked')],
])('an error %s while the message is checked stays what it is', async (_, error) => {
  const { large, taken } = open(() => {
    throw error;
  });
  await expect(large.receive('shop', message)).rejects.toBe(error);
  expect(taken).toEqual([]);
});

test('other work gets a turn before each slice, and two messages take turns', async () => {
  const { large, taken } = open();
  const order: string[] = [];
  const sent = [large.receive('one', message), large.receive('two', message)];
  let turns = 0;
  while (taken.length < 8) {
    const before = taken.length;
    await turn();
    turns += 1;
    // Two of them in one turn would be two slices that nothing came between.
    expect(taken.length - before).toBeLessThanOrEqual(1);
  }
  await Promise.all(sent);
  order.push(...taken.map(({ project }) => project));
  expect(order).toEqual(['one', 'two', 'one', 'two', 'one', 'two', 'one', 'two']);
  expect(turns).toBeGreaterThanOrEqual(16);
});

test('a message above 2 MiB is large', () => {
  expect(isLarge(Buffer.alloc(2 * 2 ** 20))).toBe(false);
  expect(isLarge(Buffer.alloc(2 * 2 ** 20 + 1))).toBe(true);
});
