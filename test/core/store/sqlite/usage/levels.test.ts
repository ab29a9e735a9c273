import { describe, expect, it } from 'vitest';
import { levels, piecesOf } from '../../../../../core/store/sqlite/usage/levels.ts';
import { fc } from '../../../../support/property.ts';

const year = 366 * 1440;

describe('levels', () => {
  it('cover every minute of a window exactly once, with few pieces', () => {
    const minute = fc.integer({ min: 29_000_000, max: 29_000_000 + 3 * year });
    fc.assert(
      fc.property(minute, fc.integer({ min: 1, max: 2 * year }), (fromMinute, length) => {
        let at = fromMinute;
        let buckets = 0;
        for (const piece of piecesOf(fromMinute, fromMinute + length)) {
          const { minutes } = levels[piece.level]!;
          expect(piece.fromMinute).toBe(at);
          expect(piece.fromMinute % minutes).toBe(0);
          expect((piece.toMinute - piece.fromMinute) % minutes).toBe(0);
          buckets += (piece.toMinute - piece.fromMinute) / minutes;
          at = piece.toMinute;
        }
        expect(at).toBe(fromMinute + length);
        // 59 minutes, 5 hours, 3 quarters of a day, 7 days and 7 times 8 days at each edge.
        expect(buckets).toBeLessThanOrEqual(2 * (59 + 5 + 3 + 7 + 7) + length / levels[5].minutes);
      }),
    );
  });
});
