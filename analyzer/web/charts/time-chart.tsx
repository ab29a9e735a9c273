import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { EventRow } from '../api/answers.ts';
import { browserZone, intervalStart } from '../state/format.ts';
import { dark, useMedia } from '../state/media.ts';
import { ChartFigure, LegendItem } from './chart-figure.tsx';
import { EventLegend, EventList } from './event-list.tsx';
import { drawEvents, eventsBetween, eventText } from './event-marks.ts';
import styles from './time-chart.module.css';

/** One line or row of bars over time. */
export interface TimeSeries {
  name: string;
  /** A colour of global.css, without its dashes. */
  color: 'accent' | 'faint' | 'ok' | 'amber' | 'red' | 'muted' | 'text';
  shape: 'area' | 'line' | 'dashed' | 'bars';
  values: readonly (number | null)[];
  /** Where bars begin, when they stand on others; 0 unless given. */
  base?: readonly (number | null)[];
  /** The texts of the table and the cursor, when they differ from the drawing. */
  told?: readonly (number | null)[];
}

export interface TimeChartProps {
  name: string;
  /** Starts of the intervals, in seconds, and the end of the last one. */
  starts: readonly number[];
  endS: number;
  series: readonly TimeSeries[];
  format: (value: number | null) => string;
  /** Shorter, for the axis; `format` unless given. */
  axisFormat?: (value: number) => string;
  height: number;
  /** Marked on the time axis, oldest first. */
  events?: readonly EventRow[] | undefined;
  /** Values are whole numbers, and so are those of the axis. */
  isWhole?: boolean;
  /** Logarithmic: for durations, which span decades. */
  isLog?: boolean;
  tz: string | undefined;
  /** Called with whole seconds when a range was dragged. */
  onZoom?: ((fromS: number, toS: number) => void) | undefined;
}

/** Charts of one page share their cursor. */
const cursor = uPlot.sync('time');

