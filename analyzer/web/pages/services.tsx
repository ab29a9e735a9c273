import { useCallback, useMemo } from 'react';
import { Link } from 'wouter';
import type { ServiceRow } from '../api/answers.ts';
import { type Doctor, type ServiceCoverage, useDoctor } from '../api/doctor.ts';
import { useServices } from '../api/queries.ts';
import { Value } from '../parts/figure-value.tsx';
import { FilterBar } from '../parts/filter-bar.tsx';
import { Findings } from '../parts/findings.tsx';
import { Failure, Loading, Notice, StaleBanner } from '../parts/notice.tsx';
import { Panel } from '../parts/panel.tsx';
import { Name } from '../parts/route.tsx';
import { ago, compact, day, exact, moment, nothing, percent } from '../state/format.ts';
import { narrow, useMedia } from '../state/media.ts';
import { carried, type Search, usePageSearch, writeSearch } from '../state/search.ts';
import { DataTable, type TableColumn } from '../table/data-table.tsx';
import styles from './services.module.css';

const dayMs = 86_400_000;

/** Every service ever heard; silent ones are grey and never missing. */
export function ServicesPage() {
  const [search, change] = usePageSearch();
  const services = useServices({ ...search, method: undefined });
  const isNarrow = useMedia(narrow);
  const goes = writeSearch(carried({ ...search, service: undefined, environment: undefined }));
  const doctor = useDoctor(30_000).data;
  const columns = useMemo(() => columnsOf(goes, coverageOf(doctor)), [goes, doctor]);
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
      <FilterBar updatedMs={services.dataUpdatedAt} chips={[]} />
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
      {doctor && <WhatDoesNotCount doctor={doctor} search={search} />}
    </>
  );
}

/** Findings of the services that are shown, and of requests, which belong to none. */
function WhatDoesNotCount({ doctor, search }: { doctor: Doctor; search: Search }) {
  const findings = doctor.findings.filter(
    ({ service, environment }) =>
      (search.service === undefined || service === null || service === search.service) &&
      (search.environment === undefined ||
        environment === null ||
        environment === search.environment),
  );
  return (
    <div className={styles.findings}>
      <Panel
        title="What does not count, and what mends it"
        hint={`of the last ${doctor.days} days`}
      >
        <div className={styles.inside}>
          {findings.length === 0 ? (
            <p>Nothing: what arrived counts, and almost all of it has a route and a client.</p>
          ) : (
            <Findings findings={findings} />
          )}
        </div>
      </Panel>
    </div>
  );
}

type CoverageOf = (row: ServiceRow) => ServiceCoverage | undefined;

function coverageOf(doctor: Doctor | undefined): CoverageOf {
  const key = ({ service, environment }: { service: string; environment: string }) =>
    JSON.stringify([service, environment]);
  const byService = new Map(doctor?.services.map((coverage) => [key(coverage), coverage]));
  return (row) => byService.get(key(row));
}

const isSilent = ({ last_seen_at }: ServiceRow): boolean =>
  Date.now() - Date.parse(last_seen_at) > dayMs;

function columnsOf(goes: string, coverage: CoverageOf): TableColumn<ServiceRow>[] {
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
      width: 'minmax(110px, 2fr)',
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
      width: 'minmax(94px, 1fr)',
      value: ({ environment }) => environment,
      cell: ({ environment }) => <Name text={environment} empty={nothing} />,
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
      id: 'calls',
      header: 'Calls',
      about: 'calls in this time',
      width: '88px',
      isNumber: true,
      value: ({ calls }) => calls,
      cell: ({ calls }) => <Value of={calls} as={compact} />,
    },
    {
      id: 'without_route',
      header: 'No route',
      about:
        'share of the calls of the last days without a route, or with one guessed from the path',
      width: '96px',
      isNumber: true,
      value: (row) => coverage(row)?.without_route_pct ?? null,
      cell: (row) => <Value of={coverage(row)?.without_route_pct} as={percent} />,
    },
    {
      id: 'without_client',
      header: 'No client',
      about: 'share of the calls of the last days without an address',
      width: '96px',
      isNumber: true,
      value: (row) => coverage(row)?.without_client_pct ?? null,
      cell: (row) => <Value of={coverage(row)?.without_client_pct} as={percent} />,
    },
    {
      id: 'sampled',
      header: 'Sampled',
      about: 'whether only a sample of its calls is seen',
      width: '84px',
      value: (row) => (coverage(row)?.sampled ? 1 : 0),
      cell: (row) => (coverage(row)?.sampled ? 'yes' : 'no'),
    },
    {
      id: 'gaps',
      header: 'Gaps',
      about: 'how often observation was interrupted in its life, and the newest gap',
      width: 'minmax(70px, 0.8fr)',
      value: (row) => coverage(row)?.gap_count ?? null,
      cell: (row) => <Gaps of={coverage(row)} />,
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
      width: '116px',
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

/** "2, to 3 Nov 2026"; each gap in the title. */
function Gaps({ of: coverage }: { of: ServiceCoverage | undefined }) {
  if (coverage === undefined) return nothing;
  const last = coverage.gaps.at(-1);
  if (last === undefined) return 'none';
  const told = coverage.gaps.map(({ from, to }) => `${moment(from)} to ${moment(to)}`).join('; ');
  return (
    <span title={told}>
      {exact(coverage.gap_count)}, the last to {day(last.to)}
    </span>
  );
}
