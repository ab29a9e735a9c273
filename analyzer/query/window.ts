import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Coverage, Snapshot } from '../../core/store/store.ts';
import { dayS, hourS, isoTime, minuteS, type Window } from '../../core/window.ts';
import { named, time } from './schema.ts';

/**
 * The window of a request: `window=24h` up to now, or `from` and `to`. Whole minutes, rounded outward, so that
 * no call of the window is lost.
 */
export interface RequestedWindow {
  /** Seconds before now. */
  window?: number | undefined;
  /** Milliseconds since the epoch. */
  from?: number | undefined;
  to?: number | undefined;
}

export const defaultWindowS = 30 * dayS;

/** Time of the query, in milliseconds since the epoch. */
export interface QueryClock {
  nowMs: number;
  /** End of the project's newest span; undefined without calls. */
  newestCallMs: number | undefined;
}

/**
 * A window without `to` reaches to the newest call, also where the clock of a calling service is ahead: whatever
 * was acknowledged is in the next report.
 * @throws AppError `invalid` for a window that is empty, inverted, too long or asked for twice
 */
export function requestedWindow(asked: RequestedWindow, clock: QueryClock): Window {
  const { nowMs } = clock;
  if (asked.window !== undefined && (asked.from !== undefined || asked.to !== undefined)) {
    throw new AppError('invalid', 'window stands alone: give either window, or from and to', {
      field: 'window',
    });
  }
  const openEndS = minuteAfter(Math.max(nowMs, newestShownMs(clock)));
  if (asked.from === undefined && asked.to === undefined) {
    return { fromS: minuteAfter(nowMs) - (asked.window ?? defaultWindowS), toS: openEndS };
  }
  const toMs = asked.to ?? openEndS * 1000;
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

/** The collector accepts no span that ends later than this. Where its own clock was wrong and it did, such calls
 *  are not shown before their time: one of them would stretch every window. */
function newestShownMs({ nowMs, newestCallMs = 0 }: QueryClock): number {
  return Math.min(newestCallMs, nowMs + limits.futureS * 1000);
}

/** The end of the minute that runs at a moment, in seconds: a call acknowledged just now is in the next report. */
function minuteAfter(ms: number): number {
  return (Math.floor(ms / 60_000) + 1) * minuteS;
}

/**
 * The part of a window that the store can answer.
 * @throws AppError `invalid` when calls of the whole window are past their retention: an answer would count zero
 */
export async function keptCoverage(snapshot: Snapshot, window: Window): Promise<Coverage> {
  const coverage = await snapshot.coverage(window);
  const { fromS, toS } = coverage.window;
  if (fromS < toS) return coverage;
  const [asked, kept] = [window.toS, fromS].map((s) => isoTime(s * 1000));
  const message = `the window ends at ${asked}, but calls before ${kept} are past their retention and deleted: ask for a window that ends later`;
  throw new AppError('invalid', message, { field: 'to' });
}

/** Two windows to compare. */
export interface ComparedWindows {
  current: Coverage;
  /** Ends where `current` begins, and is as long. It may begin before 1970. Undefined when a part of it, or of the
   *  window that was asked for, is past its retention: there is nothing to compare with. */
  previous: Coverage | undefined;
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
  const covered = await keptCoverage(snapshot, window);
  if (covered.incomplete) return { current: covered, previous: undefined };
  let { fromS, toS } = covered.window;
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
      if (await isPastRetention(snapshot, previousFromS)) {
        return { current: covered, previous: undefined };
      }
      const incomplete = false;
      return {
        current: {
          window: { fromS: beginS, toS: endS },
          resolution: resolutionOf(stepS),
          incomplete,
        },
        previous: {
          window: { fromS: previousFromS, toS: beginS },
          resolution: resolutionOf(Math.max(stepS, previousStepS)),
          incomplete,
        },
      };
    }
    fromS = beginS;
  }
}

async function isPastRetention(snapshot: Snapshot, edgeS: number): Promise<boolean> {
  const atS = Math.max(0, edgeS);
  return (await snapshot.coverage({ fromS: atS, toS: atS })).incomplete;
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
      'the range the figures are of, half-open: rounded outward where only hours or days are kept, and without the days that are past their retention',
    ),
);

export function windowAnswer({ window, resolution }: Coverage): z.output<typeof windowSchema> {
  return { from: isoTime(window.fromS * 1000), to: isoTime(window.toS * 1000), resolution };
}