export function TimeChart(props: TimeChartProps) {
  const { name, starts, endS, series, format, height, tz, events = none } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [at, setAt] = useState<{ index: number; left: number } | undefined>();
  const isDark = useMedia(dark);
  const latest = useRef(props);
  latest.current = props;

  const data = useMemo(() => dataOf(starts, endS, series), [starts, endS, series]);
  // A new chart only for what cannot change in one: its kind of series and its colours.
  const kind = `${series.map(({ color, shape }) => color + shape).join()} ${props.isLog} ${tz} ${isDark}`;

  // `kind` stands for what the chart is made of
  useEffect(() => {
    const element = frame.current!;
    const made = new uPlot(optionsOf(latest, element, setAt), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: latest.current.height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [kind, height]);

  useEffect(() => {
    if (plot.current !== undefined && plot.current.data !== data) plot.current.setData(data);
  }, [data]);

  // Only after the first time, which the chart's own drawing has done
  useEffect(() => {
    if (plot.current?.status === 1) plot.current.redraw(false);
  }, [events]);

  const table = {
    columns: ['from', ...series.map((one) => one.name)],
    rows: starts.length,
    cell: (row: number, column: number) => {
      if (column === 0) return startText(starts, endS, row, tz);
      const { told, values } = series[column - 1]!;
      return format((told ?? values)[row] ?? null);
    },
  };
  const legend = series.map((one) => (
    <LegendItem key={one.name} color={one.color}>
      {one.name}
    </LegendItem>
  ));
  if (events.length > 0) legend.push(<EventLegend key="events" events={events} />);
  const under =
    at === undefined
      ? none
      : eventsBetween(events, starts[at.index] ?? 0, starts[at.index + 1] ?? endS);
  return (
    <ChartFigure
      name={name}
      table={table}
      legend={legend}
      notes={<EventList events={events} tz={tz} />}
    >
      <div className={styles.frame} style={{ height }} ref={frame}>
        {at !== undefined && at.index < starts.length && (
          <div
            className={styles.tip}
            aria-hidden="true"
            style={
              at.left > (frame.current?.clientWidth ?? 0) / 2
                ? { right: (frame.current?.clientWidth ?? 0) - at.left + 12 }
                : { left: at.left + 12 }
            }
          >
            <span>{startText(starts, endS, at.index, tz)}</span>
            {series.map(({ name: title, told, values }) => (
              <span key={title}>
                <b>{format((told ?? values)[at.index] ?? null)}</b> {title}
              </span>
            ))}
            {under.slice(0, 4).map((event) => (
              <span key={`${event.at} ${eventText(event)}`}>▲ {eventText(event)}</span>
            ))}
            {under.length > 4 && <span>and {under.length - 4} more</span>}
          </div>
        )}
      </div>
    </ChartFigure>
  );
}

const none: readonly EventRow[] = [];

function startText(
  starts: readonly number[],
  endS: number,
  row: number,
  tz: string | undefined,
): string {
  const startS = starts[row] ?? 0;
  const stepMs = ((starts[row + 1] ?? endS) - startS) * 1000;
  return intervalStart(startS * 1000, starts.length > 1 ? stepMs : 0, tz);
}

/** Bars fill their interval; points of lines stand at its start. A last point ends the axis. */
function dataOf(
  starts: readonly number[],
  endS: number,
  series: readonly TimeSeries[],
): uPlot.AlignedData {
  const columns = series.map(({ values }) => [...values, null]);
  return [[...starts, endS], ...columns] as uPlot.AlignedData;
}

function optionsOf(
  latest: { current: TimeChartProps },
  element: HTMLElement,
  setAt: (at: { index: number; left: number } | undefined) => void,
): uPlot.Options {
  const { series, isLog, isWhole, height, tz } = latest.current;
  const style = getComputedStyle(element);
  const color = (token: string) => style.getPropertyValue(`--${token}`).trim();
  const axis = {
    stroke: color('faint'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: color('grid'), width: 1 },
    ticks: { show: false },
    border: { show: false },
  };
  const zone = tz ?? browserZone;
  return {
    width: Math.max(120, element.clientWidth),
    height,
    padding: [12, 12, 0, 0],
    legend: { show: false },
    tzDate: (s) => uPlot.tzDate(new Date(s * 1000), zone),
    scales: {
      x: { range: (_plot, min, max) => [min, max] },
      y: isLog
        ? { distr: 3, range: (_plot, min, max) => logRange(min, max) }
        : { range: (_plot, _min, max) => [0, niceMax(max)] },
    },
    axes: [
      { ...axis, size: 26, gap: 6, space: 80, values: timeValues(zone) },
      {
        ...axis,
        size: 58,
        gap: 8,
        values: (_plot, ticks) =>
          ticks.map((tick) => (tick === null ? null : axisText(tick, latest, isLog))),
        ...(isLog && { splits: powers }),
        ...(isWhole && { incrs: wholeSteps }),
      },
    ],
    series: [
      {},
      ...series.map((one, index): uPlot.Series => {
        const stroke = color(one.color);
        const shared = { scale: 'y', points: { show: false }, spanGaps: false };
        if (one.shape === 'bars') {
          const paths = uPlot.paths.bars!({
            size: [0.9, 40],
            align: 1,
            ...standing(latest, index),
          });
          return { ...shared, stroke, fill: stroke, width: 0, paths };
        }
        return {
          ...shared,
          stroke,
          width: one.shape === 'dashed' ? 1 : 1.6,
          ...(one.shape === 'dashed' && { dash: [4, 4] }),
          ...(one.shape === 'area' && { fill: color('accent-soft') }),
          points: { show: true, filter: isolated, size: 4, fill: stroke, stroke },
        };
      }),
    ],
    cursor: {
      y: false,
      points: { size: 6, width: 1.5 },
      sync: { key: cursor.key, setSeries: false, scales: ['x', null] },
      drag: { x: latest.current.onZoom !== undefined, y: false, setScale: false, dist: 8 },
    },
    hooks: {
      draw: [
        (plot) =>
          mark(plot, latest.current.events ?? none, color('muted'), color('panel'), axis.font),
      ],
      setCursor: [
        (plot) => {
          const { idx, left = -1 } = plot.cursor;
          const isAway = idx === null || idx === undefined || left < 0;
          setAt(
            isAway ? undefined : { index: idx, left: left + plot.bbox.left / devicePixelRatio },
          );
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 8) return;
          const fromS = Math.floor(plot.posToVal(left, 'x'));
          const toS = Math.ceil(plot.posToVal(left + width, 'x'));
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          latest.current.onZoom?.(fromS, toS);
        },
      ],
    },
  };
}

function mark(
  plot: uPlot,
  events: readonly EventRow[],
  color: string,
  background: string,
  font: string,
): void {
  const scale = devicePixelRatio;
  drawEvents(events, {
    ...plot.bbox,
    pen: plot.ctx,
    scale,
    x: (seconds) => plot.valToPos(seconds, 'x', true),
    color,
    background,
    font: font.replace('11px', `${11 * scale}px`),
  });
}

/** Bars on top of others: from their base to their value. */
function standing(
  latest: { current: TimeChartProps },
  index: number,
): uPlot.Series.BarsPathBuilderOpts {
  if (latest.current.series[index]?.base === undefined) return {};
  const ends = (field: 'base' | 'values') => ({
    unit: 1,
    values: () => [...(latest.current.series[index]?.[field] ?? []), null].map((end) => end ?? 0),
  });
  return { disp: { y0: ends('base'), y1: ends('values') } as never };
}

/** Points between two gaps have no line: a dot shows each. */
function isolated(plot: uPlot, index: number): number[] {
  const values = plot.data[index] as readonly (number | null)[];
  const isThere = (at: number) => (values[at] ?? null) !== null;
  return values.flatMap((_value, at) =>
    isThere(at) && !isThere(at - 1) && !isThere(at + 1) ? [at] : [],
  );
}

/** The unit of the axis's own text is that of the values, in few characters. */
function axisText(
  tick: number,
  latest: { current: TimeChartProps },
  isLog: boolean | undefined,
): string {
  const { format, axisFormat = format } = latest.current;
  return isLog === true || tick !== 0 ? axisFormat(tick) : '0';
}

/** 1, 2, 5, 10, 20, … */
const wholeSteps = Array.from(
  { length: 36 },
  (_, n) => [1, 2, 5][n % 3]! * 10 ** Math.floor(n / 3),
);

function logRange(min: number, max: number): [number, number] {
  if (!(min > 0) || !(max > 0)) return [1, 1000];
  const low = 10 ** Math.floor(Math.log10(min));
  return [low, Math.max(low * 10, 10 ** Math.ceil(Math.log10(max * 1.0001)))];
}

/** A logarithmic axis has lines at the powers of ten only. */
function powers(_plot: uPlot, _axis: number, min: number, max: number): number[] {
  const first = Math.round(Math.log10(min));
  const count = Math.round(Math.log10(max)) - first + 1;
  return Array.from({ length: count }, (_, power) => 10 ** (first + power));
}

function niceMax(max: number): number {
  return max > 0 ? max * 1.06 : 1;
}

/** Dates under the axis; the time of day where a day has room for more than one. */
function timeValues(zone: string): uPlot.Axis.Values {
  const locale = navigator.languages.length > 0 ? [...navigator.languages] : undefined;
  const at = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
  const date = at({ weekday: 'short', day: 'numeric', month: 'short' });
  const month = at({ day: 'numeric', month: 'short' });
  const year = at({ month: 'short', year: 'numeric' });
  const time = at({ hour: '2-digit', minute: '2-digit' });
  return (plot, ticks) => {
    const [first = 0, last = 0] = [ticks[0], ticks.at(-1)];
    const step = ticks.length > 1 ? (ticks[1] ?? 0) - first : 0;
    const span = (plot.scales.x?.max ?? last) - (plot.scales.x?.min ?? first);
    return ticks.map((tick, index) => {
      const ms = tick * 1000;
      if (step >= 28 * 86_400) return year.format(ms);
      if (step >= 86_400) return (span > 21 * 86_400 ? month : date).format(ms);
      const day = date.format(ms);
      const isNewDay = index === 0 || date.format((ticks[index - 1] ?? 0) * 1000) !== day;
      return isNewDay && span > 86_400 ? day : time.format(ms);
    });
  };
}
