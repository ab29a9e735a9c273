import type { CurvePoint } from '../api/answers.ts';
import { duration, roundDuration } from '../state/format.ts';
import { ChartFigure } from './chart-figure.tsx';
import styles from './percentile-curve.module.css';

const width = 480;
const height = 128;
const left = 52;
const bottom = 20;

/** How far the axis goes: 99.99 % is four nines. */
const ninesMost = 4;
const named = [0, 50, 90, 99, 99.9, 99.99];

/** Durations by percentile, both axes logarithmic: the tail gets as much room as the middle. */
export function PercentileCurve({ curve }: { curve: readonly CurvePoint[] }) {
  const points = curve.map(({ percentile, duration_ms }) => ({
    name: percentile === 0 ? 'min' : percentile === 100 ? 'max' : `p${percentile}`,
    percentile,
    // The last point has all nines: it ends the axis.
    share: Math.min(percentile / 100, 1 - 10 ** -ninesMost),
    ms: Math.max(duration_ms, 0.001),
  }));
  if (points.length === 0) return null;
  const low = 10 ** Math.floor(Math.log10(points[0]!.ms));
  const high = Math.max(low * 10, 10 ** Math.ceil(Math.log10(points.at(-1)!.ms)));
  const x = (share: number) => left + ((width - left - 16) * -Math.log10(1 - share)) / ninesMost;
  const y = (ms: number) =>
    height - bottom - ((height - bottom - 8) * Math.log10(ms / low)) / Math.log10(high / low);
  const line = points.map(({ share, ms }) => `${x(share).toFixed(1)} ${y(ms).toFixed(1)}`);
  const decades = Array.from(
    { length: Math.round(Math.log10(high / low)) + 1 },
    (_, power) => low * 10 ** power,
  );
  const table = {
    columns: ['percentile', 'duration'],
    rows: points.length,
    cell: (at: number, column: number) =>
      column === 0 ? points[at]!.name : duration(points[at]!.ms),
  };
  return (
    <ChartFigure name="Percentiles of the duration" table={table}>
      <svg viewBox={`0 0 ${width} ${height}`} className={styles.curve} aria-hidden="true">
        {decades.map((ms) => (
          <g key={ms}>
            <line x1={left} x2={width - 16} y1={y(ms)} y2={y(ms)} className={styles.grid} />
            <text x={left - 8} y={y(ms) + 4} textAnchor="end">
              {roundDuration(ms)}
            </text>
          </g>
        ))}
        {points.map(({ name, percentile, share, ms }) => (
          <g key={name}>
            <circle cx={x(share)} cy={y(ms)} r="2" className={styles.point} />
            {named.includes(percentile) && (
              <text x={x(share)} y={height - 5} textAnchor={percentile > 99.9 ? 'end' : 'middle'}>
                {name}
              </text>
            )}
          </g>
        ))}
        <path d={`M${line.join('L')}`} className={styles.line} />
      </svg>
    </ChartFigure>
  );
}
