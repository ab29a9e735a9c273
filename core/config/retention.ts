import { dayS } from '../window.ts';

/** How long each level of detail is kept, in seconds. */
export interface RetentionPeriods {
  callsS: number;
  minutesS: number;
  hoursS: number;
  daysS: number;
}

export const defaultRetention: RetentionPeriods = {
  callsS: 3 * dayS,
  minutesS: 2 * dayS,
  hoursS: 90 * dayS,
  daysS: 800 * dayS,
};
