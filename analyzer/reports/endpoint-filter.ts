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
  const route = filter.route === undefined ? undefined : globPattern(filter.route);
  const q = filter.q?.toLowerCase();
  return (endpoint) => {
    if (method && !method.includes(endpoint.method)) return false;
    if (route && !route.test(endpoint.route)) return false;
    if (q === undefined) return true;
    const { service, route: canonical, display } = endpoint;
    return `${service} ${endpoint.method} ${canonical} ${display}`.toLowerCase().includes(q);
  };
}

/** `*` stands for any characters, slashes too; everything else for itself. */
function globPattern(glob: string): RegExp {
  const parts = glob.split(/\*+/).map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
