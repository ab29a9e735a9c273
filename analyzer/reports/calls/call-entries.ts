import type { CallRecord } from '../../../core/store/calls.ts';
import type { QueryContext } from '../../query/answer-head.ts';
import type { CallEntry } from './call-row.ts';

/** The calls with their endpoints, as reports show them. */
export async function callEntries(
  { snapshot, traceUrl }: QueryContext,
  calls: readonly CallRecord[],
): Promise<CallEntry[]> {
  if (calls.length === 0) return [];
  const ids = new Set(calls.map(({ endpoint }) => endpoint));
  const records = await snapshot.endpoints({ endpoints: ids });
  const byId = new Map(records.map((record) => [record.id, record]));
  return calls.map((call) => ({ call, endpoint: byId.get(call.endpoint)!, traceUrl }));
}
