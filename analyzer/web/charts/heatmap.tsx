import { type PointerEvent, useEffect, useRef, useState } from 'react';
import type { EventRow, Heatmap as HeatmapData } from '../api/answers.ts';
import { exact, intervalStart, plural, roundDuration } from '../state/format.ts';
import { dark, useMedia } from '../state/media.ts';
import { ChartFigure } from './chart-figure.tsx';
import { EventLegend, EventList } from './event-list.tsx';
import { drawEvents } from './event-marks.ts';
import styles from './heatmap.module.css';

const height = 170;
const left = 62;
const bottom = 22;
const top = 8;
const right = 12;

interface Cell {
  column: number;
  row: number;
}

/** Calls by time and duration: darker is more. The rows are powers of 2 wide, so the axis is logarithmic. */
export function Heatmap({
  data,
  endMs,
  tz,
  events = none,
}: {
  data: HeatmapData;
  /** Marked on the time axis, oldest first. */
  events?: readonly EventRow[] | undefined;
  endMs: number;
  tz: string | undefined;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<Cell | undefined>();
  const isDark = useMedia(dark);
  // The colours are those of the scheme.
  useEffect(() => {
    const element = canvas.current!;
    const paint = () => draw(element, data, { endMs, tz, isDark, events });
    const observer = new ResizeObserver(paint);
    observer.observe(element);
    return () => observer.disconnect();
  }, [data, endMs, tz, isDark, events]);

  const startMs = (column: number) => Date.parse(data.starts[column] ?? '');
  const stepMs = data.starts.length > 1 ? startMs(1) - startMs(0) : endMs - startMs(0);
  const rowText = (row: number) =>
    `${roundDuration(rounded(data.bounds_ms[row]!))} to ${roundDuration(rounded(data.bounds_ms[row + 1]!))}`;
  // A cell without a call is not worth a line.
  const cells = data.counts.flatMap((counts, column) =>
    counts.flatMap((count, row) => (count === 0 ? [] : [{ column, row, count }])),
  );
  const table = {
    columns: ['from', 'duration', 'calls'],
    rows: cells.length,
    cell: (index: number, column: number) => {
      const cell = cells[index]!;
      if (column === 0) return intervalStart(startMs(cell.column), stepMs, tz);
      return column === 1 ? rowText(cell.row) : exact(cell.count);
    },
  };
  const point = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left - left) / (box.width - left - right);
    const y = (box.bottom - bottom - event.clientY) / (height - top - bottom);
    const isInside = x >= 0 && x < 1 && y >= 0 && y < 1;
    const rows = data.bounds_ms.length - 1;
    setAt(
      isInside
        ? { column: Math.floor(x * data.starts.length), row: Math.floor(y * rows) }
        : undefined,
    );
  };
  const shown = at && data.counts[at.column]?.[at.row];
  return (
    <ChartFigure
      name="Calls by time and duration"
      table={table}
      legend={
        <>
          <span>darker is more</span>
          {events.length > 0 && <EventLegend events={events} />}
        </>
      }
      notes={<EventList events={events} tz={tz} />}
    >
      <div className={styles.frame} style={{ height }}>
        <canvas
          ref={canvas}
          className={styles.canvas}
          onPointerMove={point}
          onPointerLeave={() => setAt(undefined)}
        />
        {at !== undefined && shown !== undefined && (
          <div className={styles.tip} aria-hidden="true">
            {intervalStart(startMs(at.column), stepMs, tz)}, {rowText(at.row)}:{' '}
            <b>{plural(shown, 'call')}</b>
          </div>
        )}
      </div>
    </ChartFigure>
  );
}

/** Powers of the root of 2 have endless digits. */
const rounded = (ms: number): number => Number(ms.toPrecision(2));

const none: readonly EventRow[] = [];

interface Drawing {
  endMs: number;
  tz: string | undefined;
  isDark: boolean;
  events: readonly EventRow[];
}

function draw(
  element: HTMLCanvasElement,
  { starts, bounds_ms: bounds, counts }: HeatmapData,
  { endMs, tz, isDark, events }: Drawing,
): void {
  const scale = window.devicePixelRatio;
  const width = element.clientWidth;
  element.width = width * scale;
  element.height = height * scale;
  const pen = element.getContext('2d')!;
  const style = getComputedStyle(element);
  const color = (token: string) => style.getPropertyValue(`--${token}`).trim();
  pen.scale(scale, scale);
  const rows = bounds.length - 1;
  const most = counts.flat().reduce((a, b) => Math.max(a, b), 1);
  const [plotWidth, plotHeight] = [width - left - right, height - top - bottom];
  const y = (row: number) => top + plotHeight * (1 - row / rows);
  const x = (column: number) => left + (plotWidth * column) / starts.length;
  pen.font = `11px ${style.fontFamily}`;
  pen.fillStyle = color('faint');
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  for (let row = 0; row <= rows; row += Math.max(1, Math.ceil(rows / 6))) {
    pen.fillText(roundDuration(rounded(bounds[row]!)), left - 8, y(row));
  }
  pen.textAlign = 'center';
  const date = new Intl.DateTimeFormat(navigator.languages as string[], {
    ...(starts.length > 1 && Date.parse(starts.at(-1)!) - Date.parse(starts[0]!) > 2 * 86_400_000
      ? { day: 'numeric', month: 'short' }
      : { hour: '2-digit', minute: '2-digit' }),
    ...(tz !== undefined && { timeZone: tz }),
  });
  const every = Math.max(1, Math.ceil((starts.length * 90) / plotWidth));
  for (let column = every >> 1; column < starts.length; column += every) {
    pen.fillText(date.format(Date.parse(starts[column]!)), x(column), height - 9);
  }
  pen.fillStyle = color('accent');
  counts.forEach((column, index) => {
    column.forEach((count, row) => {
      if (count === 0) return;
      // The square root lets a single call be seen beside a thousand.
      pen.globalAlpha = (isDark ? 0.18 : 0.14) + 0.82 * Math.sqrt(count / most);
      pen.fillRect(x(index), y(row + 1), x(index + 1) - x(index) - 0.5, y(row) - y(row + 1) - 0.5);
    });
  });
  pen.globalAlpha = 1;
  const startMs = Date.parse(starts[0] ?? '');
  const stepMs = (starts[1] === undefined ? endMs : Date.parse(starts[1])) - startMs;
  drawEvents(events, {
    pen,
    left,
    top: 0,
    width: plotWidth,
    height: top + plotHeight,
    scale: 1,
    x: (seconds) => x((seconds * 1000 - startMs) / stepMs),
    color: color('muted'),
    background: color('panel'),
    font: pen.font,
  });
}
