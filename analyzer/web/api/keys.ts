import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Key } from './answers.ts';
import { api, request } from './request.ts';

/** The keys of the project. */

const keysKey = ['keys'] as const;

export function useKeyList(enabled: boolean): UseQueryResult<{ keys: Key[] }> {
  return useQuery({
    queryKey: keysKey,
    queryFn: ({ signal }) => request<{ keys: Key[] }>(api('/keys'), { signal }),
    enabled,
  });
}

export type MadeKey = Key & { key: string };

export function useKeyCommands() {
  const client = useQueryClient();
  const onSuccess = () => client.invalidateQueries({ queryKey: keysKey });
  return {
    create: useMutation({
      mutationFn: (scope: Key['scope']) =>
        request<MadeKey>(api('/keys'), { method: 'POST', body: { scope } }),
      onSuccess,
    }),
    rotate: useMutation({
      mutationFn: (id: string) => request<MadeKey>(api(`/keys/${id}/rotate`), { method: 'POST' }),
      onSuccess,
    }),
    revoke: useMutation({
      mutationFn: (id: string) => request<void>(api(`/keys/${id}`), { method: 'DELETE' }),
      onSuccess,
    }),
  };
}
