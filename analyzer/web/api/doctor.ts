import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { api, request } from './request.ts';

/** What arrived from whom in the last days, and why something does not count. */
export interface Doctor {
  days: number;
  arrived: {
    service: string;
    last_at: string;
    spans: Record<
      'stored' | 'not_server' | 'not_http' | 'excluded' | 'rejected' | 'duplicate',
      number
    >;
  }[];
  services: ServiceCoverage[];
  findings: Finding[];
}

export interface ServiceCoverage {
  service: string;
  environment: string;
  last_seen_at: string;
  calls: number;
  without_route_pct: number | null;
  without_client_pct: number | null;
  sampled: boolean;
  gap_count: number;
  gaps: { from: string; to: string }[];
}

export interface Finding {
  code: string;
  service: string | null;
  environment: string | null;
  message: string;
  advice: string | null;
}

export function useDoctor(everyMs: number): UseQueryResult<Doctor> {
  return useQuery({
    queryKey: ['doctor'],
    queryFn: ({ signal }) => request<Doctor>(api('/doctor'), { signal }),
    refetchInterval: everyMs,
  });
}
