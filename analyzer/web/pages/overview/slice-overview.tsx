import { useMemo } from 'react';
import type { Report, ReportRow, SeriesPoint, Summary, Timeseries } from '../../api/answers.ts';
import { useReport } from '../../api/queries.ts';
import { type SliceAnswer, type SliceCounts, useComparedSlice, useSlice } from '../../api/slice.ts';
import { Value } from '../../parts/figure-value.tsx';
import { FilterBar, overviewChips } from '../../parts/filter-bar.tsx';
import { Failure, Loading, Notes, StaleBanner } from '../../parts/notice.tsx';
import { Panel, TabPanel } from '../../parts/panel.tsx';
import { Rank } from '../../parts/rank.tsx';
import { Name } from '../../parts/route.tsx';
import { browserZone, compact, exact, percent } from '../../state/format.ts';
import { comparedName, comparedShiftMs, intervalOf, isLike } from '../../state/period.ts';
import { type Figure, usePageSearch } from '../../state/search.ts';
import { type Slice, sliceNames } from '../../state/slice.ts';
import { BarsByGroup } from './charts.tsx';
import { Figures } from './figures.tsx';
import { LifecycleLists, useItem } from './lists.tsx';
import styles from './overview.module.css';
import { intervalName } from './series.ts';
import { NotKept } from './slice-items.tsx';

const outcomes = ['answered', 'refused', 'missing', 'failed'] as const;
const rowsMost = 8;

/**
 * The overview of one client, one consumer or one status: all that is counted of it, and in words what is not.
 * @param rows what the page's other filters leave of the endpoints
 */
export function SliceOverview({
  slice,
  narrow,
  onZoom,
}: {
  slice: Slice;
  narrow: (report: Report) => Report;
  onZoom: (fromS: number, toS: number) => void;
}) {
  const [search, change] = usePageSearch();
  const interval = intervalOf(search.period, Date.now());
  const asked = { ...search, tz: search.tz ?? browserZone, ...(interval && { interval }) };
  const answer = useSlice(asked, slice);
  const before = useComparedSlice(asked, slice, answer.data, search.compare);
  const report = useReport(search);
  const now = answer.data;
  const rows = useMemo(
    () => (now && report.data ? calledRows(narrow(report.data), now) : []),
    [now, report.data, narrow],
  );
  const series = useMemo(() => now && seriesOf(now), [now]);
  const byOutcome = useMemo(() => now && outcomesOf(now), [now]);
  const item = useItem(rows);
  if (now === undefined || series === undefined || byOutcome === undefined) {
    return (
      <>
        <FilterBar withComparison chips={overviewChips} />
        {answer.error ? (
          <Failure error={answer.error} retry={() => answer.refetch()} />
        ) : (
          <Loading what="the overview" />
        )}
      </>
    );
  }
  const { compare, period } = search;
  const earlier = compare === 'off' ? undefined : before.data;
  const compared = earlier &&
    compare !== 'off' &&
    isLike(earlier.window, now.window) && {
      name: comparedName(period, compare),
      shiftMs: comparedShiftMs(period, compare),
      summary: summaryOf(earlier, slice),
    };
  const listed = { ...now, summary: reportSummary(rows), endpoints: rows, next_cursor: null };
  const name = sliceNames[slice.filter];
  const called = rows.filter(({ total_calls }) => total_calls > 0);
  const failing = rows.filter(({ failed_count }) => failed_count > 0);
  return (
    <>
      <h1 className="visually-hidden">Overview</h1>
      <FilterBar withComparison chips={overviewChips} updatedMs={answer.dataUpdatedAt} />
      {answer.error && <StaleBanner error={answer.error} updatedMs={answer.dataUpdatedAt} />}
      <Notes notes={now.notes} />
      {now.other_calls > 0 && (
        <p className={styles.about}>
          {exact(now.other_calls)} calls are of the rarest callers of an endpoint with too many,
          which are counted together: some may be of this {name}.
        </p>
      )}
      <Figures
        summary={summaryOf(now, slice)}
        compared={compared || undefined}
        report={listed}
        series={series}
        seriesBefore={
          compared && earlier?.interval === now.interval ? seriesOf(earlier) : undefined
        }
        unknown={unknownOf(slice)}
        onZoom={onZoom}
      />
      <div className={styles.two}>
        <Panel title="Outcomes" hint={`calls ${intervalName(now.interval)}`}>
          <BarsByGroup series={byOutcome} by="outcome" tz={search.tz} onZoom={onZoom} />
        </Panel>
        <Panel title="Latency">
          <NotKept why={unknownOf(slice).p95!} />
        </Panel>
      </div>
      <div className={styles.three}>
        <TabPanel
          label="Endpoints to look at"
          tabs={[
            {
              name: 'Busiest',
              hint: `calls of this ${name}`,
              content: () => (
                <Rank
                  empty="No endpoint was called in this time."
                  items={called
                    .slice(0, rowsMost)
                    .map((row) =>
                      item(
                        row,
                        <Value of={row.total_calls} as={compact} />,
                        row.total_calls / now.slice.calls,
                      ),
                    )}
                />
              ),
            },
            {
              name: 'Most failing',
              hint: 'calls that failed',
              content: () => (
                <Rank
                  empty="No call of this time failed."
                  items={failing
                    .toSorted((a, b) => b.failed_count - a.failed_count)
                    .slice(0, rowsMost)
                    .map((row) => {
                      const share = row.failed_count / row.total_calls;
                      const value = (
                        <>
                          <Value of={row.failed_count} as={compact} />
                          {` · ${percent(100 * share)}`}
                        </>
                      );
                      return { ...item(row, value, share), bad: true };
                    })}
                />
              ),
            },
          ]}
        />
        <LifecycleLists report={report} rows={rows} />
        <TabPanel
          label="Callers and answers"
          tabs={[
            {
              name: 'Outcomes',
              hint: 'calls',
              content: () => (
                <Rank
                  empty="No call in this time."
                  items={outcomes
                    .filter((outcome) => now.slice[`${outcome}_count`] > 0)
                    .map((outcome) => ({
                      key: outcome,
                      name: outcome,
                      value: <Value of={now.slice[`${outcome}_count`]} as={compact} />,
                      share: now.slice[`${outcome}_count`] / now.slice.calls,
                      bad: outcome === 'failed',
                    }))}
                />
              ),
            },
            {
              name: 'Methods',
              hint: 'calls',
              content: () => (
                <Rank
                  empty="No call in this time."
                  items={methodsOf(now).map(([method, calls]) => ({
                    key: method,
                    name: (
                      <button type="button" onClick={() => change({ method })}>
                        <Name text={method} />
                      </button>
                    ),
                    value: <Value of={calls} as={compact} />,
                    share: calls / now.slice.calls,
                  }))}
                />
              ),
            },
          ]}
        />
      </div>
    </>
  );
}

