import {
  type InfiniteData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
} from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { periodParameters } from '../state/period.ts';
import type { Search } from '../state/search.ts';
import type { CallRow, Calls } from './answers.ts';
import { api, type Parameters, request } from './request.ts';

/** Requests for raw calls: pages of a search, and what arrives later. */

const pageRows = '200';
const followEveryMs = 2_000;
/** Rows that arrived and are kept: hours of looking at a busy service would fill the memory. */
const arrivedMost = 500;

export const isSlowest = ({ sort }: Search): boolean => sort === 'duration_ms';

/** The API's filters, without the window and the order. */
function filtersOf({ service, environment, method, route, calls }: Search): Parameters {
  const { http, ...others } = calls;
  return { service, environment, method, route, status: http, ...others };
}

export function useCalls(search: Search): UseInfiniteQueryResult<InfiniteData<Calls>> {
  const parameters = {
    ...filtersOf(search),
    ...periodParameters(search.period),
    sort: isSlowest(search) ? 'duration_ms' : undefined,
  };
  return useInfiniteQuery({
    queryKey: ['calls', parameters],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      request<Calls>(api('/calls'), {
        parameters: { ...parameters, limit: pageRows, cursor: pageParam },
        signal,
      }),
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
}

/**
 * The calls that arrive after a page, newest first, while it is live and in view.
 * @param since the page's follow_cursor; another one begins anew
 */
export function useArrivals(
  search: Search,
  since: string | undefined,
  isLive: boolean,
): { calls: readonly CallRow[]; error: unknown; updatedMs: number } {
  const [arrived, setArrived] = useState<Arrived>(nothingSince(since));
  const [error, setError] = useState<unknown>();
  const own = arrived.since === since ? arrived : nothingSince(since);
  const filters = JSON.stringify(filtersOf(search));
  useEffect(() => {
    if (!isLive || own.cursor === undefined) return;
    const stop = new AbortController();
    const timer = window.setTimeout(async () => {
      if (document.hidden) {
        setArrived({ ...own });
        return;
      }
      const parameters = { ...JSON.parse(filters), follow: own.cursor, limit: '1000' };
      try {
        const page = await request<Calls>(api('/calls'), { parameters, signal: stop.signal });
        const calls = [...page.calls.toReversed(), ...own.calls].slice(0, arrivedMost);
        setError(undefined);
        setArrived({ since, cursor: page.follow_cursor, calls, updatedMs: Date.now() });
      } catch (thrown) {
        if (stop.signal.aborted) return;
        setError(thrown);
        setArrived({ ...own });
      }
    }, followEveryMs);
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
    // A new object for each answer: the next one is asked for after it
  }, [own, filters, isLive, since]);
  return { calls: own.calls, error, updatedMs: own.updatedMs };
}

interface Arrived {
  since: string | undefined;
  cursor: string | undefined;
  calls: readonly CallRow[];
  /** When the last answer came; 0 before. */
  updatedMs: number;
}

const nothingSince = (since: string | undefined): Arrived => ({
  since,
  cursor: since,
  calls: [],
  updatedMs: 0,
});
