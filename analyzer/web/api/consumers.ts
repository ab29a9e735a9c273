import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, request } from './request.ts';

/** What people write down about a consumer. */
export interface ConsumerNote {
  display_name: string;
  group: string;
  contact: string;
}

const path = (name: string) => api(`/consumers/${encodeURIComponent(name)}`);

export function useConsumerCommands(name: string) {
  const client = useQueryClient();
  // Names are shown on every page
  const onSuccess = () => {
    void client.invalidateQueries();
  };
  return {
    put: useMutation({
      mutationFn: (note: ConsumerNote) =>
        request<object>(path(name), { method: 'PUT', body: note }),
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: () => request<void>(path(name), { method: 'DELETE' }),
      onSuccess,
    }),
  };
}
