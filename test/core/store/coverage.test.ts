import { expect, it } from 'vitest';
import { coverageOf } from '../../../core/store/coverage.ts';
import { dayS, hourS, minuteS } from '../../../core/window.ts';

it('a window is rounded outward to what is kept at each edge', () => {
  const kept = { minutesFromS: 20_000 * dayS, hoursFromS: 19_910 * dayS };
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
