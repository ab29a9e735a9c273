import { expect, test } from 'vitest';
import { dayMs } from '../../../analyzer/verdict/observation.ts';
import { rhythmOf, rhythmOfDays } from '../../../analyzer/verdict/rhythm.ts';
import { addDay, emptyDays } from '../../../core/day-set.ts';

test('a gap in observation that ends on a day of use counts before that day', () => {
  const gap = { fromMs: 1002 * dayMs, toMs: 1010.5 * dayMs };
  expect(rhythmOfDays([1000, 1010, 1012], [gap])).toMatchObject({
    longestGapDays: 2,
    lifeDays: 3.5,
    latestGapDays: 1.75,
  });
  expect(rhythmOfDays([1000, 1010, 1012], [])).toMatchObject({ longestGapDays: 10, lifeDays: 12 });
});

test('the rhythm of the same days is another with other gaps', () => {
  const days = emptyDays();
  expect(rhythmOf(days, [])).toBeUndefined();
  for (const day of [1000, 1010, 1012]) addDay(days, day);
  const gaps = [{ fromMs: 1002 * dayMs, toMs: 1009 * dayMs }];
  expect(rhythmOf(days, [])?.longestGapDays).toBe(10);
  expect(rhythmOf(days, gaps)?.longestGapDays).toBe(3);
  expect(rhythmOf(days, [])?.longestGapDays).toBe(10);
});
