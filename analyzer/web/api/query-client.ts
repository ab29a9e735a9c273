import { keepPreviousData, MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError, NoAnswer } from './request.ts';

/** The cache of all answers: how long they stand, and when a question is asked again. */

export const sessionKey = ['session'] as const;

export function newQueryClient(): QueryClient {
  // A session that ended, or a key that was revoked: the page finds out at once and asks for a key.
  const onError = (error: Error) => {
    if (!(error instanceof ApiError) || error.status !== 401) return;
    void client.invalidateQueries({ queryKey: sessionKey });
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // Rollcall may be on this very machine: whether the browser thinks it is online says nothing.
      mutations: { networkMode: 'always' },
      queries: {
        networkMode: 'always',
        staleTime: 5_000,
        gcTime: 120_000,
        retry: (failures, error) => failures < 2 && isPassing(error),
        retryDelay: (failures) => 500 * 2 ** failures,
        refetchOnWindowFocus: true,
        placeholderData: keepPreviousData,
      },
    },
  });
  return client;
}

/** Worth another try at once: an analyzer that restarts, or is busy. */
function isPassing(error: Error): boolean {
  return error instanceof NoAnswer || (error instanceof ApiError && error.status >= 502);
}
