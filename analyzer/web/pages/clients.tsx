import { useCallback, useMemo } from 'react';
import type { ClientRow, Clients, Session } from '../api/answers.ts';
import { useClients, useConsumers } from '../api/queries.ts';
import { Value } from '../parts/figure-value.tsx';
import { FilterBar } from '../parts/filter-bar.tsx';
import { Failure, Loading, Notes, Notice, StaleBanner } from '../parts/notice.tsx';
import { Name } from '../parts/route.tsx';
import { ago, compact, exact, moment, nothing } from '../state/format.ts';
import { narrow, useMedia } from '../state/media.ts';
import { mayChange } from '../state/permission.ts';
import { type Callers, type Search, usePageSearch } from '../state/search.ts';
import { DataTable, type TableColumn } from '../table/data-table.tsx';
import {
  CallerLink,
  callsColumn,
  errorColumns,
  mostCalls,
  shareColumn,
} from './caller-columns.tsx';
import styles from './clients.module.css';
import { ConsumerTable } from './consumer-table.tsx';

/** Who called: the addresses, or the consumers. */
export function ClientsPage({ session }: { session: Session }) {
  const [search, change] = usePageSearch();
  const byName = search.callers === 'consumers';
  const clients = useClients(search, !byName);
  const consumers = useConsumers(search, byName);
  const answer = byName ? consumers : clients;
  return (
    <>
      <h1 className="visually-hidden">Clients</h1>
      <FilterBar updatedMs={answer.dataUpdatedAt}>
        <input
          type="search"
          aria-label="Search clients"
          placeholder={byName ? 'Search consumers' : 'Search addresses'}
          className={styles.search}
          value={search.q}
          maxLength={200}
          onChange={({ target }) => change({ q: target.value }, { replace: true })}
        />
        <select
          aria-label="Callers"
          value={search.callers}
          onChange={({ target }) =>
            change({ callers: target.value as Callers, sort: undefined, descending: undefined })
          }
        >
          <option value="addresses">By address</option>
          <option value="consumers">By consumer</option>
        </select>
      </FilterBar>
      {answer.error && answer.data && (
        <StaleBanner error={answer.error} updatedMs={answer.dataUpdatedAt} />
      )}
      <Notes notes={answer.data?.notes} />
      {byName && consumers.data !== undefined ? (
        <ConsumerTable consumers={consumers.data} search={search} mayName={mayChange(session)} />
      ) : !byName && clients.data !== undefined ? (
        <ClientTable
          clients={clients.data}
          search={search}
          privacy={session.settings!.client_privacy}
        />
      ) : answer.error ? (
        <Failure error={answer.error} retry={() => answer.refetch()} />
      ) : (
        <Loading what="the clients" />
      )}
    </>
  );
}

function ClientTable({
  clients,
  search,
  privacy,
}: {
  clients: Clients;
  search: Search;
  privacy: string;
}) {
  const [, change] = usePageSearch();
  const isNarrow = useMedia(narrow);
  const rows = useMemo(() => {
    const q = search.q.toLowerCase();
    return clients.clients.filter(({ client }) => client.toLowerCase().includes(q));
  }, [clients, search.q]);
  const most = useMemo(() => mostCalls(clients.clients), [clients]);
  const columns = useMemo(() => columnsOf(most), [most]);
  const shown = isNarrow ? columns.filter(({ id }) => phoneColumns.has(id)) : columns;
  const sort = { id: search.sort ?? 'calls', descending: search.descending ?? true };
  const onSort = useCallback(
    (id: string, descending: boolean) => change({ sort: id, descending }),
    [change],
  );
  return (
    <>
      <p className={styles.about}>{aboutPrivacy[privacy]}</p>
      <DataTable
        label="Clients"
        rows={rows}
        columns={shown}
        rowKey={({ client }) => client}
        sort={sort}
        onSort={onSort}
        empty={
          <Notice title="No client like this">
            <p>
              {clients.clients.length === 0
                ? 'No call of this time tells where it came from.'
                : 'No address contains what you typed.'}
            </p>
          </Notice>
        }
      />
    </>
  );
}

/** The meaning of an address under each setting of ROLLCALL_CLIENT_PRIVACY. */
const aboutPrivacy: Record<string, string> = {
  full: 'Addresses as the services or their trusted proxies saw them.',
  truncate: 'Networks of addresses: ROLLCALL_CLIENT_PRIVACY=truncate keeps no more.',
  hash: 'Pseudonyms that change every day: ROLLCALL_CLIENT_PRIVACY=hash. One client is several over a longer time.',
  none: 'ROLLCALL_CLIENT_PRIVACY=none keeps no addresses.',
};

const phoneColumns = new Set(['client', 'calls', 'error_rate_pct']);

function columnsOf(most: number): TableColumn<ClientRow>[] {
  return [
    {
      id: 'client',
      header: 'Client',
      width: 'minmax(110px, 2fr)',
      value: ({ client }) => client,
      // The last row may hold all further clients together
      cell: ({ client }) =>
        client === '{other}' ? (
          <Name text={client} />
        ) : (
          <CallerLink filter={{ client }}>
            <Name text={client} />
          </CallerLink>
        ),
    },
    callsColumn,
    shareColumn(most),
    {
      id: 'endpoints',
      header: 'Endpoints',
      about: 'endpoints that it called in this time',
      width: '88px',
      isNumber: true,
      value: ({ endpoints }) => endpoints ?? null,
      cell: ({ endpoints }) => <Value of={endpoints} as={exact} />,
    },
    ...errorColumns,
    outcome('refused_count', 'Refused', 'answered with 401, 403 or 429'),
    outcome('missing_count', 'Missing', 'answered with 404, 405 or 410'),
    outcome('failed_count', 'Failed', 'every other call that was not answered'),
    {
      id: 'last_called_at',
      header: 'Last call',
      about: 'in this time',
      width: '96px',
      isNumber: true,
      value: ({ last_called_at }) => last_called_at,
      cell: ({ first_called_at: first, last_called_at: last }) => (
        <time dateTime={last ?? ''} title={`${moment(first)} to ${moment(last)}`}>
          {last === null ? nothing : ago(last)}
        </time>
      ),
    },
  ];
}

const outcome = (
  id: 'refused_count' | 'missing_count' | 'failed_count',
  header: string,
  about: string,
): TableColumn<ClientRow> => ({
  id,
  header,
  about,
  width: '76px',
  isNumber: true,
  value: (row) => row[id],
  cell: (row) => <Value of={row[id]} as={compact} />,
});
