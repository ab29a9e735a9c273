import { expect, test } from 'vitest';
import { FailedAttempts } from '../../../core/auth/failed-attempts.ts';

const startMs = 1_790_000_000_000;

function open() {
  const clock = { nowMs: startMs };
  const attempts = new FailedAttempts(() => clock.nowMs);
  const fail = (address: string, times: number): void => {
    for (let i = 0; i < times; i += 1) attempts.add(address);
  };
  return { clock, attempts, fail };
}

test('an address may send 100 wrong keys in 60 s, which begin with the first', () => {
  const { clock, attempts, fail } = open();
  fail('192.0.2.1', 1);
  clock.nowMs += 59_000;
  fail('192.0.2.1', 98);
  expect(attempts.isSpent('192.0.2.1')).toBe(false);
  attempts.check('192.0.2.1');
  fail('192.0.2.1', 1);
  expect(attempts.isSpent('192.0.2.1')).toBe(true);
  expect(() => attempts.check('192.0.2.1')).toThrow(
    expect.objectContaining({
      code: 'throttled',
      retryAfterS: 1,
      message: '100 wrong keys came from 192.0.2.1 within 60 s; try again in 1 s',
    }),
  );
  expect(attempts.isSpent('192.0.2.2')).toBe(false);
  clock.nowMs += 999;
  expect(attempts.isSpent('192.0.2.1')).toBe(true);
  clock.nowMs += 1;
  expect(attempts.isSpent('192.0.2.1')).toBe(false);
});

test('a period that is over starts again at one', () => {
  const { clock, attempts, fail } = open();
  fail('192.0.2.1', 100);
  clock.nowMs += 60_000;
  fail('192.0.2.1', 99);
  expect(attempts.isSpent('192.0.2.1')).toBe(false);
  clock.nowMs += 59_999;
  fail('192.0.2.1', 1);
  expect(attempts.isSpent('192.0.2.1')).toBe(true);
});

test('a period ends when the clock is set back', () => {
  const { clock, attempts, fail } = open();
  fail('192.0.2.1', 100);
  clock.nowMs -= 1;
  expect(attempts.isSpent('192.0.2.1')).toBe(false);
  clock.nowMs = startMs;
  expect(attempts.isSpent('192.0.2.1')).toBe(false);
});

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8::7:1:2:3:4', '2001:db8:0:7::9', '2001:db8:0:7::/64'],
  ['2001:db8::1', '2001:db8::ffff:1', '2001:db8:0:0::/64'],
  ['2001::', '2001:0:0:0:1::', '2001:0:0:0::/64'],
  ['::1', '::2', '0:0:0:0::/64'],
  ['::2:3:4:5:6:7', '::2:3:9:9:9:9', '0:0:2:3::/64'],
  ['2001:db8:7::', '2001:db8:7:0:1::', '2001:db8:7:0::/64'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::', '1:2:3:4::/64'],
  ['fe80::1%eth0', 'fe80::2%eth1', 'fe80:0:0:0::/64'],
])('%s and %s are one peer, %s', (one, other, peer) => {
  const { attempts, fail } = open();
  fail(one, 100);
  expect(() => attempts.check(other)).toThrow(`came from ${peer} within`);
});

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:3::1'],
  ['2001:db8::1', '2001:db8:0:1::1'],
  ['2001:db8::7:1:2:3:4', '2001:db8::8:1:2:3:4'],
  ['::1:2:3:4:5', '::1:2:3:4'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.2'],
  ['192.0.2.1', '192.0.2.2'],
  ['', '192.0.2.1'],
])('%s and %s are two peers', (one, other) => {
  const { attempts, fail } = open();
  fail(one, 100);
  expect(attempts.isSpent(one)).toBe(true);
  expect(attempts.isSpent(other)).toBe(false);
});

test('of 10,000 addresses the one whose period began first is forgotten', () => {
  const { attempts, fail } = open();
  fail('192.0.2.1', 100);
  fail('192.0.2.2', 100);
  for (let i = 2; i < 10_000; i += 1) attempts.add(`address ${i}`);
  expect(attempts.isSpent('192.0.2.1')).toBe(true);
  attempts.add('one more');
  expect(attempts.isSpent('192.0.2.1')).toBe(false);
  expect(attempts.isSpent('192.0.2.2')).toBe(true);
});
