import { useMemo } from 'react';
import { useLocation } from 'wouter';
import {
  useComparedSummary,
  useComparedTimeseries,
  useReport,
  useSummary,
  useTimeseries,
} from '../../api/queries.ts';
import { FilterBar } from '../../parts/filter-bar.tsx';
import { Failure, Loading, Notes, StaleBanner } from '../../parts/notice.tsx';
import { browserZone } from '../../state/format.ts';
import { comparedName, comparedShiftMs, intervalOf, isLike } from '../../state/period.ts';
import { usePageSearch, writeSearch } from '../../state/search.ts';
import { CallsChart, LatencyChart } from './charts.tsx';
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
  const seriesBefore = useComparedTimeseries(asked, series.data, search.compare);
  const zoom = useMemo(
    () => (fromS: number, toS: number) => {
      const period = { from: iso(fromS - (fromS % 60)), to: iso(Math.ceil(toS / 60) * 60) };
      const state = { zoomedFrom: search.period };
      navigate(path + writeSearch({ ...search, period }), { state });
    },
    [navigate, path, search],
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
        report={report.data}
        series={series.data}
        seriesBefore={isCompared ? seriesBefore.data : undefined}
        onZoom={zoom}
      />
      {series.data && (
        <div className={styles.two}>
          <CallsChart series={series.data} tz={search.tz} onZoom={zoom} />
          <LatencyChart series={series.data} tz={search.tz} onZoom={zoom} />
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

const iso = (s: number): string => new Date(s * 1000).toISOString();
