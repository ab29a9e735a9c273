import { useCallback, useMemo } from 'react';
import { Link, useLocation } from 'wouter';
import type { Report } from '../../api/answers.ts';
import {
  useComparedSummary,
  useComparedTimeseries,
  useLatency,
  useReport,
  useSummary,
  useTimeseries,
} from '../../api/queries.ts';
import { FilterBar, overviewChips } from '../../parts/filter-bar.tsx';
import { Failure, Loading, Notes, Notice, StaleBanner } from '../../parts/notice.tsx';
import { TabPanel } from '../../parts/panel.tsx';
import { type Choice, isChosen } from '../../state/choice.ts';
import { browserZone } from '../../state/format.ts';
import { comparedName, comparedShiftMs, intervalOf, isLike } from '../../state/period.ts';
import { usePageSearch, writeSearch } from '../../state/search.ts';
import { carriedWithSlice, type Slice, sliceNames, slicesOf } from '../../state/slice.ts';
import { GroupedBars, LatencyChart } from './charts.tsx';
import { Figures } from './figures.tsx';
import { CallerLists, EndpointLists, LifecycleLists } from './lists.tsx';
import styles from './overview.module.css';
import { intervalName } from './series.ts';
import { SliceOverview } from './slice-overview.tsx';

/** The first page, of all calls or of those of one caller or status. */
export function OverviewPage() {
  const [search] = usePageSearch();
  const [path, navigate] = useLocation();
  const zoom = useMemo(
    () => (fromS: number, toS: number) => {
      const period = { from: iso(fromS - (fromS % 60)), to: iso(Math.ceil(toS / 60) * 60) };
      const state = { zoomedFrom: search.period };
      navigate(path + writeSearch({ ...search, period }), { state });
    },
    [navigate, path, search],
  );
  const { method, route, status, owner } = search;
  const narrow = useCallback(
    (report: Report) => narrowedReport(report, { method, route, status, owner }),
    [method, route, status, owner],
  );
  const slices = slicesOf(search.calls);
  const [slice] = slices;
  if (slice === undefined) return <WholeOverview narrow={narrow} zoom={zoom} />;
  if (slices.length > 1) return <SeveralSlices slices={slices} />;
  return <SliceOverview slice={slice} narrow={narrow} onZoom={zoom} />;
}

/** Calls are counted by caller and by status, but not by both. */
function SeveralSlices({ slices }: { slices: readonly Slice[] }) {
  const [search] = usePageSearch();
  const names = slices.map(({ filter }) => sliceNames[filter]);
  return (
    <>
      <h1 className="visually-hidden">Overview</h1>
      <FilterBar withComparison chips={overviewChips} />
      <Notice title={`Calls are not counted by ${names.join(' and ')} together`}>
        <p>
          Take one of the filters off, or look at{' '}
          <Link href={`/calls${writeSearch(carriedWithSlice(search))}`}>the single calls</Link>.
        </p>
      </Notice>
    </>
  );
}

/** Five figures over one chart, what happened over time, and the endpoints to look at. */
function WholeOverview({
  narrow,
  zoom,
}: {
  narrow: (report: Report) => Report;
  zoom: (fromS: number, toS: number) => void;
}) {
  const [search] = usePageSearch();
  const tz = search.tz ?? browserZone;
  const summary = useSummary(search);
  const report = useReport(search);
  const before = useComparedSummary(search, summary.data, search.compare);
  const interval = intervalOf(search.period, Date.now());
  const asked = { ...search, tz, ...(interval && { interval }) };
  const series = useTimeseries(asked);
  const latency = useLatency(search);
  const seriesBefore = useComparedTimeseries(asked, series.data, search.compare);
  const narrowed = useMemo(() => report.data && narrow(report.data), [report.data, narrow]);
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
          <TabPanel
            label="Outcomes"
            tabs={(['outcome', 'status_class'] as const).map((by) => ({
              name: by === 'outcome' ? 'Outcomes' : 'Statuses',
              hint: `calls ${intervalName(series.data.interval)}`,
              content: () => <GroupedBars asked={asked} by={by} tz={search.tz} onZoom={zoom} />,
            }))}
          />
          <LatencyChart series={series.data} latency={latency.data} tz={search.tz} onZoom={zoom} />
        </div>
      )}
      <div className={styles.three}>
        <EndpointLists report={report} rows={narrowed?.endpoints ?? []} />
        <LifecycleLists report={report} rows={narrowed?.endpoints ?? []} />
        <CallerLists summary={summary.data} />
      </div>
    </>
  );
}

/** The report is of whole services: what else narrows the page is taken from its rows here. */
function narrowedReport(report: Report, choice: Choice): Report {
  const endpoints = report.endpoints.filter(isChosen(choice));
  if (endpoints.length === report.endpoints.length) return report;
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
