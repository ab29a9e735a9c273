import { expect, test } from 'vitest';
import { messageDigest } from '../../../collector/ingest/digest.ts';

const hexOf = (message: Buffer) => Buffer.from(messageDigest(message)).toString('hex');
/** On both sides of the size from which on another function is used. */
const sizes = [1, 2, 17, 24_575, 24_576, 24_577, 143_000];

test.each(sizes)(
  'a message of %i bytes has another digest when any of its bytes changes',
  (size) => {
    const message = Buffer.alloc(size, 7);
    const digests = new Set([hexOf(message)]);
    const places = new Set([0, 1, 15, 16, size >> 1, size - 17, size - 16, size - 2, size - 1]);
    const within = [...places].filter((at) => at >= 0 && at < size);
    for (const at of within) {
      for (const bit of [1, 128]) {
        message[at]! ^= bit;
        digests.add(hexOf(message));
        message[at]! ^= bit;
      }
    }
    expect(digests.size).toBe(1 + 2 * within.length);
    expect(messageDigest(message)).toHaveLength(16);
    expect(hexOf(Buffer.from(message))).toBe(hexOf(message));
  },
);

test.each(sizes)('a message of %i bytes, cut or longer by one byte, has another digest', (size) => {
  const long = Buffer.alloc(size + 1);
  const digests = [size - 1, size, size + 1].map((length) => hexOf(long.subarray(0, length)));
  expect(new Set(digests).size).toBe(3);
});

/** Stores keep digests for an hour: another function would count retries twice over an upgrade. */
test.each([
  ['abc', Buffer.from('abc'), 'ba7816bf8f01cfea414140de5dae2223'],
  ['24,575 bytes', Buffer.alloc(24_575, 7), '69c2672546812b766319f9c15fec8332'],
  ['24,576 bytes', Buffer.alloc(24_576, 7), '79f1faaff2546d99cc0b6d8306678c78'],
  ['143,000 bytes', Buffer.alloc(143_000, 7), 'b1f2632c9fb580963e1e7fde428532d2'],
])('the digest of %s never changes', (_, message, digest) => {
  expect(hexOf(message)).toBe(digest);
});
