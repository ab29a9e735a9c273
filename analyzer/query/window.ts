import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Coverage } from '../../core/store/store.ts';
import { dayS, isoTime, minuteS, type Window } from '../../core/window.ts';

/**
 * The window a request asks for: `window=24h` up to now, or `from` and `to`. Whole minutes, rounded
 * outward, so that a window never loses a call it was asked for.
 */
export interface RequestedWindow {
  /** Seconds before now. */
  window?: number | undefined;
  /** Milliseconds since the epoch. */
  from?: number | undefined;
  to?: number | undefined;
}

export const defaultWindowS = 30 * dayS;

/** @throws AppError `invalid` for a window that is empty, inverted, too long or asked for twice */
export function requestedWindow(asked: RequestedWindow, nowMs: number): Window {
  if (asked.window !== undefined && (asked.from !== undefined || asked.to !== undefined)) {
    throw new AppError('invalid', 'window stands alone: give either window, or from and to', {
      field: 'window',
    });
  }
  // The minute that runs now is in: a call acknowledged just now is in the next report.
  const nextMinuteS = (Math.floor(nowMs / 60_000) + 1) * minuteS;
  if (asked.from === undefined && asked.to === undefined) {
    return { fromS: nextMinuteS - (asked.window ?? defaultWindowS), toS: nextMinuteS };
  }
  const toMs = asked.to ?? nextMinuteS * 1000;
  const fromMs = asked.from ?? toMs - defaultWindowS * 1000;
  if (fromMs >= toMs) {
    const end = asked.to === undefined ? `now, ${isoTime(nowMs)}` : `to=${isoTime(toMs)}`;
    throw new AppError('invalid', `from=${isoTime(fromMs)} must be before ${end}`, {
      field: asked.from === undefined ? 'to' : 'from',
    });
  }
  const window = {
    fromS: Math.max(0, Math.floor(fromMs / 60_000) * minuteS),
    toS: Math.ceil(toMs / 60_000) * minuteS,
  };
  const days = (window.toS - window.fromS) / dayS;
  if (days > limits.windowDays) {
    const message = `from=${isoTime(fromMs)} to ${isoTime(toMs)} is ${Math.ceil(days)} days; at most ${limits.windowDays}`;
    throw new AppError('invalid', message, { field: 'from' });
  }
  return window;
}

/** The window of the same length that ends where this one begins. */
export function previousWindow(window: Window): Window {
  return { fromS: Math.max(0, 2 * window.fromS - window.toS), toS: window.fromS };
}

export interface WindowAnswer {
  from: string;
  to: string;
  resolution: Coverage['resolution'];
}

export function windowAnswer({ window, resolution }: Coverage): WindowAnswer {
  return { from: isoTime(window.fromS * 1000), to: isoTime(window.toS * 1000), resolution };
}
