import { expect, test } from 'vitest';
import { addDay, addDays, type DaySet, daysOf, emptyDays } from '../../core/day-set.ts';
import { Random } from '../../core/random.ts';

function setOf(days: readonly number[]): DaySet {
  const set = emptyDays();
  for (const day of days) addDay(set, day);
  return set;
}

test('a set of days holds each day once, in whatever order they come', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed);
    const days = Array.from({ length: 40 }, () => 18_000 + Math.floor(random.next() * 800));
    const expected = [...new Set(days)].sort((a, b) => a - b);
    expect(daysOf(setOf(days)), `seed ${seed}`).toEqual(expected);
    const parts = setOf(days.slice(0, 11));
    addDays(parts, setOf(days.slice(11)));
    expect(daysOf(parts), `seed ${seed}`).toEqual(expected);
  }
});

test('a year of every day takes 46 bytes', () => {
  const { bits } = setOf(Array.from({ length: 365 }, (_, n) => 20_000 + n));
  expect(bits.length).toBe(46);
});

test('days of 3,664 days up to the newest are kept, also when the oldest comes last', () => {
  const newest = 20_007;
  expect(daysOf(setOf([newest - 3663, newest]))).toEqual([newest - 3663, newest]);
  expect(daysOf(setOf([newest - 3664, newest]))).toEqual([newest]);
  expect(daysOf(setOf([newest, newest - 3664]))).toEqual([newest]);
  expect(daysOf(setOf([0, newest]))).toEqual([newest]);
});
