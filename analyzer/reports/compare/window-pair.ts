import { AppError } from '../../../core/error.ts';
import type { Coverage, Selection, Snapshot } from '../../../core/store/store.ts';
import { dayS, type Window } from '../../../core/window.ts';
import type { QueryContext } from '../../query/answer-head.ts';
import { comparedWindows, keptCoverage, requestedWindow } from '../../query/window.ts';
import { equalEdges } from '../series/series.ts';
import { type ComparedGroup, type ComparedSide, intervalsMost } from './comparison.ts';

export interface WindowPair {
  before: Coverage;
  after: Coverage;
}

/** The window that was asked for, and the one compared with: that before it unless told.
 *  @throws AppError `invalid` for half a window, or where there is nothing to compare with */
export async function windowPair(
  { snapshot, ...clock }: QueryContext,
  window: Window,
  { before_from, before_to }: { before_from?: number | undefined; before_to?: number | undefined },
): Promise<WindowPair> {
  if (before_from === undefined && before_to === undefined) {
    const { previous, current } = await comparedWindows(snapshot, window);
    if (previous) return { before: previous, after: current };
    const message =
      'the window before is past its retention, wholly or in part: ask for a shorter or later window, or give before_from and before_to';
    throw new AppError('invalid', message, { field: 'window' });
  }
  if (before_from === undefined || before_to === undefined) {
    const field = before_from === undefined ? 'before_from' : 'before_to';
    throw new AppError('invalid', 'give both before_from and before_to, or neither', { field });
  }
  const before = await beforeWindow(snapshot, { from: before_from, to: before_to }, clock);
  return { before, after: await keptCoverage(snapshot, window) };
}

/** @throws AppError that names the parameters of this window */
async function beforeWindow(
  snapshot: Snapshot,
  asked: { from: number; to: number },
  clock: Omit<QueryContext, 'snapshot'>,
): Promise<Coverage> {
  try {
    return await keptCoverage(snapshot, requestedWindow(asked, clock));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, error.message.replaceAll(/\b(from|to)=/g, 'before_$1='), {
      field: `before_${error.field ?? 'from'}`,
    });
  }
}

/** The calls of both windows. Those that lie whole days apart are cut at the same times of day. */
export async function windowGroup(
  snapshot: Snapshot,
  selection: Selection,
  { before, after }: WindowPair,
): Promise<ComparedGroup> {
  const was = await sideOf(snapshot, selection, before.window);
  const is = await sideOf(snapshot, selection, after.window);
  const shiftS = after.window.fromS - before.window.fromS;
  return {
    endpoints: await snapshot.endpoints(selection),
    before: was,
    after: is,
    isPaired: shiftS % dayS === 0 && was.intervals.length === is.intervals.length,
  };
}

async function sideOf(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
): Promise<ComparedSide> {
  const edgesS = await equalEdges(snapshot, window, intervalsMost);
  const intervals: ComparedSide['intervals'][number][] = [];
  for (let n = 1; n < edgesS.length; n++) {
    const interval = { fromS: edgesS[n - 1]!, toS: edgesS[n]! };
    intervals.push(await snapshot.distributions(selection, interval));
  }
  return { usages: await snapshot.usage(selection, window), intervals };
}
