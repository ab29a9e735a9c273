import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Coverage, Snapshot } from '../../core/store/store.ts';
import { dayS, hourS, isoTime, minuteS, type Window } from '../../core/window.ts';
import { named, time } from './schema.ts';

/**
 * The window a request asks for: `window=24h` up to now, or `from` and `to`. Whole minutes, rounded
 * outward: a window never loses a call it was asked for.
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

/** Two windows to compare. */
export interface ComparedWindows {
  current: Coverage;
  /** Ends where `current` begins, and is as long. It may begin before 1970. */
  previous: Coverage;
}

const stepOf = { minute: minuteS, hour: hourS, day: dayS } as const;

/**
 * The window as the store can answer it, and the window of the same length that ends where it begins.
 *
 * The earlier the previous window begins, the coarser the step to which its beginning is kept. Rounding it
 * alone would make it longer than the current window, and comparing the two would show a change where
 * there is none. So the current window is extended instead: its end to twice its step, then its beginning
 * to the middle between that end and the previous window's rounded beginning.
 */
export async function comparedWindows(
  snapshot: Snapshot,
  window: Window,
): Promise<ComparedWindows> {
  let { fromS, toS } = (await snapshot.coverage(window)).window;
  // A beginning that moves back may reach a coarser step: there are three steps, so it happens twice at most.
  for (;;) {
    const stepS = await keptStepS(snapshot, fromS);
    fromS = Math.floor(fromS / stepS) * stepS;
    let endS = Math.ceil(toS / stepS) * stepS;
    let previousFromS = 2 * fromS - endS;
    const previousStepS = await keptStepS(snapshot, previousFromS);
    if (previousStepS > stepS) {
      endS = Math.ceil(toS / (2 * stepS)) * 2 * stepS;
      previousFromS = Math.floor((2 * fromS - endS) / previousStepS) * previousStepS;
    }
    const beginS = (previousFromS + endS) / 2;
    if ((await keptStepS(snapshot, beginS)) <= stepS) {
      return {
        current: { window: { fromS: beginS, toS: endS }, resolution: resolutionOf(stepS) },
        previous: {
          window: { fromS: previousFromS, toS: beginS },
          resolution: resolutionOf(Math.max(stepS, previousStepS)),
        },
      };
    }
    fromS = beginS;
  }
}

async function keptStepS(snapshot: Snapshot, edgeS: number): Promise<number> {
  const atS = Math.max(0, edgeS);
  return stepOf[(await snapshot.coverage({ fromS: atS, toS: atS })).resolution];
}

function resolutionOf(stepS: number): Coverage['resolution'] {
  return stepS === minuteS ? 'minute' : stepS === hourS ? 'hour' : 'day';
}

export const windowSchema = named(
  'Window',
  z
    .object({
      from: time,
      to: time,
      resolution: z
        .enum(['minute', 'hour', 'day'])
        .describe('the step that is kept at the older edge'),
    })
    .describe(
      'the range the figures are of, half-open: rounded outward where only hours or days are kept',
    ),
);

export function windowAnswer({ window, resolution }: Coverage): z.output<typeof windowSchema> {
  return { from: isoTime(window.fromS * 1000), to: isoTime(window.toS * 1000), resolution };
}
