import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Choice } from '../state/choice.ts';
import { comparedRange, type Period, periodParameters, refreshMs } from '../state/period.ts';
import type { Comparison, Search } from '../state/search.ts';
import {
  type Clients,
  type Consumers,
  type DeadHistory,
  type EndpointAnswer,
  type EvidenceList,
  evidenceFields,
  type LatencyAnswer,
  type Report,
  type ReportRow,
  reportFields,
  type Services,
  type Spark,
  type Sparks,
  type Summary,
  type Timeseries,
} from './answers.ts';
import { api, type Parameters, request } from './request.ts';

/** Every request for data of the pages, each with one cache key. */

/** What narrows the data of a page, besides the period. */
export type Narrowing = Pick<Search, 'period' | 'service' | 'environment'> & Partial<Choice>;

const common = ({ period, service, environment }: Narrowing): Parameters => ({
  ...periodParameters(period),
  service,
  environment,
});

/** Of queries that put figures of several endpoints together. */
export const chosen = (narrowing: Narrowing): Parameters => ({
  ...common(narrowing),
  method: narrowing.method,
  route: narrowing.route,
  status: narrowing.status?.join(',') || undefined,
  owner: narrowing.owner,
});

export function useSummary(narrowing: Narrowing): UseQueryResult<Summary> {
  const parameters = { ...chosen(narrowing), limit: '20' };
  return useQuery({
    queryKey: ['summary', parameters],
    queryFn: ({ signal }) => request<Summary>(api('/summary'), { parameters, signal }),
    refetchInterval: refreshMs(narrowing.period),
  });
}

/** The range that the page's window is compared with, once the window itself is known. */
export function comparedPeriod(
  answered: { window: { from: string; to: string } } | undefined,
  period: Period,
  compare: Comparison,
): Period | undefined {
  if (compare === 'off' || answered === undefined) return undefined;
  return comparedRange(answered.window, period, compare, Date.now());
}

export function useComparedSummary(
  narrowing: Narrowing,
  answered: Summary | undefined,
  compare: Comparison,
): UseQueryResult<Summary> {
  const period = comparedPeriod(answered, narrowing.period, compare);
  const parameters = {
    ...chosen({ ...narrowing, ...(period && { period }) }),
    limit: '1',
  };
  return useQuery({
    queryKey: ['summary', parameters],
    queryFn: ({ signal }) => request<Summary>(api('/summary'), { parameters, signal }),
    enabled: period !== undefined,
    staleTime: 60_000,
  });
}

export interface SeriesQuestion extends Narrowing {
  tz: string;
  endpoint?: string;
  interval?: string;
  /** One series for each outcome, or for each class of statuses. */
  groupBy?: 'outcome' | 'status_class';
  /** False when there is no data: an endpoint that was never called has no series. */
  enabled?: boolean;
}

const seriesParameters = (asked: SeriesQuestion): Parameters => ({
  ...chosen(asked),
  endpoint: asked.endpoint,
  interval: asked.interval,
  group_by: asked.groupBy,
  tz: asked.tz,
});

export function useTimeseries(asked: SeriesQuestion): UseQueryResult<Timeseries> {
  const parameters = seriesParameters(asked);
  return useQuery({
    queryKey: ['timeseries', parameters],
    queryFn: ({ signal }) => request<Timeseries>(api('/timeseries'), { parameters, signal }),
    enabled: asked.enabled ?? true,
    refetchInterval: refreshMs(asked.period),
  });
}

/** Calls by time and duration, of all endpoints together. */
export function useLatency(narrowing: Narrowing): UseQueryResult<LatencyAnswer> {
  const parameters = chosen(narrowing);
  const refresh = refreshMs(narrowing.period);
  return useQuery({
    queryKey: ['latency', parameters],
    queryFn: ({ signal }) => request<LatencyAnswer>(api('/latency'), { parameters, signal }),
    refetchInterval: refresh === false ? false : 60_000,
  });
}

/** Minutes are kept for two days unless configured: the API refuses their intervals for what is older. */
export function isKept(period: Period, interval: string | undefined, nowMs: number): boolean {
  const isFine = interval === 'minute' || interval === '5m';
  return !isFine || !('from' in period) || nowMs - Date.parse(period.from) < 2 * 86_400_000;
}