/** Figures that are not kept of a slice. */
function unknownOf({ filter }: Slice): Partial<Record<Figure, string>> {
  const by = filter === 'http' ? 'status' : filter === 'client' ? 'client' : 'consumer';
  return {
    p95: `durations not kept by ${by}`,
    ...(filter !== 'client' && { clients: `addresses not kept by ${by}` }),
  };
}

function summaryOf(answer: SliceAnswer, { filter, value }: Slice): Summary {
  const { slice, endpoints: _, points: __, events: ___, ...head } = answer;
  const isClient = filter === 'client' && slice.calls > 0;
  return {
    ...head,
    summary: {
      total_requests: slice.calls,
      unique_ips: filter === 'client' ? Number(isClient) : null,
      called_endpoints: slice.endpoints,
      avg_response_time_ms: null,
      min_response_time_ms: null,
      max_response_time_ms: null,
      p95_response_time_ms: null,
      error_rate_pct: slice.error_rate_pct,
    },
    previous: null,
    method_usage: {},
    status_codes: {},
    top_ips: isClient ? [{ ip: value, requests: slice.calls, errors: slice.errors }] : [],
  };
}

const seriesOf = (answer: SliceAnswer): Timeseries => ({
  ...answer,
  points: answer.points.map((point) => pointOf(point.timestamp, point)),
});

/** One series for each outcome. */
function outcomesOf(answer: SliceAnswer): Timeseries {
  const used = outcomes.filter((outcome) => answer.slice[`${outcome}_count`] > 0);
  const points = (used.length === 0 ? (['answered'] as const) : used).flatMap((outcome) =>
    answer.points.map((point) => ({
      ...pointOf(point.timestamp, point),
      calls: point[`${outcome}_count`],
      group: outcome,
    })),
  );
  return { ...answer, points };
}

function pointOf(timestamp: string, { calls, errors, error_rate_pct }: SliceCounts): SeriesPoint {
  return {
    timestamp,
    calls,
    errors,
    error_rate_pct,
    error_4xx_count: null,
    error_5xx_count: null,
    avg_duration_ms: null,
    p50_duration_ms: null,
    p95_duration_ms: null,
    p99_duration_ms: null,
  };
}

/** Rows of the endpoints that the slice called, with its own calls; most first. */
function calledRows({ endpoints }: Report, { endpoints: called }: SliceAnswer): ReportRow[] {
  const rows = new Map(endpoints.map((row) => [row.id, row]));
  return called.flatMap(({ id, calls, failed_count }) => {
    const row = rows.get(id);
    return row ? [{ ...row, total_calls: calls, failed_count, p95_duration_ms: null }] : [];
  });
}

function reportSummary(rows: readonly ReportRow[]): Report['summary'] {
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  return {
    total_endpoints: rows.filter(({ status }) => status !== null).length,
    total_requests: 0,
    active: count('active'),
    cold: count('cold'),
    dead: count('dead'),
    never_called: count('never_called'),
  };
}

/** Most used method first. */
function methodsOf({ endpoints }: SliceAnswer): [string, number][] {
  const sums = new Map<string, number>();
  for (const { method, calls } of endpoints) sums.set(method, (sums.get(method) ?? 0) + calls);
  return [...sums].sort(([, a], [, b]) => b - a);
}
