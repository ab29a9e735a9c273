import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { ComparisonRow } from '../../api/answers.ts';
import { Value } from '../../parts/figure-value.tsx';
import { Name, Route } from '../../parts/route.tsx';
import { compact, duration, percent, points, signed, signedPercent } from '../../state/format.ts';
import type { TableColumn } from '../../table/data-table.tsx';
import styles from './compare.module.css';
import { type Verdict, VerdictWord } from './verdict-word.tsx';

/** Chance explains it, or nothing can be said. */
export const isNoise = ({ verdict }: ComparisonRow): boolean =>
  verdict === 'same' || verdict === 'too_little_data';

const order: Verdict[] = ['worse', 'better', 'same', 'too_little_data'];

/** A figure of now, the one before in the title, and how far it moved; grey when that is noise. */
function Moved({
  now,
  before,
  as,
  change,
  verdict,
}: {
  now: number | null;
  before: number | null;
  as: (value: number | null | undefined) => string;
  change: string | null;
  verdict: Verdict;
}) {
  const className =
    verdict === 'worse' || verdict === 'better' ? styles[`${verdict}Figure`] : styles.noise;
  return (
    <span className={className} title={`${as(before)} before`}>
      <Value of={now} as={as} />
      <small>{change ?? ''}</small>
    </span>
  );
}

type CompareColumn = TableColumn<ComparisonRow> & { narrow?: boolean };

export function compareColumns(goes: string): CompareColumn[] {
  const percentile = (name: 'p50' | 'p95' | 'p99'): CompareColumn => ({
    id: `${name}_change_pct`,
    header: name,
    about: `${name} of the duration now, and how far it moved; sorts by the movement`,
    width: '120px',
    isNumber: true,
    narrow: name === 'p95',
    value: (row) => row[`${name}_change_pct`],
    cell: (row) => (
      <Moved
        now={row[`${name}_duration_ms`]}
        before={row[`before_${name}_duration_ms`]}
        as={duration}
        change={changeText(row[`${name}_change_pct`])}
        verdict={row.duration_verdict}
      />
    ),
  });
  return [
    {
      id: 'route',
      header: 'Endpoint',
      width: 'minmax(150px, 3fr)',
      narrow: true,
      value: (row) => row.route,
      cell: (row): ReactNode => (
        <span className={styles.endpoint}>
          <Link href={`/endpoints/${encodeURIComponent(row.id)}${goes}`}>
            <Route method={row.method} route={row.route} />
          </Link>
        </span>
      ),
    },
    {
      id: 'service',
      header: 'Service',
      width: 'minmax(92px, 0.6fr)',
      value: (row) => row.service,
      cell: (row) => <Name text={row.service} />,
    },
    {
      id: 'verdict',
      header: 'Verdict',
      width: '126px',
      narrow: true,
      value: (row) => order.indexOf(row.verdict),
      cell: (row) => <VerdictWord verdict={row.verdict} />,
    },
    {
      id: 'calls',
      header: 'Calls',
      width: '112px',
      isNumber: true,
      value: (row) => row.calls,
      cell: (row) => (
        <Moved
          now={row.calls}
          before={row.before_calls}
          as={compact}
          change={changeText(row.calls_change_pct)}
          verdict="same"
        />
      ),
    },
    {
      id: 'error_rate_change_points',
      header: 'Errors',
      about: 'share of statuses from 400 now, and how far it moved; sorts by the movement',
      width: '150px',
      isNumber: true,
      value: (row) => row.error_rate_change_points,
      cell: (row) => (
        <Moved
          now={row.error_rate_pct}
          before={row.before_error_rate_pct}
          as={percent}
          change={pointsText(row.error_rate_change_points)}
          verdict={row.error_verdict}
        />
      ),
    },
    percentile('p50'),
    percentile('p95'),
    percentile('p99'),
  ];
}

const changeText = (pct: number | null): string | null =>
  pct === null ? null : signedPercent(pct);

const pointsText = (change: number | null): string | null =>
  change === null ? null : Math.abs(change) < 0.005 ? '±0' : signed(change, points);
