import { useCallback, useMemo } from 'react';
import type { ConsumerRow, Consumers } from '../api/answers.ts';
import { Value } from '../parts/figure-value.tsx';
import { Notice } from '../parts/notice.tsx';
import { Name } from '../parts/route.tsx';
import { ago, compact, exact, moment, percent } from '../state/format.ts';
import { narrow, useMedia } from '../state/media.ts';
import { type Search, usePageSearch } from '../state/search.ts';
import { DataTable, type TableColumn } from '../table/data-table.tsx';
import styles from './clients.module.css';

/** Columns that a narrow page has no room for. */
const wideOnly = new Set(['share', 'endpoints', 'bot_calls', 'errors', 'error_rate_pct', 'group']);

/** Who calls, by the name in the span or its user agent. */
export function ConsumerTable({ consumers, search }: { consumers: Consumers; search: Search }) {
  const [, change] = usePageSearch();
  const isNarrow = useMedia(narrow);
  const rows = useMemo(() => {
    const q = search.q.toLowerCase();
    return consumers.consumers.filter(({ consumer, display_name, group }) =>
      `${consumer ?? ''} ${display_name ?? ''} ${group ?? ''}`.toLowerCase().includes(q),
    );
  }, [consumers, search.q]);
  const most = useMemo(
    () => consumers.consumers.reduce((busiest, { calls }) => Math.max(busiest, calls), 1),
    [consumers],
  );
  const columns = useMemo(() => columnsOf(most), [most]);
  const shown = isNarrow ? columns.filter(({ id }) => !wideOnly.has(id)) : columns;
  const sort = { id: search.sort ?? 'calls', descending: search.descending ?? true };
  const onSort = useCallback(
    (id: string, descending: boolean) => change({ sort: id, descending }),
    [change],
  );
  return (
    <>
      <p className={styles.about}>
        The consumer that a span names, else the product of its user agent. A display name, a group
        and a contact come from <code>rollcall consumers set</code> or <code>put</code>.
      </p>
      <DataTable
        label="Consumers"
        rows={rows}
        columns={shown}
        rowKey={({ consumer, named_by }) => `${named_by} ${consumer}`}
        sort={sort}
        onSort={onSort}
        empty={
          <Notice title="No consumer like this">
            <p>
              {consumers.consumers.length === 0
                ? 'There are no calls in this time.'
                : 'No name contains what you typed.'}
            </p>
          </Notice>
        }
      />
    </>
  );
}

/** A consumer's best name; the name in its calls and its contact stand in the tooltip. */
export function ConsumerName({ row }: { row: ConsumerRow }) {
  const { consumer, display_name, contact, named_by } = row;
  const about = [
    display_name === null ? null : consumer,
    contact,
    named_by === 'agent' ? 'known by its user agent only' : null,
  ];
  return (
    <span title={about.filter(Boolean).join(', ') || undefined}>
      <Name text={display_name ?? consumer ?? ''} empty="not told" />
    </span>
  );
}

function columnsOf(most: number): TableColumn<ConsumerRow>[] {
  return [
    {
      id: 'consumer',
      header: 'Consumer',
      width: 'minmax(140px, 2fr)',
      value: ({ display_name, consumer }) => display_name ?? consumer,
      cell: (row) => <ConsumerName row={row} />,
    },
    {
      id: 'group',
      header: 'Group',
      width: 'minmax(80px, 1fr)',
      value: ({ group }) => group,
      cell: ({ group }) => <Name text={group ?? ''} empty="" />,
    },
    {
      id: 'calls',
      header: 'Calls',
      width: '88px',
      isNumber: true,
      value: ({ calls }) => calls,
      cell: ({ calls }) => <Value of={calls} as={compact} />,
    },
    {
      id: 'share',
      header: 'Of all',
      width: 'minmax(120px, 1fr)',
      cell: ({ calls, share_pct }) => (
        <span className={styles.share}>
          <i>
            <i style={{ inlineSize: `${(100 * calls) / most}%` }} />
          </i>
          {share_pct === null ? '' : percent(share_pct)}
        </span>
      ),
    },
    {
      id: 'bot_calls',
      header: 'By bots',
      about: 'crawlers, scanners and monitors',
      width: '80px',
      isNumber: true,
      value: ({ bot_calls }) => bot_calls,
      cell: ({ bot_calls }) => <Value of={bot_calls} as={compact} />,
    },
    {
      id: 'endpoints',
      header: 'Endpoints',
      width: '88px',
      isNumber: true,
      value: ({ endpoints }) => endpoints,
      cell: ({ endpoints }) => <Value of={endpoints} as={exact} />,
    },
    {
      id: 'errors',
      header: 'Errors',
      about: 'statuses of 400 and more',
      width: '80px',
      isNumber: true,
      value: ({ errors }) => errors,
      cell: ({ errors }) => <Value of={errors} as={compact} />,
    },
    {
      id: 'error_rate_pct',
      header: 'Error rate',
      width: '88px',
      isNumber: true,
      value: ({ error_rate_pct }) => error_rate_pct,
      cell: ({ error_rate_pct }) => <Value of={error_rate_pct} as={percent} />,
    },
    {
      id: 'last_called_at',
      header: 'Last call',
      width: '96px',
      isNumber: true,
      value: ({ last_called_at }) => last_called_at,
      cell: ({ last_called_at }) => (
        <time dateTime={last_called_at} title={moment(last_called_at)}>
          {ago(last_called_at)}
        </time>
      ),
    },
  ];
}
