import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { api, request } from './request.ts';

/** How the verdict of an endpoint changed: one line for each day on which it did, ascending. */
export interface VerdictChanges {
  changes: { day: string; status: string | null; confidence: number | null }[];
}

export function useVerdicts(id: string): UseQueryResult<VerdictChanges> {
  return useQuery({
    queryKey: ['verdicts', id],
    queryFn: ({ signal }) =>
      request<VerdictChanges>(api(`/endpoints/${encodeURIComponent(id)}/verdicts`), { signal }),
    staleTime: 600_000,
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  });
}
