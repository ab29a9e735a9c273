import { expect, it } from 'vitest';
import { conversionText, damageText } from '../../../core/store/notices.ts';

it('three damaged rows are named, and the others are counted', () => {
  expect(damageText(['a', 'b', 'c'])).toBe(
    'damaged and left out: a, b, c; rollcall check reads the whole store',
  );
  expect(damageText(['a', 'b', 'c', 'd', 'e'])).toBe(
    'damaged and left out: a, b, c and 2 more; rollcall check reads the whole store',
  );
});

it('a conversion says what is done, and what it waits for', () => {
  expect(conversionText({ left: 30, total: 100 })).toBe(
    '70 of 100 raw calls of an older release are converted',
  );
  expect(conversionText({ left: 30, total: 100, needsBytes: 2 ** 29 })).toBe(
    '70 of 100 raw calls of an older release are converted; the rest waits until the disk has 512 MiB free',
  );
});
