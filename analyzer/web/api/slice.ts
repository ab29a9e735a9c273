import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { refreshMs } from '../state/period.ts';
import type { Comparison } from '../state/search.ts';
import { type Slice, sliceParameters } from '../state/slice.ts';
import type { EventRow, Head } from './answers.ts';
import { chosen, comparedPeriod, isKept, namedInterval, type SeriesQuestion } from './queries.ts';
import { api, request } from './request.ts';

/** Counts that are kept of every part of the calls. */
export interface SliceCounts {
  calls: number;
  errors: number;
  error_rate_pct: number | null;
  answered_count: number;
  refused_count: number;
  missing_count: number;
  failed_count: number;
}

export interface SliceEndpoint extends SliceCounts {
  id: string;
  method: string;
}

/** The calls of one client, one consumer or one status. */
export interface SliceAnswer extends Head {
  slice: SliceCounts & { share_pct: number | null; endpoints: number };
  total_calls: number;
  /** Calls of callers past a bound: some may be of the slice. */
  other_calls: number;
  interval: string;
  tz: string;
  events: EventRow[];
  points: (SliceCounts & { timestamp: string })[];
  /** Most calls first. */
  endpoints: SliceEndpoint[];
}

/** All endpoints of the slice: the API's own bound. */
const endpointsMost = '10000';

export function useSlice(asked: SeriesQuestion, slice: Slice): UseQueryResult<SliceAnswer> {
  const parameters = {
    ...chosen(asked),
    ...sliceParameters(slice),
    interval: asked.interval,
    tz: asked.tz,
    limit: endpointsMost,
  };
  return useQuery({
    queryKey: ['slice', parameters],
    queryFn: ({ signal }) => request<SliceAnswer>(api('/slice'), { parameters, signal }),
    refetchInterval: refreshMs(asked.period),
    // Figures of another caller must not stand under this one's name.
    placeholderData: (before, query) =>
      query !== undefined && isSameSlice(query.queryKey[1], parameters) ? before : undefined,
  });
}

/** The slice in the range before, in the same intervals where they are kept. */
export function useComparedSlice(
  asked: SeriesQuestion,
  slice: Slice,
  answered: SliceAnswer | undefined,
  compare: Comparison,
): UseQueryResult<SliceAnswer> {
  const period = comparedPeriod(answered, asked.period, compare);
  const interval = namedInterval(answered);
  const isCut = period !== undefined && isKept(period, interval, Date.now());
  const parameters = {
    ...chosen({ ...asked, ...(period && { period }) }),
    ...sliceParameters(slice),
    interval: isCut ? interval : undefined,
    tz: asked.tz,
    limit: '1',
  };
  return useQuery({
    queryKey: ['slice', parameters],
    queryFn: ({ signal }) => request<SliceAnswer>(api('/slice'), { parameters, signal }),
    enabled: period !== undefined,
    staleTime: 60_000,
    placeholderData: () => undefined,
  });
}

function isSameSlice(before: unknown, now: Record<string, string | undefined>): boolean {
  const other = before as Record<string, string | undefined>;
  return (['client', 'consumer', 'named_by', 'status_code'] as const).every(
    (name) => other[name] === now[name],
  );
}
