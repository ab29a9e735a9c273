import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { DecisionAction, DecisionAnswer } from './answers.ts';
import { api, request } from './request.ts';

/** What people decided about an endpoint. */

const decisionPath = (id: string) => api(`/endpoints/${encodeURIComponent(id)}/decision`);

export function useDecision(id: string): UseQueryResult<DecisionAnswer> {
  return useQuery({
    queryKey: ['decision', id],
    queryFn: ({ signal }) => request<DecisionAnswer>(decisionPath(id), { signal }),
    // Another endpoint has another decision
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  });
}

export interface MadeDecision {
  decision: DecisionAction;
  reason: string;
  /** An ISO 8601 date, or null for never. */
  until: string | null;
  by: string;
}

export function useDecisionCommands(id: string) {
  const client = useQueryClient();
  // The dead list, the plan's counts and every row of the endpoint depend on it. The answers are not waited for:
  // the list takes the endpoint off, and a component that is gone hears of no success.
  const onSuccess = () => {
    void client.invalidateQueries();
  };
  return {
    decide: useMutation({
      mutationFn: (made: MadeDecision) =>
        request<DecisionAnswer>(decisionPath(id), { method: 'PUT', body: made }),
      onSuccess,
    }),
    withdraw: useMutation({
      mutationFn: (by: string) =>
        request<void>(decisionPath(id), { method: 'DELETE', parameters: { by } }),
      onSuccess,
    }),
  };
}
