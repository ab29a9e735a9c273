import { describe, expect, it } from 'vitest';
import { coverageOf, levels, piecesOf } from '../../../../../core/store/sqlite/usage/levels.ts';
import { dayS, hourS, minuteS } from '../../../../../core/window.ts';
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

  it('round a window outward to what is kept at each edge', () => {
    const kept = { minutesFrom: 20_000 * 1440, hoursFrom: 19_910 * 1440 };
    const at = (day: number, s: number): number => day * dayS + s;
    expect(coverageOf({ fromS: at(20_001, 61), toS: at(20_002, 119) }, kept)).toEqual({
      window: { fromS: at(20_001, 60), toS: at(20_002, 120) },
      resolution: 'minute',
    });
    expect(coverageOf({ fromS: at(19_990, hourS + 60), toS: at(20_002, minuteS) }, kept)).toEqual({
      window: { fromS: at(19_990, hourS), toS: at(20_002, minuteS) },
      resolution: 'hour',
    });
    expect(coverageOf({ fromS: at(19_800, hourS), toS: at(19_990, hourS + 60) }, kept)).toEqual({
      window: { fromS: at(19_800, 0), toS: at(19_990, 2 * hourS) },
      resolution: 'day',
    });
  });
});
