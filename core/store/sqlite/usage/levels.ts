import { dayS, hourS, minuteS, type Window } from '../../../window.ts';
import type { Coverage } from '../../store.ts';

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

/** From which minute on minutes and hours still stand; both whole days, so that no hour or day is torn. */
export interface Kept {
  minutesFrom: number;
  hoursFrom: number;
}

/** The window rounded outward to what is still there at each of its edges. */
export function coverageOf(window: Window, kept: Kept): Coverage {
  const from = edgeStepS(window.fromS, kept);
  const to = edgeStepS(window.toS, kept);
  const step = Math.max(from, to);
  return {
    window: {
      fromS: Math.floor(window.fromS / from) * from,
      toS: Math.ceil(window.toS / to) * to,
    },
    resolution: step === dayS ? 'day' : step === hourS ? 'hour' : 'minute',
  };
}

function edgeStepS(edgeS: number, kept: Kept): number {
  const minute = edgeS / 60;
  if (minute >= kept.minutesFrom) return minuteS;
  return minute >= kept.hoursFrom ? hourS : dayS;
}

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