/** The interval of an answer, to ask for by name. Six hours serve the automatic choice only: the API takes no such name. */
export function namedInterval(answered: { interval: string } | undefined): string | undefined {
  return answered?.interval === '6h' ? undefined : answered?.interval;
}

/** The series of the range before, in the same intervals as the one it is compared with. */
export function useComparedTimeseries(
  asked: SeriesQuestion,
  answered: Timeseries | undefined,
  compare: Comparison,
): UseQueryResult<Timeseries> {
  const period = comparedPeriod(answered, asked.period, compare);
  const interval = namedInterval(answered);
  const parameters = seriesParameters({
    ...asked,
    ...(period && { period }),
    ...(interval && { interval }),
  });
  return useQuery({
    queryKey: ['timeseries', parameters],
    queryFn: ({ signal }) => request<Timeseries>(api('/timeseries'), { parameters, signal }),
    enabled: period !== undefined && isKept(period, interval, Date.now()),
    retry: false,
    staleTime: 60_000,
  });
}

/** Every endpoint of the selection: lists, ranks and counts of all pages come from this one answer. */
export function useReport(narrowing: Narrowing): UseQueryResult<Report> {
  const parameters = { ...common(narrowing), fields: reportFields.join(',') };
  return useQuery({
    queryKey: ['report', parameters],
    queryFn: ({ signal }) => wholeList<Report>('/report', parameters, signal),
    refetchInterval: refreshMs(narrowing.period),
    structuralSharing: (before, now) => sameRows(before as Report | undefined, now as Report),
  });
}

/** Small series for the table of endpoints; requested after the rows, and less often. */
export function useSparks(narrowing: Narrowing): UseQueryResult<Map<string, Spark>> {
  const parameters = { ...common(narrowing), fields: 'id', spark: '24' };
  const refresh = refreshMs(narrowing.period);
  return useQuery({
    queryKey: ['sparks', parameters],
    queryFn: async ({ signal }) => {
      const { endpoints } = await wholeList<Sparks>('/report', parameters, signal);
      return new Map(endpoints.map(({ id, spark }) => [id, spark]));
    },
    refetchInterval: refresh === false ? false : 60_000,
    structuralSharing: false,
  });
}

/** Endpoints with their evidence, as one of the API's lists names them. */
function useEvidenceList(
  path: '/report' | '/report/dead' | '/report/removed',
  narrowing: Narrowing,
  filter: Parameters = {},
): UseQueryResult<EvidenceList> {
  const parameters = {
    ...common(narrowing),
    method: narrowing.method,
    route: narrowing.route,
    status: narrowing.status?.join(',') || undefined,
    ...filter,
    fields: evidenceFields.join(','),
  };
  return useQuery({
    queryKey: ['evidence', path, parameters],
    queryFn: ({ signal }) => wholeList<EvidenceList>(path, parameters, signal),
    refetchInterval: refreshMs(narrowing.period),
  });
}

/** Dead and never called endpoints without a decision that holds, longest silent first. */
export const useDeadList = (narrowing: Narrowing) => useEvidenceList('/report/dead', narrowing);

/** Removed endpoints, and those to be removed, that are called all the same; latest first. */
export const useRemoved = (narrowing: Narrowing) => useEvidenceList('/report/removed', narrowing);

/** Endpoints with a decision, whether it holds or not. */
export const useDecided = (narrowing: Narrowing) =>
  useEvidenceList('/report', narrowing, { decision: 'keep,deprecate,remove', sort: 'decided_at' });

/** Endpoints by status, day by day, of the whole project. */
export function useDeadHistory(enabled = true): UseQueryResult<DeadHistory> {
  return useQuery({
    queryKey: ['dead-history'],
    queryFn: ({ signal }) => request<DeadHistory>(api('/report/dead/history'), { signal }),
    staleTime: 600_000,
    enabled,
  });
}

