import type { Spark } from '../api/answers.ts';
import styles from './sparkline.module.css';

const width = 88;
const height = 20;

/** Calls over the time shown, with errors on top: two paths per row, for any number of bars. */
export function Sparkline({ spark }: { spark: Spark }) {
  const { calls, errors } = spark;
  const most = calls.reduce((busiest, count) => Math.max(busiest, count), 0);
  if (most === 0) return null;
  const step = width / calls.length;
  // A bar of a single call is still a pixel high.
  const y = (count: number) => height - (count === 0 ? 0 : Math.max(1, (count / most) * height));
  const bars = (from: (index: number) => number, to: (index: number) => number) =>
    calls
      .map((_count, index) => {
        const [bottom, top] = [from(index), to(index)];
        if (top >= bottom) return '';
        const x = index * step;
        return `M${x.toFixed(1)} ${bottom.toFixed(1)}V${top.toFixed(1)}h${(step - 1).toFixed(1)}V${bottom.toFixed(1)}Z`;
      })
      .join('');
  const others = (index: number) => y(calls[index]! - (errors[index] ?? 0));
  return (
    <svg viewBox={`0 0 ${width} ${height}`} className={styles.spark} aria-hidden="true">
      <path d={bars(() => height, others)} className={styles.calls} />
      <path d={bars(others, (index) => y(calls[index]!))} className={styles.errors} />
    </svg>
  );
}
