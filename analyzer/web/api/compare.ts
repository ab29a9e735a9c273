import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import {
  comparedRange,
  comparedShiftMs,
  lengthMs,
  type Period,
  periodParameters,
  refreshMs,
} from '../state/period.ts';
import type { Search } from '../state/search.ts';
import type { ComparisonAnswer, ComparisonRow, EndpointRow, Events } from './answers.ts';
import { wholeList } from './queries.ts';
import { api, type Parameters, request } from './request.ts';

/** Every endpoint in two windows, or of two versions. */
export function useComparison(search: Search): UseQueryResult<ComparisonAnswer> {
  const { period, service, environment, method, route, status, owner } = search;
  const parameters: Parameters = {
    ...periodParameters(period),
    service,
    environment,
    method,
    route,
    status: status.join(',') || undefined,
    owner,
    ...(search.by === 'version' ? versionsOf(search) : windowBefore(search, Date.now())),
  };
  return useQuery({
    queryKey: ['compare', parameters],
    queryFn: ({ signal }) => wholeList<ComparisonAnswer>('/compare', parameters, signal),
    refetchInterval: refreshMs(period) === false ? false : 60_000,
    retry: false,
  });
}

function versionsOf({ version, beforeVersion }: Search): Parameters {
  return { by: 'version', version, before_version: beforeVersion };
}

/** Nothing for the window just before, which the API takes by itself. */
function windowBefore({ period, compare }: Search, nowMs: number): Parameters {
  if (compare !== 'week' || comparedShiftMs(period, 'week') === lengthMs(period)) return {};
  const hourMs = 3_600_000;
  const toMs = 'to' in period ? Date.parse(period.to) : Math.ceil(nowMs / hourMs) * hourMs;
  const range = {
    from: new Date(toMs - lengthMs(period)).toISOString(),
    to: new Date(toMs).toISOString(),
  };
  const { from, to } = comparedRange(range, period, 'week', nowMs);
  return { before_from: from, before_to: to };
}

/** One endpoint in two versions of its service; undefined while both are not known. */
export function useVersionVerdict(
  { id, service, environment, method, route }: EndpointRow,
  period: Period,
  versions: { version: string; before: string } | undefined,
): ComparisonRow | undefined {
  const parameters: Parameters = {
    ...periodParameters(period),
    service,
    environment,
    method,
    route,
    by: 'version',
    version: versions?.version,
    before_version: versions?.before,
  };
  const answer = useQuery({
    queryKey: ['compare', parameters],
    queryFn: ({ signal }) => wholeList<ComparisonAnswer>('/compare', parameters, signal),
    enabled: versions !== undefined,
    staleTime: 60_000,
    retry: false,
    // Another pair's verdict must not stand here meanwhile
    placeholderData: () => undefined,
  });
  return answer.data?.endpoints.find((row) => row.id === id);
}

/** Deployments of a service, whenever they were. */
export function useVersions(
  service: string | undefined,
  environment: string | undefined,
): UseQueryResult<Events> {
  const parameters = { service, environment, window: '730d' };
  return useQuery({
    queryKey: ['events', parameters],
    queryFn: ({ signal }) => request<Events>(api('/events'), { parameters, signal }),
    enabled: service !== undefined,
    staleTime: 60_000,
  });
}
