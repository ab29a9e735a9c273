import { expect, it } from 'vitest';
import { coverageOf } from '../../../core/store/coverage.ts';
import { dayS, hourS, minuteS } from '../../../core/window.ts';

const kept = {
  minutesFromS: 20_000 * dayS,
  hoursFromS: 19_910 * dayS,
  daysFromS: 19_712 * dayS,
};
const at = (day: number, s: number): number => day * dayS + s;

it('a window is rounded outward to what is kept at each edge', () => {
  expect(coverageOf({ fromS: at(20_001, 61), toS: at(20_002, 119) }, kept)).toEqual({
    window: { fromS: at(20_001, 60), toS: at(20_002, 120) },
    resolution: 'minute',
    incomplete: false,
  });
  expect(coverageOf({ fromS: at(19_990, hourS + 60), toS: at(20_002, minuteS) }, kept)).toEqual({
    window: { fromS: at(19_990, hourS), toS: at(20_002, minuteS) },
    resolution: 'hour',
    incomplete: false,
  });
  expect(coverageOf({ fromS: at(19_800, hourS), toS: at(19_990, hourS + 60) }, kept)).toEqual({
    window: { fromS: at(19_800, 0), toS: at(19_990, 2 * hourS) },
    resolution: 'day',
    incomplete: false,
  });
});

it('a window that begins before what is kept is cut there, and incomplete', () => {
  expect(coverageOf({ fromS: at(19_700, 60), toS: at(19_990, hourS + 60) }, kept)).toEqual({
    window: { fromS: at(19_712, 0), toS: at(19_990, 2 * hourS) },
    resolution: 'day',
    incomplete: true,
  });
  expect(coverageOf({ fromS: at(19_712, 0), toS: at(20_002, 60) }, kept).incomplete).toBe(false);
});

it('of a window that ends before what is kept nothing is left', () => {
  const { window, incomplete } = coverageOf({ fromS: 0, toS: at(19_712, 0) }, kept);
  expect(window.fromS).toBe(window.toS);
  expect(incomplete).toBe(true);
});
