import { useMemo } from 'react';
import { Link } from 'wouter';
import type { DeadHistory, Report, Summary, Timeseries } from '../../api/answers.ts';
import { useDeadHistory } from '../../api/queries.ts';
import { ShareBar } from '../../charts/share-bar.tsx';
import { TimeChart, type TimeSeries } from '../../charts/time-chart.tsx';
import { Value } from '../../parts/figure-value.tsx';
import { Loading } from '../../parts/notice.tsx';
import { Rank } from '../../parts/rank.tsx';
import { StatusWord, statusWord } from '../../parts/status.tsx';
import {
  compact,
  day,
  duration,
  exact,
  percent,
  roundDuration,
  roundPercent,
  signed,
} from '../../state/format.ts';
import {
  carried,
  type Figure,
  type Search,
  statuses,
  usePageSearch,
  writeSearch,
} from '../../state/search.ts';
import { slicesOf } from '../../state/slice.ts';
import { latencySeries } from './charts.tsx';
import styles from './figures.module.css';
import type { FiguresProps } from './figures-props.ts';
import { axisOf, beside, column, intervalName } from './series.ts';
import { NotKept, useClientItem } from './slice-items.tsx';

const height = 270;

/** What the chosen figure was over time; what has no series is shown by its parts. */
export function LargeChart({
  figure,
  series,
  seriesBefore,
  compared,
  summary,
  report,
  unknown,
  onZoom,
}: FiguresProps & { figure: Figure }) {
  const [search] = usePageSearch();
  const axis = useMemo(() => series && axisOf(series), [series]);
  const { name: beforeName, shiftMs = 0 } = compared ?? {};
  const lines = useMemo(
    () => (series === undefined ? [] : linesOf(figure, series, seriesBefore, beforeName, shiftMs)),
    [figure, series, seriesBefore, beforeName, shiftMs],
  );
  const why = unknown?.[figure];
  if (why !== undefined) {
    return (
      <div className={styles.inPlace}>
        <NotKept why={why} />
      </div>
    );
  }
  if (figure === 'clients') return <TopClients summary={summary} />;
  if (figure === 'endpoints') return report ? <Statuses report={report} /> : null;
  if (series === undefined || axis === undefined) {
    return (
      <div className={styles.waiting}>
        <Loading what="the chart" />
      </div>
    );
  }
  const name = { requests: 'Requests', errors: 'Error rate', p95: 'Latency' }[figure];
  return (
    <TimeChart
      name={`${name}, ${intervalName(series.interval)}`}
      {...axis}
      series={lines}
      format={{ requests: compact, errors: percent, p95: duration }[figure]}
      isWhole={figure === 'requests'}
      {...(figure === 'p95' && { axisFormat: roundDuration, isLog: true })}
      {...(figure === 'errors' && { axisFormat: roundPercent })}
      height={height}
      events={series.events}
      tz={search.tz}
      onZoom={onZoom}
    />
  );
}

function linesOf(
  figure: Figure,
  now: Timeseries,
  before: Timeseries | undefined,
  beforeName: string | undefined,
  shiftMs: number,
): TimeSeries[] {
  if (figure === 'p95') return latencySeries(now.points);
  const field = figure === 'errors' ? 'error_rate_pct' : 'calls';
  const name = figure === 'errors' ? 'error rate' : 'requests';
  const values = column(now.points, field);
  const lines: TimeSeries[] = [{ name, color: 'accent', shape: 'area', values }];
  if (before !== undefined && beforeName !== undefined) {
    const earlier = column(beside(now, before, shiftMs), field);
    lines.push({ name: beforeName, color: 'faint', shape: 'dashed', values: earlier });
  }
  return lines;
}

/** There is no series of distinct clients: they are shown by what they sent. */
function TopClients({ summary }: { summary: Summary }) {
  const item = useClientItem();
  const { total_requests: whole } = summary.summary;
  return (
    <div className={styles.inPlace}>
      <h2>Busiest addresses</h2>
      <Rank
        empty="No call of this time tells where it came from."
        items={summary.top_ips.slice(0, 8).map(({ ip, requests, errors }) => ({
          ...item(ip),
          value: (
            <>
              <Value of={requests} as={compact} />
              {errors > 0 && <small>{` · ${exact(errors)} errors`}</small>}
            </>
          ),
          share: requests / Math.max(1, whole),
        }))}
      />
    </div>
  );
}

type DayOfStatuses = DeadHistory['days'][number];

/**
 * The states of the whole project as the window began, by the daily snapshot of that day or the last one before it.
 * Undefined where the page is narrowed, since snapshots count whole projects, and where there is none so old.
 */
function useStatusesBefore(search: Search, report: Report): DayOfStatuses | undefined {
  const { service, environment, method, route, status, owner } = search;
  const isNarrowed =
    [service, environment, method, route, owner].some((filter) => filter !== undefined) ||
    status.length > 0 ||
    slicesOf(search.calls).length > 0;
  const isShown = search.compare !== 'off' && !isNarrowed;
  const days = useDeadHistory(isShown).data?.days;
  if (!isShown) return undefined;
  return days?.findLast((one) => one.day <= report.window.from.slice(0, 10));
}

const changeText = (change: number): string => (change === 0 ? '±0' : signed(change, exact));

function Statuses({ report }: { report: Report }) {
  const [search, change] = usePageSearch();
  const earlier = useStatusesBefore(search, report);
  const counts = statuses.flatMap((status) => {
    const count = report.endpoints.filter((row) => row.status === status).length;
    return count === 0 ? [] : [{ key: status, name: statusWord(status), count }];
  });
  return (
    <div className={styles.inPlace}>
      <h2>Endpoints by status</h2>
      <ShareBar parts={counts} label="endpoints" />
      <ul className={styles.statuses}>
        {counts.map(({ key, count }) => (
          <li key={key}>
            <button type="button" onClick={() => change({ status: [key] })}>
              <StatusWord status={key} quiet={false} /> <b>{exact(count)}</b>
            </button>
            {earlier && <small>{changeText(count - earlier[key])}</small>}
          </li>
        ))}
      </ul>
      {earlier && <p className={styles.all}>Against the states of {day(earlier.day)}.</p>}
      <p className={styles.all}>
        <Link href={`/endpoints${writeSearch(carried(search))}`}>All of them in one table</Link>
      </p>
    </div>
  );
}
