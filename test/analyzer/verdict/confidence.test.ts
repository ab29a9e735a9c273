import { describe, expect, test } from 'vitest';
import { prior } from '../../../analyzer/verdict/bgnbd.ts';
import { confidenceOf, type Silence } from '../../../analyzer/verdict/confidence.ts';
import { rhythmOfDays } from '../../../analyzer/verdict/rhythm.ts';

/** Used every second day for 200 days. */
const rhythm = rhythmOfDays(
  Array.from({ length: 100 }, (_, n) => 1000 + 2 * n),
  [],
);
const silence = (told: Partial<Silence> = {}): Silence => ({
  rhythm,
  days: 10,
  thinning: 1,
  liveliness: 1,
  guessedShare: 0,
  isProbed: false,
  ...told,
});
const value = (told: Partial<Silence>) => confidenceOf(silence(told), prior).value;

describe.each([
  ['of an endpoint that was used', rhythm],
  ['of a declared endpoint that never was', undefined],
])('the confidence %s', (_, used) => {
  test('counts half of the days where half of the uses would be seen, or half of the hours are heard', () => {
    const whole = value({ rhythm: used, days: 20 });
    expect(value({ rhythm: used, days: 40, thinning: 0.5 })).toBe(whole);
    expect(value({ rhythm: used, days: 40, liveliness: 0.5 })).toBe(whole);
    expect(value({ rhythm: used, days: 80, thinning: 0.5, liveliness: 0.5 })).toBe(whole);
    expect(value({ rhythm: used, days: 40 })).toBeGreaterThan(whole);
  });

  test('is half as much where all routes of the service are guessed', () => {
    const whole = value({ rhythm: used, days: 60 });
    expect(value({ rhythm: used, days: 60, guessedShare: 1 })).toBeCloseTo(whole / 2, 2);
    expect(value({ rhythm: used, days: 60, guessedShare: 0.5 })).toBeCloseTo((whole * 3) / 4, 2);
  });

  test('is at most a half where a robot was answered lately, and never 1', () => {
    expect(value({ rhythm: used, days: 3000 })).toBeGreaterThan(0.9);
    expect(value({ rhythm: used, days: 3000 })).toBeLessThanOrEqual(0.999);
    expect(value({ rhythm: used, days: 3000, isProbed: true })).toBe(0.5);
    const little = value({ rhythm: used, days: 1 });
    expect(value({ rhythm: used, days: 1, isProbed: true })).toBe(Math.min(0.5, little));
  });
});