/** A store holds at most 20,000 endpoints a service: a few pages. */
export async function wholeList<T extends { endpoints: unknown[]; next_cursor: string | null }>(
  path: string,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<T> {
  const page = (cursor?: string) =>
    request<T>(api(path), { parameters: { ...parameters, cursor }, signal });
  const list = await page();
  let next = list.next_cursor;
  while (next !== null) {
    const more = await page(next);
    list.endpoints.push(...more.endpoints);
    next = more.next_cursor;
  }
  return list;
}

/** Keeps the row objects that did not change, so that only changed rows are painted again. */
function sameRows(before: Report | undefined, now: Report): Report {
  // The answer of other filters stands in for the new one, and must stay the same object meanwhile.
  if (before === undefined || before === now) return now;
  const known = new Map(before.endpoints.map((row) => [row.id, row]));
  const endpoints = now.endpoints.map((row) => {
    const old = known.get(row.id);
    return old !== undefined && isSameRow(old, row) ? old : row;
  });
  return { ...now, endpoints };
}

function isSameRow(a: ReportRow, b: ReportRow): boolean {
  return reportFields.every((field) => {
    const [one, other] = [a[field], b[field]];
    return one === other || (Array.isArray(one) && String(one) === String(other));
  });
}

export function useEndpoint(id: string, period: Period): UseQueryResult<EndpointAnswer> {
  const parameters = { ...periodParameters(period), limit: '50' };
  return useQuery({
    queryKey: ['endpoint', id, parameters],
    queryFn: ({ signal }) =>
      request<EndpointAnswer>(api(`/endpoints/${encodeURIComponent(id)}`), { parameters, signal }),
    refetchInterval: refreshMs(period),
    // Another endpoint's figures must not stand here while this one's are on their way.
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  });
}

export function useComparedEndpoint(
  id: string,
  answered: EndpointAnswer | undefined,
  asked: Period,
  compare: Comparison,
): UseQueryResult<EndpointAnswer> {
  const period = comparedPeriod(answered, asked, compare);
  const parameters = { ...(period && periodParameters(period)), limit: '1' };
  return useQuery({
    queryKey: ['endpoint', id, parameters],
    queryFn: ({ signal }) =>
      request<EndpointAnswer>(api(`/endpoints/${encodeURIComponent(id)}`), { parameters, signal }),
    enabled: period !== undefined,
    staleTime: 60_000,
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  });
}

export function useConsumers(narrowing: Narrowing, enabled: boolean): UseQueryResult<Consumers> {
  const parameters = { ...chosen(narrowing), limit: '10000' };
  return useQuery({
    queryKey: ['consumers', parameters],
    queryFn: ({ signal }) => request<Consumers>(api('/consumers'), { parameters, signal }),
    refetchInterval: refreshMs(narrowing.period),
    enabled,
  });
}

/** The consumers with most calls. */
export function useTopConsumers(narrowing: Narrowing): UseQueryResult<Consumers> {
  const parameters = { ...chosen(narrowing), limit: '8' };
  return useQuery({
    queryKey: ['consumers', parameters],
    queryFn: ({ signal }) => request<Consumers>(api('/consumers'), { parameters, signal }),
    refetchInterval: refreshMs(narrowing.period),
  });
}

export function useClients(narrowing: Narrowing, enabled: boolean): UseQueryResult<Clients> {
  const parameters = { ...chosen(narrowing), limit: '10000' };
  return useQuery({
    queryKey: ['clients', parameters],
    queryFn: ({ signal }) => request<Clients>(api('/clients'), { parameters, signal }),
    refetchInterval: refreshMs(narrowing.period),
    enabled,
  });
}

/** @param narrowing undefined for all services of all time */
export function useServices(narrowing?: Narrowing): UseQueryResult<Services> {
  const parameters = narrowing === undefined ? {} : common(narrowing);
  return useQuery({
    queryKey: ['services', parameters],
    queryFn: ({ signal }) => request<Services>(api('/services'), { parameters, signal }),
    // The first call of all turns the first page into the dashboard.
    refetchInterval: (query) =>
      query.state.data?.services.length === 0
        ? 2_000
        : narrowing === undefined
          ? 30_000
          : refreshMs(narrowing.period),
  });
}
