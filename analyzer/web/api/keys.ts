import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Key } from './answers.ts';
import { projectsKey } from './projects.ts';
import { api, request } from './request.ts';

/** The keys of a project: the user's own, or one that the operator names. */

const keysKey = ['keys'] as const;

export function useKeyList(project?: string): UseQueryResult<{ keys: Key[] }> {
  return useQuery({
    queryKey: [...keysKey, project],
    queryFn: ({ signal }) =>
      request<{ keys: Key[] }>(api('/keys'), { parameters: { project }, signal }),
  });
}

export type MadeKey = Key & { key: string };

export function useKeyCommands(project?: string) {
  const client = useQueryClient();
  const onSuccess = async () => {
    await client.invalidateQueries({ queryKey: keysKey });
    // They have a number of keys each
    await client.invalidateQueries({ queryKey: projectsKey });
  };
  return {
    create: useMutation({
      mutationFn: (scope: Key['scope']) =>
        request<MadeKey>(api('/keys'), { method: 'POST', body: { scope, project } }),
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
