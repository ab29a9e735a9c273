import type { Selection, Snapshot } from '../../../core/store/store.ts';
import type { Window } from '../../../core/window.ts';
import type { Note } from '../../query/answer-head.ts';
import { countOf } from '../figures.ts';

/** Calls of the window, or of those the ones that a version answered. @param version undefined for all */
export async function callsOf(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  version: string | undefined,
): Promise<number> {
  if (version === undefined) return (await snapshot.total(selection, window)).calls;
  let calls = 0;
  for (const usage of (await snapshot.versionUsage(selection, version, window)).values()) {
    calls += usage.calls;
  }
  return calls;
}

/** Calls of the window whose version is not recorded, where one was asked for. */
export async function versionNotes(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
  version: string | undefined,
): Promise<Note[]> {
  if (version === undefined) return [];
  const { calls } = await snapshot.total(selection, window);
  const versions = await snapshot.versions(selection, window);
  const recorded = versions.reduce((sum, { usage }) => sum + usage.calls, 0);
  return unrecordedNotes(calls - recorded, 'callers or versions');
}

/** @param what release 0.1.0 did not keep */
export function unrecordedNotes(
  unrecorded: number,
  what: 'callers' | 'callers or versions',
): Note[] {
  if (unrecorded === 0) return [];
  const message = `${countOf(unrecorded)} calls of the window were counted by release 0.1.0, which kept no ${what}: they are in no row.`;
  return [{ code: 'unrecorded', message, field: null }];
}
