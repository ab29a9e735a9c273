import styles from './segments.module.css';

export interface Segment<T extends string> {
  value: T;
  name: string;
  /** Shown beside the name, once it is known. */
  count?: string | undefined;
}

/** A few views of one page, of which one is shown. */
export function Segments<const T extends string>({
  label,
  segments,
  chosen,
  onChoose,
}: {
  label: string;
  segments: readonly Segment<T>[];
  chosen: T;
  onChoose: (value: T) => void;
}) {
  return (
    <fieldset className={styles.segments}>
      <legend className="visually-hidden">{label}</legend>
      {segments.map(({ value, name, count }) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === chosen}
          onClick={() => onChoose(value)}
        >
          {name}
          {count !== undefined && <span className={styles.count}>{count}</span>}
        </button>
      ))}
    </fieldset>
  );
}
