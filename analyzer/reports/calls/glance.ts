import { limits } from '../../../core/limits.ts';
import type { Selection } from '../../../core/store/store.ts';
import type { Window } from '../../../core/window.ts';
import type { QueryContext } from '../../query/answer-head.ts';
import { callEntries } from './call-entries.ts';
import type { CallEntry } from './call-row.ts';

/** The slowest calls and the latest errors of some endpoints, of the raw calls that a glance visits. */
export async function glanceAtCalls(
  context: QueryContext,
  selection: Selection,
  { fromS, toS }: Window,
): Promise<{ slowest: CallEntry[]; errors: CallEntry[] }> {
  const { snapshot } = context;
  const page = { limit: 10, visitMost: limits.glancedCalls };
  const slowest = await snapshot.calls(
    selection,
    { fromS, toS, durationFromNs: 0 },
    { ...page, order: 'slowest' },
  );
  const errors = await snapshot.calls(
    selection,
    { fromS, toS, statuses: [{ from: 400, to: 999 }] },
    { ...page, order: 'newest' },
  );
  return {
    slowest: await callEntries(context, slowest.calls),
    errors: await callEntries(context, errors.calls),
  };
}
