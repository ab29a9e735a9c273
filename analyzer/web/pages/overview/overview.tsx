import { useMemo } from 'react';
import { useLocation } from 'wouter';
import type { Report } from '../../api/answers.ts';
import {
  useComparedSummary,
  useComparedTimeseries,
  useLatency,
  useReport,
  useSummary,
  useTimeseries,
} from '../../api/queries.ts';
import { FilterBar } from '../../parts/filter-bar.tsx';
import { Failure, Loading, Notes, StaleBanner } from '../../parts/notice.tsx';
import { Panel } from '../../parts/panel.tsx';
import { browserZone } from '../../state/format.ts';
import { comparedName, comparedShiftMs, intervalOf, isLike } from '../../state/period.ts';
import { usePageSearch, writeSearch } from '../../state/search.ts';
import { LatencyChart, OutcomesChart } from './charts.tsx';
import { Figures } from './figures.tsx';
import { CallerLists, EndpointLists, LifecycleLists } from './lists.tsx';
import styles from './overview.module.css';

/** The first page: five figures over one chart, what happened over time, and the endpoints to look at. */
export function OverviewPage() {
  const [search] = usePageSearch();
  const [path, navigate] = useLocation();
  const tz = search.tz ?? browserZone;
  const summary = useSummary(search);
  const report = useReport(search);
  const before = useComparedSummary(search, summary.data, search.compare);
  const interval = intervalOf(search.period, Date.now());
  const asked = { ...search, tz, ...(interval && { interval }) };
  const series = useTimeseries(asked);
  const latency = useLatency(search);
  const outcomes = useTimeseries({ ...asked, groupBy: 'outcome' });
  const seriesBefore = useComparedTimeseries(asked, series.data, search.compare);
  const zoom = useMemo(
    () => (fromS: number, toS: number) => {
      const period = { from: iso(fromS - (fromS % 60)), to: iso(Math.ceil(toS / 60) * 60) };
      const state = { zoomedFrom: search.period };
      navigate(path + writeSearch({ ...search, period }), { state });
    },
    [navigate, path, search],
  );
  const { method } = search;
  const narrowed = useMemo(
    () => (report.data === undefined ? undefined : ofMethod(report.data, method)),
    [report.data, method],
  );
  if (summary.data === undefined) {
    return (
      <>
        <FilterBar withComparison />
        {summary.error ? (
          <Failure error={summary.error} retry={() => summary.refetch()} />
        ) : (
          <Loading what="the overview" />
        )}
      </>
    );
  }
  const compared =
    search.compare === 'off' ||
    before.data === undefined ||
    !isLike(before.data.window, summary.data.window)
      ? undefined
      : {
          name: comparedName(search.period, search.compare),
          shiftMs: comparedShiftMs(search.period, search.compare),
          summary: before.data,
        };
  const isCompared = search.compare !== 'off' && !seriesBefore.error;
  return (
    <>
      <h1 className="visually-hidden">Overview</h1>
      <FilterBar withComparison updatedMs={summary.dataUpdatedAt} />
      {summary.error && <StaleBanner error={summary.error} updatedMs={summary.dataUpdatedAt} />}
      <Notes notes={summary.data.notes} />
      <Figures
        summary={summary.data}
        compared={compared}
        report={narrowed}
        series={series.data}
        seriesBefore={isCompared ? seriesBefore.data : undefined}
        onZoom={zoom}
      />
      {series.data && (
        <div className={styles.two}>
          {outcomes.data ? (
            <OutcomesChart series={outcomes.data} tz={search.tz} onZoom={zoom} />
          ) : (
            <Panel title="Outcomes">
              <Loading what="the outcomes" />
            </Panel>
          )}
          <LatencyChart series={series.data} latency={latency.data} tz={search.tz} onZoom={zoom} />
        </div>
      )}
      <div className={styles.three}>
        <EndpointLists report={report} />
        <LifecycleLists report={report} />
        <CallerLists summary={summary.data} />
      </div>
    </>
  );
}

/** The report is narrowed by service and environment; counts of its rows follow the method here. */
function ofMethod(report: Report, method: string | undefined): Report {
  if (method === undefined) return report;
  const endpoints = report.endpoints.filter((row) => row.method === method);
  const count = (status: string) => endpoints.filter((row) => row.status === status).length;
  const summary = {
    ...report.summary,
    total_endpoints: endpoints.filter(({ status }) => status !== null).length,
    active: count('active'),
    cold: count('cold'),
    dead: count('dead'),
    never_called: count('never_called'),
  };
  return { ...report, endpoints, summary };
}

const iso = (s: number): string => new Date(s * 1000).toISOString();
