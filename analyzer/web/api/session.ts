import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Session } from './answers.ts';
import { sessionKey } from './query-client.ts';
import { request } from './request.ts';

/** Who is signed in, and signing in and out. */

export function useSession(): UseQueryResult<Session> {
  return useQuery({
    queryKey: sessionKey,
    queryFn: ({ signal }) => request<Session>('session', { signal }),
    // Notices a newer build and an ended session.
    refetchInterval: 60_000,
  });
}

export interface SignedIn {
  id: string;
  agent: string;
  address: string;
  created_at: string;
  used_at: string;
  current: boolean;
}

const sessionsKey = ['sessions'] as const;

export function useSessionList(enabled: boolean): UseQueryResult<{ sessions: SignedIn[] }> {
  return useQuery({
    queryKey: sessionsKey,
    queryFn: ({ signal }) => request<{ sessions: SignedIn[] }>('sessions', { signal }),
    enabled,
  });
}

export function useSessionCommands() {
  const client = useQueryClient();
  return {
    signIn: useMutation({
      mutationFn: (key: string) => request<void>('session', { method: 'POST', body: { key } }),
      // What an earlier user saw is not this one's.
      onSuccess: () => client.resetQueries(),
    }),
    signOut: useMutation({
      mutationFn: () => request<void>('session', { method: 'DELETE' }),
      onSuccess: async () => {
        client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
        await client.invalidateQueries({ queryKey: sessionKey });
      },
    }),
    end: useMutation({
      mutationFn: (id: string) => request<void>(`sessions/${id}`, { method: 'DELETE' }),
      onSuccess: () => client.invalidateQueries({ queryKey: sessionsKey }),
    }),
  };
}
