import { describe, expect, it } from 'vitest';
import { credentialsOf, keyTextOf } from '../../../core/auth/credentials.ts';
import { digestOf, newKey, projectPattern } from '../../../core/key.ts';
import { limits } from '../../../core/limits.ts';

const keyOf = (headers: Parameters<typeof credentialsOf>[0]) =>
  keyTextOf(credentialsOf(headers, '192.0.2.1'));

describe('the key of a request', () => {
  it.each([
    [{ authorization: 'Bearer rck_abc' }, 'rck_abc'],
    [{ authorization: 'bearer   rck_abc ' }, 'rck_abc'],
    [{ authorization: 'Bearer%20rck_abc' }, 'rck_abc'],
    [{ authorization: 'BEARER%20rck%5Fabc' }, 'rck_abc'],
    [{ 'x-api-key': 'rck_abc' }, 'rck_abc'],
    [{ 'x-api-key': ' rck%5Fabc%20' }, 'rck_abc'],
    [{ 'x-api-key': ['rck_abc'] }, 'rck_abc'],
    [{ authorization: 'Basic dTpw', 'x-api-key': 'rck_abc' }, 'rck_abc'],
    [{ authorization: 'Bearer of-a-proxy', 'x-api-key': 'rck_abc' }, 'rck_abc'],
    [{ authorization: 'Bearer rck_abc', 'x-api-key': '' }, 'rck_abc'],
    [{ authorization: 'Bearer rck_abc', 'x-api-key': ' ' }, 'rck_abc'],
    [{ 'x-api-key': 'a'.repeat(limits.keyHeaderLength) }, 'a'.repeat(limits.keyHeaderLength)],
    // Not an encoding after all: taken as it stands.
    [{ authorization: 'Bearer rck%' }, 'rck%'],
  ])('of %j is %s', (headers, key) => {
    expect(keyOf(headers)).toBe(key);
  });

  it.each([
    [{}, 'no key was sent'],
    [{ authorization: 'Basic dTpw' }, 'no Bearer key'],
    [{ authorization: 'Bearer' }, 'no Bearer key'],
    [{ authorization: 'Bearer two words' }, 'no Bearer key'],
    [{ authorization: '' }, 'no Bearer key'],
    [
      { authorization: 'Basic Bearer rck_abc' },
      'no Bearer key: send Authorization: Bearer KEY, or x-api-key: KEY',
    ],
    [{ 'x-api-key': 'a'.repeat(limits.keyHeaderLength + 1) }, 'characters; at most'],
    [{ authorization: `Bearer ${'a'.repeat(limits.keyHeaderLength)}` }, 'characters; at most'],
  ])('of %j is none', (headers, why) => {
    expect(() => keyOf(headers)).toThrow(
      expect.objectContaining({ code: 'unauthenticated', message: expect.stringContaining(why) }),
    );
  });
});

it('a request without a peer address has an empty one', () => {
  expect(credentialsOf({}, undefined).address).toBe('');
  expect(credentialsOf({}, '192.0.2.1').address).toBe('192.0.2.1');
});

describe('a new key', () => {
  it('is 256 random bits, of which its prefix shows 48 and its id none', () => {
    const one = newKey();
    expect(one.text).toMatch(/^rck_[A-Za-z0-9_-]{43}$/);
    expect(one.text.startsWith(one.prefix)).toBe(true);
    expect(one.prefix).toHaveLength(12);
    expect(one.id).toMatch(/^key_[0-9a-f]{16}$/);
    expect(one.digest).toEqual(digestOf(one.text));
    expect(newKey().text).not.toBe(one.text);
    const zeros = newKey((bytes) => Buffer.alloc(bytes));
    expect(zeros.text).toBe(`rck_${'A'.repeat(43)}`);
  });
});

it('a project has a name that needs no quoting', () => {
  for (const name of ['a', 'shop', 'team-1.eu_west', 'X'.repeat(100)]) {
    expect(name).toMatch(projectPattern);
  }
  for (const name of ['', '-a', '.', 'a b', 'a/b', 'ü', 'a\n', 'X'.repeat(101)]) {
    expect(name).not.toMatch(projectPattern);
  }
});
