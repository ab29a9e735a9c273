import type { EndpointRow } from '../api/answers.ts';
import { duration, roundDuration } from '../state/format.ts';
import { ChartFigure } from './chart-figure.tsx';
import styles from './percentile-curve.module.css';

const width = 480;
const height = 128;
const left = 52;
const bottom = 20;

/** Durations by percentile, both axes logarithmic: the tail gets as much room as the middle. */
export function PercentileCurve({ row }: { row: EndpointRow }) {
  const known: [string, number, number | null][] = [
    ['min', 0, row.min_duration_ms],
    ['p50', 0.5, row.p50_duration_ms],
    ['p75', 0.75, row.p75_duration_ms],
    ['p90', 0.9, row.p90_duration_ms],
    ['p95', 0.95, row.p95_duration_ms],
    ['p99', 0.99, row.p99_duration_ms],
    ['max', 0.999, row.max_duration_ms],
  ];
  const points = known.flatMap(([name, share, ms]) =>
    ms === null ? [] : [{ name, share, ms: Math.max(ms, 0.001) }],
  );
  if (points.length === 0) return null;
  const low = 10 ** Math.floor(Math.log10(points[0]!.ms));
  const high = Math.max(low * 10, 10 ** Math.ceil(Math.log10(points.at(-1)!.ms)));
  const x = (share: number) => left + ((width - left - 16) * -Math.log10(1 - share)) / 3;
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
        {points.map(({ name, share, ms }) => (
          <g key={name}>
            <circle cx={x(share)} cy={y(ms)} r="2.4" className={styles.point} />
            <text x={x(share)} y={height - 5} textAnchor="middle">
              {name}
            </text>
          </g>
        ))}
        <path d={`M${line.join('L')}`} className={styles.line} />
      </svg>
    </ChartFigure>
  );
}
