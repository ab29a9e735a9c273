import type { DeadHistory } from '../api/answers.ts';
import { day, exact, plural } from '../state/format.ts';
import styles from './burn-down.module.css';
import { ChartFigure } from './chart-figure.tsx';

const width = 280;
const height = 52;
const dayMs = 86_400_000;

/** Dead and never called endpoints day by day, of the whole project: how removal gets on. */
export function BurnDown({ days }: DeadHistory) {
  const counts = days.map(({ dead, never_called }) => dead + never_called);
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return null;
  const [fromMs, toMs] = [Date.parse(first.day), Date.parse(last.day)];
  const most = Math.max(1, ...counts);
  const x = (ms: number) => (toMs === fromMs ? width : (width * (ms - fromMs)) / (toMs - fromMs));
  const y = (count: number) => 4 + (height - 8) * (1 - count / most);
  const line = days
    .map(({ day: at }, index) => {
      const point = `${x(Date.parse(at)).toFixed(1)} ${y(counts[index]!).toFixed(1)}`;
      return `${index === 0 ? 'M' : 'L'}${point}`;
    })
    .join('');
  const now = counts.at(-1)!;
  const ageDays = Math.round((toMs - fromMs) / dayMs);
  return (
    <ChartFigure
      name="Dead and never called endpoints, by the day"
      table={{
        columns: ['day', 'dead', 'never called'],
        rows: days.length,
        cell: (row, column) => {
          const one = days[days.length - 1 - row]!;
          return column === 0 ? one.day : exact(column === 1 ? one.dead : one.never_called);
        },
      }}
      legend={
        <span>
          {ageDays === 0
            ? `${exact(now)} today: one point a day from now on`
            : `${exact(now)} now, ${exact(counts[0])} on ${day(first.day, 'UTC')}`}
        </span>
      }
    >
      <p className={styles.name}>Dead endpoints, all owners</p>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        className={styles.chart}
        aria-hidden="true"
      >
        {ageDays === 0 ? (
          <line x1="0" x2={width} y1={y(now)} y2={y(now)} className={styles.alone} />
        ) : (
          <path d={line} className={styles.line} />
        )}
      </svg>
      <p className="visually-hidden">{plural(now, 'dead endpoint')} now</p>
    </ChartFigure>
  );
}
