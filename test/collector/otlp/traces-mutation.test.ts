import { describe, expect, test } from 'vitest';
import { AppError } from '../../../core/error.ts';
import { Random } from '../../../core/random.ts';
import { extracting, nowMs } from '../support/extracting.ts';
import { readFixture } from '../support/fixture.ts';
import { randomRequest } from '../support/random-request.ts';
import { inOrder, shuffled } from '../support/wire.ts';

const { extractor, batch, dictionary } = extracting();

/** Either calls, or an error of the sender that leaves the batch as it was; nothing else, ever. */
function survives(body: Buffer): 'taken' | 'refused' {
  const before = batch.length;
  try {
    const { stored } = extractor.extract('p', body, batch);
    expect(batch.length).toBe(before + stored);
    return 'taken';
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('invalid');
    expect(batch.length).toBe(before);
    return 'refused';
  } finally {
    batch.truncate(0);
    if (dictionary.size > 10_000) extractor.reset();
  }
}

const bodies: [string, Buffer][] = [
  ...['node-express5', 'python-flask', 'java-spring', 'go-gin'].map((name): [string, Buffer] => [
    name,
    readFixture(name).messages[0]!.body,
  ]),
  ...[1, 2, 3].map((seed): [string, Buffer] => [
    `random ${seed}`,
    randomRequest(new Random(seed), inOrder, nowMs),
  ]),
  ...[4, 5, 6].map((seed): [string, Buffer] => {
    const random = new Random(seed);
    return [`shuffled ${seed}`, randomRequest(random, shuffled(random), nowMs)];
  }),
];

/** Bodies of each kind. `npm run test:fuzz` tries millions against a running collector. */
const changed = 6_000;

describe.each(bodies)('%s', (_, body) => {
  test('cut at every byte: only a cut between two messages is a request', () => {
    let taken = 0;
    for (let end = 0; end < body.length; end += 1) {
      if (survives(Buffer.from(body.subarray(0, end))) === 'taken') taken += 1;
    }
    expect(taken).toBeLessThanOrEqual(20);
  });

  test('flipped bits', () => {
    const random = new Random(body.length);
    for (let i = 0; i < changed; i += 1) {
      const bad = Buffer.from(body);
      for (let flips = random.below(3); flips >= 0; flips -= 1) {
        bad[random.below(bad.length)]! ^= 1 << random.below(8);
      }
      survives(bad);
    }
  });

  test('bytes replaced, taken out and put in', () => {
    const random = new Random(body.length + 1);
    for (let i = 0; i < changed / 2; i += 1) {
      const at = random.below(body.length);
      const gone = random.below(4);
      const put = Buffer.from(Array.from({ length: random.below(4) }, () => random.below(256)));
      survives(Buffer.concat([body.subarray(0, at), put, body.subarray(at + gone)]));
    }
  });
});

test('a body is read only between its own ends', () => {
  const body = bodies[0]![1];
  // The same bytes go on behind the body: a read past its end would find them.
  const room = Buffer.concat([Buffer.alloc(7, 0xff), body, body]);
  for (let end = 1; end < body.length; end += 7) {
    const cut = room.subarray(7, 7 + end);
    expect(survives(cut)).toBe(survives(Buffer.from(cut)));
  }
});
