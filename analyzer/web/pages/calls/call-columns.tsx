import type { CallRow } from '../../api/answers.ts';
import { Value } from '../../parts/figure-value.tsx';
import { Name, Route } from '../../parts/route.tsx';
import { duration, momentMs } from '../../state/format.ts';
import type { TableColumn } from '../../table/data-table.tsx';
import styles from './calls.module.css';
import { HttpStatus } from './http-status.tsx';

export interface CallColumn extends TableColumn<CallRow> {
  /** Also on a phone, and beside an open call. */
  narrow?: true;
  /** Also beside an open call. */
  open?: true;
}

export function callColumns(
  tz: string | undefined,
  open: (id: string) => void,
  /** On a phone: the time of day alone. */
  isNarrow: boolean,
): readonly CallColumn[] {
  return [
    {
      id: 'ended_at',
      header: 'Ended',
      width: isNarrow ? '108px' : '176px',
      narrow: true,
      value: ({ ended_at }) => ended_at,
      cell: ({ id, ended_at }) => (
        <button type="button" className={styles.when} onClick={() => open(id)}>
          <time dateTime={ended_at}>{momentMs(ended_at, tz, isNarrow)}</time>
        </button>
      ),
    },
    {
      id: 'route',
      header: 'Call',
      width: isNarrow ? 'minmax(0, 1fr)' : 'minmax(150px, 2fr)',
      narrow: true,
      cell: ({ method, route }) => <Route method={method} route={route} />,
    },
    {
      id: 'status',
      header: 'Status',
      width: isNarrow ? '62px' : '72px',
      narrow: true,
      cell: ({ status }) => <HttpStatus status={status} />,
    },
    {
      id: 'duration_ms',
      header: 'Duration',
      width: '92px',
      isNumber: true,
      open: true,
      value: ({ duration_ms }) => duration_ms,
      cell: ({ duration_ms }) => <Value of={duration_ms} as={duration} />,
    },
    {
      id: 'service',
      header: 'Service',
      width: 'minmax(90px, 1fr)',
      cell: ({ service }) => <Name text={service} />,
    },
    {
      id: 'caller',
      header: 'Caller',
      width: 'minmax(110px, 1fr)',
      cell: ({ consumer, agent, client }) => (
        <Name text={consumer ?? agent ?? client ?? ''} empty="not told" />
      ),
    },
    {
      id: 'error_type',
      header: 'Error',
      width: 'minmax(90px, 1fr)',
      cell: ({ error_type }) => <Name text={error_type ?? ''} empty="" />,
    },
  ];
}
