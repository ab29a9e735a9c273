import { expect, test } from 'vitest';
import { isoTime } from '../../core/window.ts';
import { fc } from '../support/property.ts';

test('a moment is written as Date writes it', () => {
  const moment = fc.oneof(
    fc.integer({ min: 0, max: 2 ** 32 * 1000 }),
    fc.integer(),
    fc.double({ min: 0, max: 4e12, noNaN: true }),
  );
  fc.assert(
    fc.property(moment, (ms) => {
      expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }),
    { numRuns: 20_000 },
  );
});
