import { dayS, hourS, minuteS, type Window } from '../window.ts';
import type { Coverage } from './store.ts';

/** From when on an engine still has usage by minutes and by hours. Both begin a day, so that rounding a window
 *  to hours or days never splits one. Seconds since the epoch. */
export interface Kept {
  minutesFromS: number;
  hoursFromS: number;
}

/** The window an engine can answer: each edge is rounded outward to what is kept there. */
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
  if (edgeS >= kept.minutesFromS) return minuteS;
  return edgeS >= kept.hoursFromS ? hourS : dayS;
}
