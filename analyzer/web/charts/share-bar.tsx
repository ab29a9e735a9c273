import styles from './share-bar.module.css';

/** One bar of several parts of a whole, each with its word and number beside it. */
export interface Part {
  key: string;
  name: string;
  count: number;
}

export function ShareBar({ parts, label }: { parts: readonly Part[]; label: string }) {
  const whole = parts.reduce((sum, { count }) => sum + count, 0);
  let from = 0;
  return (
    <svg viewBox="0 0 1000 12" preserveAspectRatio="none" className={styles.bar} role="img">
      <title>{`${label}: ${parts.map(({ name, count }) => `${name} ${count}`).join(', ')}`}</title>
      {parts.map(({ key, count }) => {
        const width = whole === 0 ? 0 : (1000 * count) / whole;
        const x = from;
        from += width;
        return <rect key={key} x={x} width={Math.max(0, width - 2)} height="12" data-part={key} />;
      })}
    </svg>
  );
}
