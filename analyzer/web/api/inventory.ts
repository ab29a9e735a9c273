import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Inventory } from './answers.ts';
import { ApiError, api, request } from './request.ts';

/** The declared routes of a service. */

const inventoryPath = (service: string) =>
  api(`/services/${encodeURIComponent(service)}/inventory`);

/** Null when the service has none. */
export function useInventory(
  service: string,
  environment: string | undefined,
): UseQueryResult<Inventory | null> {
  return useQuery({
    queryKey: ['inventory', service, environment],
    queryFn: async ({ signal }) => {
      try {
        return await request<Inventory>(inventoryPath(service), {
          parameters: { environment },
          signal,
        });
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    placeholderData: (before) => (before?.service === service ? before : undefined),
  });
}

export function useInventoryCommands(service: string, environment: string | undefined) {
  const client = useQueryClient();
  // Statuses and marks of all endpoints depend on it.
  const onSuccess = () => client.invalidateQueries();
  const put = (body: string, isDryRun: boolean) =>
    request<Inventory>(inventoryPath(service), {
      method: 'PUT',
      parameters: { environment, ...(isDryRun && { dry_run: 'true' }) },
      body,
    });
  return {
    preview: useMutation({ mutationFn: (text: string) => put(text, true) }),
    replace: useMutation({ mutationFn: (text: string) => put(text, false), onSuccess }),
    remove: useMutation({
      mutationFn: () =>
        request<void>(inventoryPath(service), { method: 'DELETE', parameters: { environment } }),
      onSuccess,
    }),
  };
}
