import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, request } from './request.ts';

/** Projects, which only the operator sees and makes. */

export const projectsKey = ['projects'] as const;

export interface Project {
  name: string;
  /** In use. */
  keys: number;
}

interface ProjectPage {
  projects: Project[];
  next_cursor: string | null;
}

export function useProjects(): UseQueryResult<Project[]> {
  return useQuery({
    queryKey: projectsKey,
    queryFn: async ({ signal }) => {
      const all: Project[] = [];
      let cursor: string | undefined;
      do {
        const page = await request<ProjectPage>(api('/projects'), {
          parameters: { cursor },
          signal,
        });
        all.push(...page.projects);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      return all;
    },
  });
}

export function useProjectCommands() {
  const client = useQueryClient();
  return {
    create: useMutation({
      mutationFn: (name: string) =>
        request<Project>(api('/projects'), { method: 'POST', body: { name } }),
      onSuccess: () => client.invalidateQueries({ queryKey: projectsKey }),
    }),
  };
}
