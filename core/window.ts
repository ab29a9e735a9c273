/** A report's time range in whole seconds since the epoch, UTC, half-open: `fromS <= end < toS`. */
export interface Window {
  fromS: number;
  toS: number;
}

export const minuteS = 60;
export const hourS = 3600;
export const dayS = 86_400;

/** The widest window: every call ever stored. */
export const allTime: Window = { fromS: 0, toS: 2 ** 32 };

export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Rounds outward to whole steps: a window never loses a call it was asked for. */
export function roundOutward(window: Window, stepS: number): Window {
  return {
    fromS: Math.floor(window.fromS / stepS) * stepS,
    toS: Math.ceil(window.toS / stepS) * stepS,
  };
}
