import type { EndpointRow } from '../../api/answers.ts';
import { day } from '../../state/format.ts';
import styles from './life-line.module.css';

const width = 480;
const dayMs = 86_400_000;

/** The life of an endpoint on one line: when it was called, and how long it has been silent since. */
export function LifeLine({ row, nowMs }: { row: EndpointRow; nowMs: number }) {
  if (row.first_called_at === null || row.last_called_at === null) return null;
  const sinceMs = nowMs - row.observed_days * dayMs;
  const fromMs = Math.min(sinceMs, Date.parse(row.first_called_at));
  const x = (at: string | number) => {
    const ms = typeof at === 'number' ? at : Date.parse(at);
    return 4 + (width - 8) * Math.min(1, Math.max(0, (ms - fromMs) / Math.max(1, nowMs - fromMs)));
  };
  const [first, last] = [x(row.first_called_at), x(row.last_called_at)];
  const isSilent = (row.days_since_last_call ?? 0) > 0;
  const told = `observed since ${day(fromMs)}, first call ${day(row.first_called_at)}, last call ${day(row.last_called_at)}`;
  return (
    <figure aria-label={`Life: ${told}`}>
      <svg viewBox={`0 0 ${width} 40`} className={styles.life} aria-hidden="true">
        <line x1="4" x2={width - 4} y1="12" y2="12" className={styles.silence} />
        <line x1={first} x2={Math.max(last, first + 2)} y1="12" y2="12" className={styles.called} />
        <circle cx={first} cy="12" r="3.5" className={styles.first} />
        {isSilent && <circle cx={last} cy="12" r="3.5" className={styles.last} />}
        <text x="4" y="34">
          {day(fromMs)}
        </text>
        {isSilent && last > 180 && last < width - 90 && (
          <text x={last} y="34" textAnchor="middle">
            {day(row.last_called_at)}
          </text>
        )}
        <text x={width - 4} y="34" textAnchor="end">
          today
        </text>
      </svg>
    </figure>
  );
}
