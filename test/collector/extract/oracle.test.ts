import { describe, expect, test } from 'vitest';
import { Extractor } from '../../../collector/extract/extractor.ts';
import { CallBatch, CallDictionary, callColumns } from '../../../core/call.ts';
import { type Config, readConfig } from '../../../core/config/config.ts';
import { Random } from '../../../core/random.ts';
import { fc } from '../../support/property.ts';
import { calledOf } from '../support/called.ts';
import { fixtureNames, readFixture } from '../support/fixture.ts';
import { randomRequest } from '../support/random-request.ts';
import { slowExtract } from '../support/slow-extract.ts';
import { inOrder, shuffled } from '../support/wire.ts';

const nowMs = 1_795_330_000_000;

const config: Config = {
  ...readConfig({}),
  consumerAttributes: ['enduser.id', 'uid', 'http.request.header.x-api-key', 'user.id'],
};

const dictionary = new CallDictionary();
const extractor = new Extractor({ dictionary, config, now: () => nowMs, countsOnce: false });
const withRpc: Config = {
  ...config,
  rpc: true,
  excludeLatency: { upgrades: false, streams: true, longerThanNs: 1e9 },
};
const rpcExtractor = new Extractor({
  dictionary,
  config: withRpc,
  now: () => nowMs,
  countsOnce: false,
});

function expectSame(message: Buffer): void {
  expectSameOf(message, config, extractor);
  expectSameOf(message, withRpc, rpcExtractor);
}

/** Twice: when every word is new, and when every word is known. */
function expectSameOf(message: Buffer, config: Config, extractor: Extractor): void {
  extractor.reset();
  const { calls, extracted } = slowExtract('p', message, config, nowMs);
  const batch = new CallBatch(callColumns(2));
  expect(extractor.extract('p', message, batch)).toEqual(extracted);
  expect(extractor.extract('p', message, batch)).toEqual(extracted);
  const called = calledOf(batch, dictionary.takeNew());
  const again = slowExtract('p', message, config, nowMs, calls).calls;
  expect(called).toEqual([...calls, ...again]);
}

describe('the selective walk finds what the full decoder finds', () => {
  const seeds = fc.integer();
  const runs = { numRuns: 500 };

  test('in requests with fields in their order', () => {
    fc.assert(
      fc.property(seeds, (seed) => expectSame(randomRequest(new Random(seed), inOrder, nowMs))),
      runs,
    );
  });

  test('in requests with fields in any order and unknown fields between them', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = new Random(seed);
        expectSame(randomRequest(random, shuffled(random), nowMs));
      }),
      runs,
    );
  });

  test.each(fixtureNames())('in the bodies of %s', (name) => {
    for (const { contentType, body } of readFixture(name).messages) {
      if (!contentType.includes('json')) expectSame(body);
    }
  });
});
