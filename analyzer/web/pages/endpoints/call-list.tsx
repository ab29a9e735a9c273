import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { CallRow, EndpointRow } from '../../api/answers.ts';
import { Name } from '../../parts/route.tsx';
import { ago, duration, momentMs } from '../../state/format.ts';
import { type CallFilters, carried, usePageSearch, writeSearch } from '../../state/search.ts';
import { HttpStatus } from '../calls/http-status.tsx';
import { TraceLink } from '../calls/trace-link.tsx';
import styles from './drawer.module.css';

/** A few calls of an endpoint, with a way to all of them. */
export function CallList({
  title,
  calls,
  row,
  filter,
  sort,
}: {
  title: string;
  calls: readonly CallRow[];
  row: EndpointRow;
  filter: CallFilters;
  sort?: string;
}) {
  const [search] = usePageSearch();
  if (calls.length === 0) return null;
  return (
    <section className={styles.part}>
      <h3>{title}</h3>
      <table className={styles.callers}>
        <thead>
          <tr>
            <th scope="col">when</th>
            <th scope="col">status</th>
            <th scope="col">duration</th>
            <th scope="col">caller</th>
            <th scope="col">trace</th>
          </tr>
        </thead>
        <tbody>
          {calls.slice(0, 5).map((call) => (
            <tr key={call.id}>
              <td>
                <time dateTime={call.ended_at} title={momentMs(call.ended_at, search.tz)}>
                  {ago(call.ended_at)}
                </time>
              </td>
              <td>
                <HttpStatus status={call.status} />
              </td>
              <td>{duration(call.duration_ms)}</td>
              <td>
                <Name text={call.consumer ?? call.agent ?? call.client ?? ''} empty="not told" />
              </td>
              <td>
                <TraceLink call={call} isShort />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <CallsLink row={row} filter={filter} sort={sort}>
        All of them
      </CallsLink>
    </section>
  );
}

/** To the raw calls of an endpoint that a filter leaves. */
export function CallsLink({
  row,
  filter,
  sort,
  children,
}: {
  row: EndpointRow;
  filter: CallFilters;
  sort?: string | undefined;
  children: ReactNode;
}) {
  const [search] = usePageSearch();
  const goes = writeSearch({
    ...carried(search),
    // The endpoint's id says as much
    method: undefined,
    route: undefined,
    calls: { ...filter, endpoint: row.id },
    sort,
  });
  return <Link href={`/calls${goes}`}>{children}</Link>;
}
