import type { ReportRow } from '../api/answers.ts';
import { matchesGlob } from './glob.ts';
import type { Search } from './search.ts';

/** The endpoints that a page is about: its filters hold for rows as the API's parameters of these names do. */

export type Choice = Pick<Search, 'method' | 'route' | 'status' | 'owner'>;
type Named = Pick<ReportRow, 'method' | 'route' | 'status' | 'owner'> & { route_display?: string };

export function isChosen({ method, route, status, owner }: Choice): (row: Named) => boolean {
  return (row) =>
    (method === undefined || row.method === method) &&
    (route === undefined || isRoute(route, row)) &&
    (status.length === 0 || (row.status !== null && status.includes(row.status))) &&
    (owner === undefined || isOwner(owner, row));
}

const isRoute = (pattern: string, { route, route_display: display }: Named): boolean =>
  matchesGlob(pattern, route) || (display !== undefined && matchesGlob(pattern, display));

/** One of an endpoint's owners, or all as its column shows them. */
const isOwner = (owner: string, row: Named): boolean => {
  const all = row.owner ?? '';
  return all === owner || (owner !== '' && all.split(', ').includes(owner));
};

/**
 * What narrows a page to one endpoint.
 * @param rows of the page: an environment is named only where there are several
 */
export function choiceOf(
  row: Pick<ReportRow, 'service' | 'environment' | 'method' | 'route'>,
  rows: readonly Pick<ReportRow, 'environment'>[],
): Partial<Search> {
  const { service, environment, method, route } = row;
  const isElsewhere = rows.some((other) => other.environment !== environment);
  return { service, method, route, ...(isElsewhere && { environment }) };
}
