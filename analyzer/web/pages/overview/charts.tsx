import { useMemo } from 'react';
import type { LatencyAnswer, SeriesPoint, Timeseries } from '../../api/answers.ts';
import { type SeriesQuestion, useTimeseries } from '../../api/queries.ts';
import { Heatmap } from '../../charts/heatmap.tsx';
import { PercentileCurve } from '../../charts/percentile-curve.tsx';
import { TimeChart, type TimeSeries } from '../../charts/time-chart.tsx';
import { Failure, Loading } from '../../parts/notice.tsx';
import { TabPanel } from '../../parts/panel.tsx';
import { compact, duration, roundDuration } from '../../state/format.ts';
import { type Axis, axisOf, column, intervalName } from './series.ts';

interface ChartProps {
  series: Pick<Timeseries, 'points' | 'window' | 'interval' | 'events'>;
  tz: string | undefined;
  onZoom?: ((fromS: number, toS: number) => void) | undefined;
  height?: number;
}

/** Calls, and how many of them were errors, as bars of each interval. */
export function CallsBars({ series, tz, onZoom, height = 190 }: ChartProps) {
  const axis = useMemo(() => axisOf(series), [series]);
  const lines = useMemo(() => callSeries(series.points), [series]);
  return (
    <TimeChart
      name={`Calls and errors, ${intervalName(series.interval)}`}
      {...axis}
      series={lines}
      format={compact}
      isWhole
      height={height}
      events={series.events}
      tz={tz}
      onZoom={onZoom}
    />
  );
}

/** Errors stand on top of the other calls. */
function callSeries(points: readonly SeriesPoint[]): TimeSeries[] {
  const calls = column(points, 'calls');
  const others = points.map((point) => point.calls - point.errors);
  const errors = column(points, 'errors');
  return [
    { name: 'other calls', color: 'ok', shape: 'bars', values: others },
    {
      name: 'errors (400 and above)',
      color: 'red',
      shape: 'bars',
      values: calls,
      base: others,
      told: errors,
    },
  ];
}

/** Three percentiles on a logarithmic axis. */
export function LatencyLines({ series, tz, onZoom, height = 190 }: ChartProps) {
  const axis = useMemo(() => axisOf(series), [series]);
  const lines = useMemo(() => latencySeries(series.points), [series]);
  return (
    <TimeChart
      name={`Latency, ${intervalName(series.interval)}`}
      {...axis}
      series={lines}
      format={duration}
      axisFormat={roundDuration}
      height={height}
      events={series.events}
      isLog
      tz={tz}
      onZoom={onZoom}
    />
  );
}

export function latencySeries(points: readonly SeriesPoint[]): TimeSeries[] {
  return [
    { name: 'p50', color: 'ok', shape: 'line', values: drawn(points, 'p50_duration_ms') },
    { name: 'p95', color: 'accent', shape: 'line', values: drawn(points, 'p95_duration_ms') },
    { name: 'p99', color: 'muted', shape: 'line', values: drawn(points, 'p99_duration_ms') },
  ];
}

/** The logarithm of 0 cannot be drawn: values below a microsecond are drawn as one. */
function drawn(
  points: readonly SeriesPoint[],
  field: 'p50_duration_ms' | 'p95_duration_ms' | 'p99_duration_ms',
): (number | null)[] {
  return column(points, field).map((ms) => (ms === null ? null : Math.max(ms, 0.001)));
}

/** What became of the calls, or their statuses, as bars on top of each other. */
export function GroupedBars({
  asked,
  by,
  tz,
  onZoom,
  height = 190,
}: {
  asked: SeriesQuestion;
  by: keyof typeof groupColors;
} & Omit<ChartProps, 'series'>) {
  const answer = useTimeseries({ ...asked, groupBy: by });
  if (answer.data === undefined) {
    if (answer.error) return <Failure error={answer.error} retry={() => answer.refetch()} />;
    return (
      <div style={{ minHeight: height + legendHeight }}>
        <Loading what="the chart" />
      </div>
    );
  }
  return <BarsByGroup series={answer.data} by={by} tz={tz} onZoom={onZoom} height={height} />;
}

/** @param series whose points have groups */
export function BarsByGroup({
  series,
  by,
  tz,
  onZoom,
  height = 190,
}: ChartProps & { by: keyof typeof groupColors }) {
  const made = useMemo(() => groupsOf(series, groupColors[by]), [series, by]);
  return (
    <TimeChart
      name={`${by === 'outcome' ? 'Outcomes' : 'Statuses'}, ${intervalName(series.interval)}`}
      {...made.axis}
      series={made.lines}
      format={compact}
      isWhole
      height={height}
      events={series.events}
      tz={tz}
      onZoom={onZoom}
    />
  );
}

/** So that nothing moves when the chart comes. */
const legendHeight = 36;

/** In the order of the stack, from below. */
const groupColors = {
  outcome: { answered: 'ok', refused: 'muted', missing: 'amber', failed: 'red' },
  status_class: {
    '1xx': 'faint',
    '2xx': 'ok',
    '3xx': 'accent',
    '4xx': 'amber',
    '5xx': 'red',
    none: 'muted',
  },
} as const satisfies Record<string, Record<string, TimeSeries['color']>>;

/** A group without calls has no series, and no place in the legend. */
function groupsOf(
  series: ChartProps['series'],
  colors: Record<string, TimeSeries['color']>,
): { axis: Axis; lines: TimeSeries[] } {
  const byGroup = Map.groupBy(series.points, ({ group }) => group);
  const [some = []] = byGroup.values();
  let below: readonly number[] = some.map(() => 0);
  const lines: TimeSeries[] = [];
  for (const [name, color] of Object.entries(colors)) {
    const points = byGroup.get(name);
    if (points === undefined) continue;
    const told = points.map(({ calls }) => calls);
    const base = below;
    const values = told.map((calls, index) => calls + base[index]!);
    lines.push({ name, color, shape: 'bars', values, base, told });
    below = values;
  }
  return { axis: axisOf({ ...series, points: some }), lines };
}

/** Percentiles over time; all calls by time and duration in another tab. */
export function LatencyChart(props: ChartProps & { latency: LatencyAnswer | undefined }) {
  const { latency, series, tz } = props;
  const hasHeatmap = latency !== undefined && latency.latency_heatmap.bounds_ms.length > 1;
  return (
    <TabPanel
      label="Latency"
      tabs={[
        {
          name: 'Latency',
          hint: 'of all calls, logarithmic',
          content: () => <LatencyLines {...props} />,
        },
        ...(hasHeatmap
          ? [
              {
                name: 'All calls',
                hint: 'by time and duration',
                content: () => (
                  <Heatmap
                    data={latency.latency_heatmap}
                    endMs={Date.parse(latency.window.to)}
                    events={series.events}
                    tz={tz}
                  />
                ),
              },
              {
                name: 'Percentiles',
                hint: 'of the whole time',
                content: () => <PercentileCurve curve={latency.percentile_curve} />,
              },
            ]
          : []),
      ]}
    />
  );
}
