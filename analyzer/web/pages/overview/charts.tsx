import { useMemo } from 'react';
import type { SeriesPoint, Timeseries } from '../../api/answers.ts';
import { TimeChart, type TimeSeries } from '../../charts/time-chart.tsx';
import { Panel } from '../../parts/panel.tsx';
import { compact, duration, roundDuration } from '../../state/format.ts';
import { axisOf, column, intervalName } from './series.ts';

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

export function CallsChart(props: ChartProps) {
  return (
    <Panel title="Calls and errors" hint={intervalName(props.series.interval)}>
      <CallsBars {...props} />
    </Panel>
  );
}

export function LatencyChart(props: ChartProps) {
  return (
    <Panel title="Latency" hint="of all calls, logarithmic">
      <LatencyLines {...props} />
    </Panel>
  );
}
