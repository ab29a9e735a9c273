import { describe, expect, it } from 'vitest';
import { bucketSpans, levels } from '../../../../../core/store/sqlite/usage/levels.ts';
import { fc } from '../../../../support/property.ts';

const year = 366 * 1440;

describe('levels', () => {
  it('cover every minute of a window exactly once, with few buckets', () => {
    const minute = fc.integer({ min: 29_000_000, max: 29_000_000 + 3 * year });
    fc.assert(
      fc.property(minute, fc.integer({ min: 1, max: 2 * year }), (fromMinute, length) => {
        let at = fromMinute;
        let buckets = 0;
        for (const span of bucketSpans(fromMinute, fromMinute + length)) {
          const minutes = span.levelMinutes;
          expect(levels.map((level) => level.minutes)).toContain(minutes);
          expect(span.fromMinute).toBe(at);
          expect(span.fromMinute % minutes).toBe(0);
          expect((span.toMinute - span.fromMinute) % minutes).toBe(0);
          buckets += (span.toMinute - span.fromMinute) / minutes;
          at = span.toMinute;
        }
        expect(at).toBe(fromMinute + length);
        // 59 minutes, 5 hours, 3 quarters of a day, 7 days and 7 times 8 days at each edge.
        expect(buckets).toBeLessThanOrEqual(2 * (59 + 5 + 3 + 7 + 7) + length / levels[5].minutes);
      }),
    );
  });
});
