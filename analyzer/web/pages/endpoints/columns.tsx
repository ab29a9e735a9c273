import { Link } from 'wouter';
import type { ReportRow, Spark } from '../../api/answers.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { Value } from '../../parts/figure-value.tsx';
import { Name, Route } from '../../parts/route.tsx';
import { Marks, StatusWord } from '../../parts/status.tsx';
import { ago, compact, duration, exact, moment, nothing, percent } from '../../state/format.ts';
import type { TableColumn } from '../../table/data-table.tsx';
import styles from './columns.module.css';

/** Every column an endpoint can be shown with. Ids are the API's field names: the sort in a page's address is that of the API. */
export type EndpointColumn = TableColumn<ReportRow> & {
  /** Shown unless columns were chosen; `narrow` stays on a phone. */
  usual?: boolean;
  narrow?: boolean;
};

const statusOrder = ['active', 'cold', 'dead', 'never_called', 'removed', 'unknown'];

const share = (part: number, row: ReportRow): number | null =>
  row.total_calls === 0 ? null : (100 * part) / row.total_calls;

/**
 * @param goes the part of a link after the path
 * @param callsMost of one endpoint, for the bars
 * @param sparks by id; undefined until they come
 */
export function endpointColumns(
  goes: string,
  callsMost: number,
  sparks: ReadonlyMap<string, Spark> | undefined,
): EndpointColumn[] {
  const milliseconds = (
    id:
      | 'p50_duration_ms'
      | 'p75_duration_ms'
      | 'p90_duration_ms'
      | 'p95_duration_ms'
      | 'p99_duration_ms'
      | 'max_duration_ms'
      | 'avg_duration_ms',
    header: string,
    usual = false,
  ): EndpointColumn => ({
    id,
    header,
    about: `${header} of the duration of the calls in this time`,
    width: '66px',
    isNumber: true,
    usual,
    value: (row) => row[id],
    cell: (row) => <Value of={row[id]} as={duration} className={quiet(row[id])} />,
  });
  const counted = (
    id: 'refused_count' | 'missing_count' | 'failed_count',
    header: string,
    about: string,
  ): EndpointColumn => ({
    id,
    header,
    about,
    width: '76px',
    isNumber: true,
    value: (row) => row[id],
    cell: (row) => <Value of={row[id]} as={compact} className={quiet(row[id])} />,
  });
  return [
    {
      id: 'route',
      header: 'Endpoint',
      width: 'minmax(200px, 3fr)',
      usual: true,
      narrow: true,
      value: (row) => row.route,
      cell: (row) => (
        <span className={styles.endpoint}>
          <Link href={`/endpoints/${encodeURIComponent(row.id)}${goes}`}>
            <Route method={row.method} route={row.route} />
          </Link>
          <Marks marks={row.marks} />
        </span>
      ),
    },
    {
      id: 'service',
      header: 'Service',
      width: 'minmax(92px, 0.6fr)',
      usual: true,
      value: (row) => row.service,
      cell: (row) => <Name text={row.service} />,
    },
    {
      id: 'environment',
      header: 'Environment',
      width: 'minmax(90px, 1fr)',
      value: (row) => row.environment,
      cell: (row) => <Name text={row.environment} empty={nothing} />,
    },
    {
      id: 'owner',
      header: 'Owner',
      about: 'as the inventory names it',
      width: 'minmax(80px, 0.6fr)',
      value: (row) => row.owner,
      cell: (row) => <Name text={row.owner ?? ''} empty={nothing} />,
    },
    {
      id: 'status',
      header: 'Status',
      about: 'by its whole life, whatever time is shown',
      width: '108px',
      usual: true,
      narrow: true,
      value: (row) => (row.status === null ? null : statusOrder.indexOf(row.status)),
      cell: (row) => <StatusWord status={row.status} />,
    },
    {
      id: 'total_calls',
      header: 'Calls',
      about: 'calls in this time',
      width: '104px',
      isNumber: true,
      usual: true,
      narrow: true,
      value: (row) => row.total_calls,
      cell: (row) => (
        <span className={styles.calls} title={sampledTitle(row)}>
          {row.estimated && '≈ '}
          <Value of={row.total_calls} as={compact} className={quiet(row.total_calls)} />
          <i className={styles.track}>
            <i
              className={styles.share}
              style={{ inlineSize: `${(100 * row.total_calls) / Math.max(1, callsMost)}%` }}
            />
          </i>
        </span>
      ),
    },
    {
      id: 'spark',
      header: 'Over time',
      about: 'calls and errors over this time, each row by its own height',
      width: '104px',
      usual: true,
      cell: (row) => {
        const spark = sparks?.get(row.id);
        return spark && <Sparkline spark={spark} />;
      },
    },
    {
      id: 'error_4xx_count',
      header: '4xx',
      about: 'share of calls answered with 400 to 499',
      width: '62px',
      isNumber: true,
      usual: true,
      value: (row) => share(row.error_4xx_count, row),
      cell: (row) => (
        <span title={`${exact(row.error_4xx_count)} calls`}>
          <Value
            of={share(row.error_4xx_count, row)}
            as={percent}
            className={quiet(row.error_4xx_count)}
          />
        </span>
      ),
    },
    {
      id: 'error_5xx_count',
      header: '5xx',
      about: 'share of calls answered with 500 or more',
      width: '62px',
      isNumber: true,
      usual: true,
      value: (row) => share(row.error_5xx_count, row),
      cell: (row) => {
        const failed = share(row.error_5xx_count, row);
        const className = failed !== null && failed >= 1 ? styles.bad : quiet(row.error_5xx_count);
        return (
          <span title={`${exact(row.error_5xx_count)} calls`}>
            <Value of={failed} as={percent} className={className} />
          </span>
        );
      },
    },
    counted('refused_count', 'Refused', 'answered with 401, 403 or 429'),
    counted('missing_count', 'Missing', 'answered with 404, 405 or 410'),
    counted('failed_count', 'Failed', 'every other call that was not answered'),
    milliseconds('avg_duration_ms', 'Average'),
    milliseconds('p50_duration_ms', 'p50', true),
    milliseconds('p75_duration_ms', 'p75'),
    milliseconds('p90_duration_ms', 'p90'),
    milliseconds('p95_duration_ms', 'p95', true),
    milliseconds('p99_duration_ms', 'p99', true),
    milliseconds('max_duration_ms', 'Max'),
    {
      id: 'unique_clients',
      header: 'Clients',
      about: 'distinct addresses in this time',
      width: '65px',
      isNumber: true,
      value: (row) => row.unique_clients,
      cell: (row) => (
        <Value of={row.unique_clients} as={compact} className={quiet(row.unique_clients)} />
      ),
    },
    {
      id: 'lifetime_calls',
      header: 'Calls ever',
      width: '90px',
      isNumber: true,
      value: (row) => row.lifetime_calls,
      cell: (row) => <Value of={row.lifetime_calls} as={compact} />,
    },
    {
      id: 'first_called_at',
      header: 'First call',
      width: '96px',
      isNumber: true,
      value: (row) => row.first_called_at,
      cell: (row) => <When at={row.first_called_at} />,
    },
    {
      id: 'last_called_at',
      header: 'Last call',
      width: '82px',
      isNumber: true,
      usual: true,
      value: (row) => row.last_called_at,
      cell: (row) => <When at={row.last_called_at} />,
    },
    {
      id: 'last_answered_at',
      header: 'Last answered',
      about: 'the last call with a status of 100 to 399',
      width: '110px',
      isNumber: true,
      value: (row) => row.last_answered_at,
      cell: (row) => <When at={row.last_answered_at} />,
    },
  ];
}

/** Counts of sampled calls are estimates. */
function sampledTitle({ total_calls_interval: interval }: ReportRow): string | undefined {
  if (interval === undefined) return undefined;
  return `estimated from sampled calls: ${exact(interval[0])} to ${exact(interval[1])}`;
}

/** Zero is grey, so that other values stand out. */
const quiet = (value: number | null): string | undefined =>
  value === null || value === 0 ? styles.quiet : undefined;

function When({ at }: { at: string | null }) {
  return (
    <time dateTime={at ?? ''} title={moment(at)} className={styles.quiet}>
      {ago(at)}
    </time>
  );
}
