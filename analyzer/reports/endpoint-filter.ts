import { globMatcher } from '../../core/glob.ts';
import type { EndpointRecord } from '../../core/store/store.ts';

/** The filters of a list of endpoints, besides status. */
export interface EndpointFilter {
  method?: readonly string[] | undefined;
  route?: string | undefined;
  q?: string | undefined;
}

/** @returns whether an endpoint passes all the filters that were given */
export function endpointFilter(filter: EndpointFilter): (endpoint: EndpointRecord) => boolean {
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
