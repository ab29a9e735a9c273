import { useCallback, useMemo } from 'react';
import { useLocation, useSearch as useSearchText } from 'wouter';
import { type Period, readPeriod, writePeriod } from './period.ts';

/**
 * Everything a page shows is decided by its address. One codec reads and writes all parameters; what it
 * does not know, or what is not allowed, is left out, so a hand-written address never breaks a page.
 */
export interface Search {
  period: Period;
  service: string | undefined;
  environment: string | undefined;
  method: string | undefined;
  /** A route, or a pattern of routes as the API takes it. */
  route: string | undefined;
  /** Of endpoints: statuses and one mark. */
  status: readonly string[];
  mark: string | undefined;
  /** A team; empty for endpoints without one. */
  owner: string | undefined;
  q: string;
  sort: string | undefined;
  descending: boolean | undefined;
  group: Group;
  /** Columns shown; undefined for the usual ones. */
  columns: readonly string[] | undefined;
  dense: boolean;
  /** Of the dead list: the least confidence, from 0 to 1, and which of its lists is shown. */
  confidence: number | undefined;
  view: DeadView;
  /** Of the page of clients. */
  callers: Callers;
  /** Of the page of calls: filters by their names in the API. */
  calls: CallFilters;
  figure: Figure;
  compare: Comparison;
  /** Of the page that compares: windows or versions, which versions, and the verdicts shown. */
  by: ComparedBy;
  version: string | undefined;
  beforeVersion: string | undefined;
  verdict: readonly string[];
  /** IANA name; undefined for the browser's. */
  tz: string | undefined;
}

/** Filters of raw calls. `http` is the API's `status`, a name that lists of endpoints use for their own. */
export const callFilters = [
  'http',
  'client',
  'consumer',
  'agent',
  'bot',
  'version',
  'error_type',
  'duration_min',
  'duration_max',
  'trace_id',
  'endpoint',
] as const;
export type CallFilters = Readonly<Partial<Record<(typeof callFilters)[number], string>>>;

export const groups = ['none', 'service', 'owner', 'prefix', 'status'] as const;
export type Group = (typeof groups)[number];
export const deadViews = ['list', 'removed', 'decisions'] as const;
export type DeadView = (typeof deadViews)[number];
export const callerKinds = ['addresses', 'consumers'] as const;
export type Callers = (typeof callerKinds)[number];
export const figures = ['requests', 'errors', 'p95', 'clients', 'endpoints'] as const;
export type Figure = (typeof figures)[number];
/** The same weekdays before, the window just before, or nothing. */
export const comparisons = ['week', 'previous', 'off'] as const;
export type Comparison = (typeof comparisons)[number];

export const comparedBy = ['window', 'version'] as const;
export type ComparedBy = (typeof comparedBy)[number];
export const comparisonVerdicts = ['worse', 'better', 'same', 'too_little_data'] as const;

export const statuses = ['active', 'cold', 'dead', 'never_called', 'unknown', 'removed'] as const;

const oneOf = <const T extends string>(values: readonly T[], text: string | null): T | undefined =>
  values.find((value) => value === text);

export function readSearch(text: string): Search {
  const query = new URLSearchParams(text);
  const order = oneOf(['asc', 'desc'], query.get('order'));
  return {
    period: readPeriod(query),
    service: query.get('service') ?? undefined,
    environment: query.get('environment') ?? undefined,
    method: /^[A-Za-z_-]{1,32}$/.exec(query.get('method') ?? '')?.[0].toUpperCase(),
    route: query.get('route')?.slice(0, 512) || undefined,
    status: (query.get('status') ?? '').split(',').filter((status) => oneOf(statuses, status)),
    mark: /^[a-z_]{1,40}$/.exec(query.get('mark') ?? '')?.[0],
    owner: query.get('owner')?.slice(0, 256),
    q: (query.get('q') ?? '').slice(0, 200),
    sort: /^[a-z0-9_]{1,40}$/.exec(query.get('sort') ?? '')?.[0],
    descending: order === undefined ? undefined : order === 'desc',
    group: oneOf(groups, query.get('group')) ?? 'none',
    columns: query.get('columns')?.split(',').slice(0, 40),
    dense: query.get('density') === 'dense',
    confidence: readConfidence(query.get('confidence')),
    view: oneOf(deadViews, query.get('view')) ?? 'list',
    callers: oneOf(callerKinds, query.get('callers')) ?? 'addresses',
    calls: readCallFilters(query),
    figure: oneOf(figures, query.get('figure')) ?? 'requests',
    compare: oneOf(comparisons, query.get('compare')) ?? 'week',
    by: oneOf(comparedBy, query.get('by')) ?? 'window',
    version: query.get('of_version')?.slice(0, 256),
    beforeVersion: query.get('before_version')?.slice(0, 256),
    verdict: (query.get('verdict') ?? '')
      .split(',')
      .filter((one) => oneOf(comparisonVerdicts, one)),
    tz: readTimeZone(query.get('tz')),
  };
}

/** @returns with its question mark, or nothing when all is as usual */
export function writeSearch(search: Search): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined) query.set(name, value);
  };
  put('service', search.service);
  put('environment', search.environment);
  put('method', search.method);
  put('route', search.route);
  writePeriod(search.period, query);
  put('status', search.status.join(',') || undefined);
  put('mark', search.mark);
  put('owner', search.owner);
  put('q', search.q || undefined);
  put('sort', search.sort);
  put('order', search.descending === undefined ? undefined : search.descending ? 'desc' : 'asc');
  put('group', search.group === 'none' ? undefined : search.group);
  put('columns', search.columns?.join(','));
  put('density', search.dense ? 'dense' : undefined);
  put('confidence', search.confidence?.toString());
  put('view', search.view === 'list' ? undefined : search.view);
  put('callers', search.callers === 'addresses' ? undefined : search.callers);
  for (const name of callFilters) put(name, search.calls[name]);
  put('figure', search.figure === 'requests' ? undefined : search.figure);
  put('compare', search.compare === 'week' ? undefined : search.compare);
  put('by', search.by === 'window' ? undefined : search.by);
  put('of_version', search.version);
  put('before_version', search.beforeVersion);
  put('verdict', search.verdict.join(',') || undefined);
  put('tz', search.tz);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

function readCallFilters(query: URLSearchParams): CallFilters {
  const given = callFilters.flatMap((name) => {
    const value = query.get(name)?.slice(0, 512);
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries(given);
}

function readConfidence(text: string | null): number | undefined {
  return /^(0\.\d{1,3}|1)$/.test(text ?? '') ? Number(text) : undefined;
}

function readTimeZone(name: string | null): string | undefined {
  if (name === null) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** What goes along from page to page: the period, the filters, the zone; not a table's own settings. */
export function carried(search: Search): Search {
  const { period, service, environment, method, route, status, owner, compare, tz } = search;
  return {
    ...readSearch(''),
    period,
    service,
    environment,
    method,
    route,
    status,
    owner,
    compare,
    tz,
  };
}

export type Change = (patch: Partial<Search>, how?: { replace?: boolean; state?: unknown }) => void;

/** The page's search and how to change it: a change is a step of the browser's history unless it replaces. */
export function usePageSearch(): [Search, Change] {
  const text = useSearchText();
  const [path, navigate] = useLocation();
  const search = useMemo(() => readSearch(text), [text]);
  const change = useCallback<Change>(
    (patch, how) => navigate(path + writeSearch({ ...readSearch(text), ...patch }), how),
    [navigate, path, text],
  );
  return [search, change];
}
