import type { LastCaller } from '../../../core/store/store.ts';
import type { Window } from '../../../core/window.ts';

/**
 * The callers of a window, latest first, of those that an endpoint had last. Exact where the window holds the newest
 * call: its distinct callers are then the ones that the permanent record has. For an earlier window they are not
 * recorded.
 * @param callers distinct ones, latest first, of the permanent record
 * @param newestMs the newest call; undefined when there never was one
 * @param unrecordedMs callers of calls up to this moment are not known
 * @returns undefined when they are not recorded
 */
export function callersInWindow(
  callers: readonly LastCaller[],
  newestMs: number | undefined,
  { fromS, toS }: Window,
  unrecordedMs: number | undefined,
): LastCaller[] | undefined {
  const fromMs = fromS * 1000;
  if (unrecordedMs !== undefined && unrecordedMs >= fromMs) return undefined;
  if (newestMs === undefined || newestMs < fromMs) return [];
  return newestMs < toS * 1000 ? callers.filter(({ atMs }) => atMs >= fromMs) : undefined;
}
