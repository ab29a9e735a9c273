/**
 * Compacted usage is stored at several levels: buckets of 1 minute, 1 hour and so on, aligned to the epoch. Every
 * level holds all compacted usage, so any window is covered by a few dozen buckets, most of them coarse
 * (measured in docs/decisions/0001-usage-blocks.md). A stored bucket is identified by its level's minutes: to add
 * a level is to fill it from a finer one in a migration.
 */
export const levels = [
  { minutes: 1, detail: 'minute' },
  { minutes: 60, detail: 'hour' },
  { minutes: 360, detail: 'hour' },
  { minutes: 1440, detail: 'day' },
  { minutes: 8 * 1440, detail: 'day' },
  { minutes: 64 * 1440, detail: 'day' },
] as const;

/** Whether no level of the same detail has smaller buckets. */
export function isFinest(minutes: number): boolean {
  return minutes === 1 || minutes === 60 || minutes === minutesPerDay;
}

export const minutesPerDay = 1440;
export const coarsestMinutes = 64 * 1440;

/** Neighbouring buckets of one level: [fromMinute, toMinute), minutes since the epoch. */
export interface BucketSpan {
  levelMinutes: number;
  fromMinute: number;
  toMinute: number;
}

/** Covers [fromMinute, toMinute) with as few buckets as the levels allow, in the order of time. */
export function bucketSpans(fromMinute: number, toMinute: number): BucketSpan[] {
  const spans: BucketSpan[] = [];
  for (let at = fromMinute; at < toMinute; ) {
    let level = levels.length - 1;
    while (at % levels[level]!.minutes !== 0 || at + levels[level]!.minutes > toMinute) level -= 1;
    const levelMinutes = levels[level]!.minutes;
    const last = spans.at(-1);
    const end = at + levelMinutes;
    if (last?.levelMinutes === levelMinutes) last.toMinute = end;
    else spans.push({ levelMinutes, fromMinute: at, toMinute: end });
    at = end;
  }
  return spans;
}
