import type { ReactNode } from 'react';
import styles from './segments.module.css';

export interface Segment<T extends string> {
  value: T;
  name: ReactNode;
  /** Shown beside the name, once it is known. */
  count?: string | undefined;
}

/** Choices beside each other: views of one page, of which one is shown, or filters, of which several may hold. */
export function Segments<const T extends string>({
  label,
  segments,
  chosen,
  onChoose,
}: {
  label: string;
  segments: readonly Segment<T>[];
  chosen: T | readonly T[];
  onChoose: (value: T) => void;
}) {
  return (
    <fieldset className={styles.segments}>
      <legend className="visually-hidden">{label}</legend>
      {segments.map(({ value, name, count }) => (
        <button
          key={value}
          type="button"
          aria-pressed={[chosen].flat().includes(value)}
          onClick={() => onChoose(value)}
        >
          {name}
          {count !== undefined && <span className={styles.count}>{count}</span>}
        </button>
      ))}
    </fieldset>
  );
}
