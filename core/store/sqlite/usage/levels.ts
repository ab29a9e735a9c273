/**
 * Usage is kept at several levels of time, each complete for everything settled, all aligned to the epoch.
 * The coarse ones keep a window of any length to a few dozen pieces: docs/decisions/0001-usage-blocks.md has the
 * measurements.
 */
export const levels = [
  { minutes: 1, detail: 'minute' },
  { minutes: 60, detail: 'hour' },
  { minutes: 360, detail: 'hour' },
  { minutes: 1440, detail: 'day' },
  { minutes: 8 * 1440, detail: 'day' },
  { minutes: 64 * 1440, detail: 'day' },
] as const;

export const minutesPerDay = 1440;
export const coarsestMinutes = 64 * 1440;

export interface Piece {
  level: number;
  fromMinute: number;
  toMinute: number;
}

/** Covers [from, to) with as few buckets as the levels allow; neighbours of one level are one piece. */
export function piecesOf(fromMinute: number, toMinute: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = fromMinute; at < toMinute; ) {
    let level = levels.length - 1;
    while (at % levels[level]!.minutes !== 0 || at + levels[level]!.minutes > toMinute) level -= 1;
    const last = pieces.at(-1);
    const end = at + levels[level]!.minutes;
    if (last?.level === level) last.toMinute = end;
    else pieces.push({ level, fromMinute: at, toMinute: end });
    at = end;
  }
  return pieces;
}
