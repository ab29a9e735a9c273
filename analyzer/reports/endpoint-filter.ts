import { AppError } from '../../core/error.ts';
import { globMatcher } from '../../core/glob.ts';
import type { EndpointRecord, Selection, Snapshot } from '../../core/store/store.ts';
import { type QueryContext, selectionOf } from '../query/answer-head.ts';
import type { Status } from '../query/status.ts';
import type { Lifecycle } from '../verdict/lifecycle.ts';
import { type EndpointEntry, judgedEndpoints, observedSince } from './endpoint-usage.ts';

/** The filters of a list of endpoints, besides status. */
export interface EndpointFilter {
  method?: readonly string[] | undefined;
  route?: string | undefined;
  q?: string | undefined;
}

type EndpointNames = Pick<EndpointRecord, 'service' | 'method' | 'route' | 'display'>;

/** @returns whether an endpoint passes all the filters that were given */
export function endpointFilter(filter: EndpointFilter): (endpoint: EndpointNames) => boolean {
  const { method } = filter;
  const route = filter.route === undefined ? undefined : globMatcher(filter.route);
  const q = filter.q?.toLowerCase();
  return (endpoint) => {
    if (method && !method.includes(endpoint.method)) return false;
    if (route && !route(endpoint.route) && !route(endpoint.display)) return false;
    if (q === undefined) return true;
    const { service, route: canonical, display } = endpoint;
    return `${service} ${endpoint.method} ${canonical} ${display}`.toLowerCase().includes(q);
  };
}

/**
 * The selection of a query's parameters, `method`, `route` and `endpoint` included.
 * @throws AppError `not_found` for an endpoint that the selection does not have
 */
export async function filteredSelection(
  snapshot: Snapshot,
  parameters: {
    service?: string | undefined;
    environment?: string | undefined;
    method?: string[] | undefined;
    route?: string | undefined;
    endpoint?: string | undefined;
  },
): Promise<{ selection: Selection; observedSinceMs: number | undefined }> {
  const { method, route, endpoint } = parameters;
  const selection = selectionOf(parameters);
  const passes = endpointFilter({ method, route });
  const all = await snapshot.endpoints(selection);
  if (endpoint !== undefined && !all.some(({ id }) => id === endpoint)) {
    throw new AppError('not_found', `there is no endpoint ${JSON.stringify(endpoint)}`, {
      field: 'endpoint',
    });
  }
  const chosen = all.filter(passes).filter(({ id }) => endpoint === undefined || id === endpoint);
  const observedSinceMs = observedSince(chosen);
  if (chosen.length === all.length) return { selection, observedSinceMs };
  const endpoints = new Set(chosen.map(({ id }) => id));
  return { selection: { ...selection, endpoints }, observedSinceMs };
}

export interface ChosenSelection {
  selection: Selection;
  observedSinceMs: number | undefined;
  /** The parameters that narrow every query's endpoints, for the head of its answer. */
  filters: Record<string, string | readonly string[] | undefined>;
}

/**
 * As `filteredSelection`, narrowed by `status` and `owner` too. A verdict follows from all endpoints of a service, so
 * that these two cost more.
 * @throws as `filteredSelection`
 */
export async function chosenSelection(
  context: QueryContext,
  parameters: Parameters<typeof filteredSelection>[1] & {
    status?: readonly Status[] | undefined;
    owner?: string | undefined;
  },
): Promise<ChosenSelection> {
  const { service, environment, status, owner, method, route } = parameters;
  const filters = { service, environment, status, owner, method, route };
  const filtered = await filteredSelection(context.snapshot, parameters);
  if (status === undefined && owner === undefined) return { ...filtered, filters };
  const judged = await judgedEndpoints(context, selectionOf(parameters));
  const chosen = judged.entries.filter(
    (entry) => hasStatus(entry.lifecycle, status) && hasOwner(entry, owner),
  );
  const ids = new Set(chosen.map(({ endpoint }) => endpoint.id));
  const { endpoints: passed } = filtered.selection;
  const kept = judged.endpoints.filter(({ id }) => ids.has(id) && (passed?.has(id) ?? true));
  return {
    selection: { ...filtered.selection, endpoints: new Set(kept.map(({ id }) => id)) },
    observedSinceMs: observedSince(kept),
    filters,
  };
}

/** A bucket has no status, and is in no list of one. */
export function hasStatus({ status }: Lifecycle, wanted: readonly Status[] | undefined): boolean {
  return wanted === undefined || (status !== null && wanted.includes(status));
}

/** @param owner one of its owners, or all as the column shows them; '' for endpoints without one */
export function hasOwner({ owners }: EndpointEntry, owner: string | undefined): boolean {
  return owner === undefined || owners.includes(owner) || owners.join(', ') === owner;
}
