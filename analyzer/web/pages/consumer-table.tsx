import { useCallback, useMemo, useState } from 'react';
import type { ConsumerRow, Consumers } from '../api/answers.ts';
import { Value } from '../parts/figure-value.tsx';
import { Notice } from '../parts/notice.tsx';
import { Name } from '../parts/route.tsx';
import { ago, compact, exact, moment } from '../state/format.ts';
import { narrow, useMedia } from '../state/media.ts';
import { type Search, usePageSearch } from '../state/search.ts';
import { plainText } from '../state/text.ts';
import { DataTable, type TableColumn } from '../table/data-table.tsx';
import {
  CallerLink,
  callsColumn,
  errorColumns,
  mostCalls,
  shareColumn,
} from './caller-columns.tsx';
import styles from './clients.module.css';
import { ConsumerDialog } from './consumer-dialog.tsx';

/** Columns that a narrow page has no room for. */
const wideOnly = new Set([
  'share',
  'endpoints',
  'bot_calls',
  'errors',
  'error_rate_pct',
  'group',
  'name',
]);

/** Who calls, by the name in the span or its user agent. */
export function ConsumerTable({
  consumers,
  search,
  mayName,
}: {
  consumers: Consumers;
  search: Search;
  mayName: boolean;
}) {
  const [named, setNamed] = useState<ConsumerRow>();
  const [, change] = usePageSearch();
  const isNarrow = useMedia(narrow);
  const rows = useMemo(() => {
    const q = search.q.toLowerCase();
    return consumers.consumers.filter(({ consumer, display_name, group }) =>
      `${consumer ?? ''} ${display_name ?? ''} ${group ?? ''}`.toLowerCase().includes(q),
    );
  }, [consumers, search.q]);
  const most = useMemo(() => mostCalls(consumers.consumers), [consumers]);
  const columns = useMemo(() => columnsOf(most, mayName ? setNamed : undefined), [most, mayName]);
  const shown = isNarrow ? columns.filter(({ id }) => !wideOnly.has(id)) : columns;
  const sort = { id: search.sort ?? 'calls', descending: search.descending ?? true };
  const onSort = useCallback(
    (id: string, descending: boolean) => change({ sort: id, descending }),
    [change],
  );
  return (
    <>
      <p className={styles.about}>
        The consumer that a span names, else the product of its user agent. Names, groups and
        contacts are given here, or by <code>rollcall consumers put</code> from a file.
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
      {named !== undefined && <ConsumerDialog row={named} onClose={() => setNamed(undefined)} />}
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

/** @param onName opens the dialog; undefined where nothing may be written */
function columnsOf(
  most: number,
  onName: ((row: ConsumerRow) => void) | undefined,
): TableColumn<ConsumerRow>[] {
  return [
    {
      id: 'consumer',
      header: 'Consumer',
      width: 'minmax(110px, 2fr)',
      value: ({ display_name, consumer }) => display_name ?? consumer,
      cell: (row) =>
        row.consumer === null || row.named_by === 'other' ? (
          <ConsumerName row={row} />
        ) : (
          <CallerLink
            filter={row.named_by === 'agent' ? { agent: row.consumer } : { consumer: row.consumer }}
          >
            <ConsumerName row={row} />
          </CallerLink>
        ),
    },
    {
      id: 'group',
      header: 'Group',
      width: 'minmax(80px, 1fr)',
      value: ({ group }) => group,
      cell: ({ group }) => <Name text={group ?? ''} empty="" />,
    },
    callsColumn,
    shareColumn(most),
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
    ...errorColumns,
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
    ...(onName === undefined
      ? []
      : [
          {
            id: 'name',
            header: 'Name',
            width: '94px',
            cell: (row: ConsumerRow) =>
              row.consumer === null ? null : (
                <button
                  type="button"
                  className={styles.name}
                  aria-label={`Name ${plainText(row.consumer)} …`}
                  onClick={() => onName(row)}
                >
                  Name…
                </button>
              ),
          },
        ]),
  ];
}
