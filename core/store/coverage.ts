import { dayS, hourS, minuteS, type Window } from '../window.ts';
import type { Coverage } from './store.ts';

/** From when on an engine still has usage by minutes, by hours and at all. Each begins a day, so that rounding a
 *  window to hours or days never splits one. Seconds since the epoch. */
export interface Kept {
  minutesFromS: number;
  hoursFromS: number;
  daysFromS: number;
}

/**
 * The window an engine can answer: each edge is rounded outward to what is kept there. The part of the window that
 * retention has deleted is cut off, so that deleted days are never counted as days without a call.
 */
export function coverageOf(window: Window, kept: Kept): Coverage {
  const from = edgeStepS(window.fromS, kept);
  const to = edgeStepS(window.toS, kept);
  const step = Math.max(from, to);
  const fromS = Math.floor(window.fromS / from) * from;
  const toS = Math.ceil(window.toS / to) * to;
  return {
    window: { fromS: Math.max(fromS, kept.daysFromS), toS: Math.max(toS, kept.daysFromS) },
    resolution: step === dayS ? 'day' : step === hourS ? 'hour' : 'minute',
    incomplete: fromS < kept.daysFromS,
  };
}

function edgeStepS(edgeS: number, kept: Kept): number {
  if (edgeS >= kept.minutesFromS) return minuteS;
  return edgeS >= kept.hoursFromS ? hourS : dayS;
}
