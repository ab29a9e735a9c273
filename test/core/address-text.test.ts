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
  ['ip:2001:db8::7334', 'ip:<2001:db8::7334>'],
  ['x2001:db8::7334', 'x<2001:db8::7334>'],
  ['client_2001:db8::7334_a', 'client_<2001:db8::7334>_a'],
  ['id12001:db8:1:2:3:4:5:6', 'id1<2001:db8:1:2:3:4:5:6>'],
  ['face2001:db8::7334', 'face<2001:db8::7334>'],
  ['2001:db8::7334x', '<2001:db8::7334>x'],
  ['2001:db8::7334:', '<2001:db8::7334>:'],
  ['tag:fe80::1', 'tag:<fe80::1>'],
  ['v_2A00::1_', 'v_<2A00::1>_'],
  ['ip:::ffff:203.0.113.77', 'ip:<::ffff:203.0.113.77>'],
  ['ip=2001:db8::7334;ip:2001:db8::7335', 'ip=<2001:db8::7334>;ip:<2001:db8::7335>'],
  ['std::io::Error', 'std::io::Error'],
  ['ActiveRecord::RecordNotFound', 'ActiveRecord::RecordNotFound'],
  ['Digest::SHA256::Error', 'Digest::SHA256::Error'],
  ['Base64::Add', 'Base64::Add'],
  ['at 2026-11-27T12:34:56Z', 'at 2026-11-27T12:34:56Z'],
  ['aa:bb:cc:dd:ee:ff', 'aa:bb:cc:dd:ee:ff'],
  ['1.2.3', '1.2.3'],
  ['1.2.3.4.5', '1.2.3.4.5'],
  ['256.1.1.1', '256.1.1.1'],
  ['12:34:56', '12:34:56'],
  ['carmen', 'carmen'],
])('addresses in %j', (text, expected) => {
  expect(replaceAddresses(text, (address) => `<${address}>`)).toBe(expected);
});

test('a text of colons and digits is read in no time', () => {
  const text = '12345:'.repeat(50_000) + '1.'.repeat(50_000);
  expect(replaceAddresses(text, () => '')).toBe(text);
  // Eight groups are an address, whatever follows.
  const groups = '1:'.repeat(50_000) + '1.'.repeat(50_000);
  expect(replaceAddresses(groups, () => '')).toBe(':'.repeat(6_250) + '1.'.repeat(50_000));
});
