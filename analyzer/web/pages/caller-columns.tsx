import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { Value } from '../parts/figure-value.tsx';
import { compact, percent } from '../state/format.ts';
import { type CallFilters, carried, usePageSearch, writeSearch } from '../state/search.ts';
import { plainText } from '../state/text.ts';
import type { TableColumn } from '../table/data-table.tsx';
import styles from './clients.module.css';

/** What clients and consumers have in common. */
interface Caller {
  calls: number;
  share_pct: number | null;
  errors: number;
  error_rate_pct: number | null;
}

export const callsColumn: TableColumn<Caller> = {
  id: 'calls',
  header: 'Calls',
  width: '96px',
  isNumber: true,
  value: ({ calls }) => calls,
  cell: ({ calls }) => <Value of={calls} as={compact} />,
};

/** The bar compares with the busiest caller, the number with all calls. @param most calls of the busiest */
export const shareColumn = (most: number): TableColumn<Caller> => ({
  id: 'share',
  header: 'Of all',
  about: 'of all calls in this time, those of unknown callers too',
  width: 'minmax(120px, 1fr)',
  cell: ({ calls, share_pct }) => (
    <span className={styles.share}>
      <i>
        <i style={{ inlineSize: `${(100 * calls) / most}%` }} />
      </i>
      {share_pct === null ? '' : percent(share_pct)}
    </span>
  ),
});

export const errorColumns: readonly TableColumn<Caller>[] = [
  {
    id: 'errors',
    header: 'Errors',
    about: 'statuses of 400 and more',
    width: '88px',
    isNumber: true,
    value: ({ errors }) => errors,
    cell: ({ errors }) => <Value of={errors} as={compact} />,
  },
  {
    id: 'error_rate_pct',
    header: 'Error rate',
    width: '96px',
    isNumber: true,
    value: ({ error_rate_pct }) => error_rate_pct,
    cell: ({ error_rate_pct }) => <Value of={error_rate_pct} as={percent} />,
  },
];

/** Calls of the busiest caller. */
export const mostCalls = (rows: readonly Caller[]): number =>
  rows.reduce((busiest, { calls }) => Math.max(busiest, calls), 1);

/** To the raw calls of a caller, and to the overview narrowed to it. */
export function CallerLink({ filter, children }: { filter: CallFilters; children: ReactNode }) {
  const [search] = usePageSearch();
  const goes = writeSearch({ ...carried(search), calls: filter });
  const label = `overview of ${plainText(Object.values(filter)[0] ?? '')}`;
  return (
    <span className={styles.caller}>
      <Link href={`/calls${goes}`}>{children}</Link>
      <Link href={`/${goes}`} className={styles.overview} aria-label={label} title={label} />
    </span>
  );
}
