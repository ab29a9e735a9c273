import { useCallback, useMemo } from 'react';
import { Link } from 'wouter';
import type { ServiceRow } from '../api/answers.ts';
import { useServices } from '../api/queries.ts';
import { Value } from '../parts/figure-value.tsx';
import { FilterBar } from '../parts/filter-bar.tsx';
import { Failure, Loading, Notice, StaleBanner } from '../parts/notice.tsx';
import { Name } from '../parts/route.tsx';
import { ago, compact, day, exact, moment, nothing } from '../state/format.ts';
import { narrow, useMedia } from '../state/media.ts';
import { carried, usePageSearch, writeSearch } from '../state/search.ts';
import { DataTable, type TableColumn } from '../table/data-table.tsx';

const dayMs = 86_400_000;

/** Every service ever heard; silent ones are grey and never missing. */
export function ServicesPage() {
  const [search, change] = usePageSearch();
  const services = useServices({ ...search, method: undefined });
  const isNarrow = useMedia(narrow);
  const goes = writeSearch(carried({ ...search, service: undefined, environment: undefined }));
  const columns = useMemo(() => columnsOf(goes), [goes]);
  const shown = isNarrow
    ? columns.filter(({ id }) => id === 'service' || id === 'calls' || id === 'last_seen_at')
    : columns;
  const sort = { id: search.sort ?? 'service', descending: search.descending ?? false };
  const onSort = useCallback(
    (id: string, descending: boolean) => change({ sort: id, descending }),
    [change],
  );
  return (
    <>
      <h1 className="visually-hidden">Services</h1>
      <FilterBar updatedMs={services.dataUpdatedAt} />
      {services.error && services.data && (
        <StaleBanner error={services.error} updatedMs={services.dataUpdatedAt} />
      )}
      {services.data !== undefined ? (
        <DataTable
          label="Services"
          rows={services.data.services}
          columns={shown}
          rowKey={({ service, environment }) => `${service}\n${environment}`}
          sort={sort}
          onSort={onSort}
          isDim={isSilent}
          empty={<Notice title="No service in this environment" />}
        />
      ) : services.error ? (
        <Failure error={services.error} retry={() => services.refetch()} />
      ) : (
        <Loading what="the services" />
      )}
    </>
  );
}

const isSilent = ({ last_seen_at }: ServiceRow): boolean =>
  Date.now() - Date.parse(last_seen_at) > dayMs;

function columnsOf(goes: string): TableColumn<ServiceRow>[] {
  const endpointsOf = ({ service, environment }: ServiceRow) => {
    const query = new URLSearchParams(goes);
    query.set('service', service);
    query.set('environment', environment);
    return `/endpoints?${query}`;
  };
  return [
    {
      id: 'service',
      header: 'Service',
      width: 'minmax(120px, 2fr)',
      value: ({ service }) => service,
      cell: (row) => (
        <Link href={endpointsOf(row)}>
          <Name text={row.service} />
        </Link>
      ),
    },
    {
      id: 'environment',
      header: 'Environment',
      width: 'minmax(100px, 1fr)',
      value: ({ environment }) => environment,
      cell: ({ environment }) => <Name text={environment} empty={nothing} />,
    },
    {
      id: 'endpoints',
      header: 'Endpoints',
      width: '100px',
      isNumber: true,
      value: ({ endpoints }) => endpoints,
      cell: ({ endpoints }) => <Value of={endpoints} as={exact} />,
    },
    {
      id: 'calls',
      header: 'Calls',
      about: 'calls in this time',
      width: '100px',
      isNumber: true,
      value: ({ calls }) => calls,
      cell: ({ calls }) => <Value of={calls} as={compact} />,
    },
    {
      id: 'first_seen_at',
      header: 'Observed since',
      width: '130px',
      isNumber: true,
      value: ({ first_seen_at }) => first_seen_at,
      cell: ({ first_seen_at }) => (
        <time dateTime={first_seen_at} title={moment(first_seen_at)}>
          {day(first_seen_at)}
        </time>
      ),
    },
    {
      id: 'last_seen_at',
      header: 'Last heard',
      width: '130px',
      isNumber: true,
      value: ({ last_seen_at }) => last_seen_at,
      cell: (row) => (
        <time dateTime={row.last_seen_at} title={moment(row.last_seen_at)}>
          {isSilent(row) ? `silent for ${ago(row.last_seen_at)}` : ago(row.last_seen_at)}
        </time>
      ),
    },
  ];
}
