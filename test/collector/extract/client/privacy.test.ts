import { afterAll, describe, expect, test } from 'vitest';
import { openClientPrivacy } from '../../../../collector/extract/client/privacy.ts';
import { PrivateDictionary } from '../../../../collector/extract/client/private-dictionary.ts';
import { Extractor } from '../../../../collector/extract/extractor.ts';
import type { AnyValue } from '../../../../collector/otlp/traces-encoder.ts';
import { CallBatch } from '../../../../core/call.ts';
import { type ClientPrivacyMode, readConfig } from '../../../../core/config/config.ts';
import { openLog } from '../../../../core/log.ts';
import { temporaryFolder } from '../../../support/process.ts';
import { calledOf } from '../../support/called.ts';
import { message, span } from '../../support/extracting.ts';

/** What is kept of a client in the words of a batch; addresses-on-disk.test.ts looks at what is written. */
const folder = temporaryFolder();
afterAll(() => folder.remove());

const dayMs = 86_400_000;
const log = openLog('test', 'silent');

describe('extraction', () => {
  const noon = Date.UTC(2026, 10, 22, 12);
  const clientOf = (mode: ClientPrivacyMode, name: string) => {
    let nowMs = noon;
    const keyPath = `${folder.path}/${name}`;
    const privacy = openClientPrivacy({ mode, keyPath, log, now: () => nowMs })!;
    const dictionary = new PrivateDictionary(privacy);
    const extractor = new Extractor({
      dictionary,
      config: readConfig({}),
      now: () => nowMs,
      privacy,
    });
    return {
      of(attributes: Record<string, AnyValue>) {
        const batch = new CallBatch();
        const endNs = BigInt(nowMs - 1000) * 1_000_000n;
        const times = { startTimeUnixNano: endNs - 1000n, endTimeUnixNano: endNs };
        const all = { 'http.request.method': 'GET', ...attributes };
        extractor.extract('p', message([span(all, times)]), batch);
        const [call] = calledOf(batch, dictionary.takeNew());
        extractor.reset();
        return call!;
      },
      at: (ms: number) => {
        nowMs = ms;
      },
    };
  };

  test('truncate keeps networks, none keeps nobody', () => {
    const truncate = clientOf('truncate', 'truncate');
    expect(truncate.of({ 'client.address': '[2001:db8:85a3::1]:80' }).client).toBe(
      '2001:db8:85a3::/48',
    );
    expect(truncate.of({ 'client.address': '::ffff:203.0.113.77' }).client).toBe('203.0.113.0/24');
    const none = clientOf('none', 'none');
    expect(none.of({ 'client.address': '203.0.113.77' }).client).toBe('');
  });

  test('hash knows a client within its day and not on the next', () => {
    const hash = clientOf('hash', 'hash');
    const first = hash.of({ 'client.address': '203.0.113.77' }).client;
    expect(first).toMatch(/^h:[\da-f]{16}$/);
    expect(hash.of({ 'http.request.header.x-real-ip': '203.0.113.77' }).client).toBe(first);
    expect(hash.of({ 'client.address': '203.0.113.78' }).client).not.toBe(first);
    hash.at(noon + dayMs / 2 - 1);
    expect(hash.of({ 'client.address': '203.0.113.77' }).client).toBe(first);
    hash.at(noon + dayMs / 2);
    expect(hash.of({ 'client.address': '203.0.113.77' }).client).not.toBe(first);
  });

  test('a turn of the day between two messages of one epoch of words', () => {
    let nowMs = noon;
    const options = { mode: 'hash', keyPath: `${folder.path}/turn`, log } as const;
    const privacy = openClientPrivacy({ ...options, now: () => nowMs })!;
    const dictionary = new PrivateDictionary(privacy);
    const config = readConfig({});
    const extractor = new Extractor({ dictionary, config, now: () => nowMs, privacy });
    const batch = new CallBatch();
    const address = { 'client.address': '203.0.113.77', 'http.route': '/a' };
    const body = () => message([span({ ...address, 'enduser.id': '203.0.113.77' })]);
    extractor.extract('p', body(), batch);
    extractor.extract('p', body(), batch);
    nowMs += dayMs;
    extractor.extract('p', body(), batch);
    const calls = calledOf(batch, dictionary.takeNew());
    expect(calls[1]).toMatchObject({ client: calls[0]!.client });
    expect(calls[2]!.client).not.toBe(calls[0]!.client);
    expect(calls.map(({ consumer }) => consumer)).toEqual(calls.map(({ client }) => client));
  });

  test('trust in proxies looks at the whole address', () => {
    const truncate = clientOf('truncate', 'trust');
    const claimed = { 'client.address': '203.0.113.77' };
    expect(truncate.of({ ...claimed, 'network.peer.address': '10.0.0.1' }).client).toBe(
      '203.0.113.0/24',
    );
    expect(truncate.of({ ...claimed, 'network.peer.address': '198.51.100.9' }).client).toBe(
      '198.51.100.0/24',
    );
  });
});
