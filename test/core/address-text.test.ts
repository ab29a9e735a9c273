import { expect, test } from 'vitest';
import { replaceAddresses } from '../../core/address-text.ts';

test.each([
  ['203.0.113.77', '<203.0.113.77>'],
  ['a 203.0.113.77, b 203.0.113.78.', 'a <203.0.113.77>, b <203.0.113.78>.'],
  ['user@203.0.113.77:80', 'user@<203.0.113.77>:80'],
  ['ip203.0.113.77', 'ip<203.0.113.77>'],
  ['[2001:db8::7334]:443', '[<2001:db8::7334>]:443'],
  ['::ffff:203.0.113.77', '<::ffff:203.0.113.77>'],
  ['from ::1', 'from <::1>'],
  ['std::io::Error', 'std::io::Error'],
  ['1.2.3', '1.2.3'],
  ['1.2.3.4.5', '1.2.3.4.5'],
  ['256.1.1.1', '256.1.1.1'],
  ['12:34:56', '12:34:56'],
  ['carmen', 'carmen'],
])('addresses in %j', (text, expected) => {
  expect(replaceAddresses(text, (address) => `<${address}>`)).toBe(expected);
});

test('a text of colons and digits is read in no time', () => {
  const text = '1:'.repeat(50_000) + '1.'.repeat(50_000);
  expect(replaceAddresses(text, () => '')).toBe(text);
});
