import styles from './calls.module.css';

/** A status as number, shape and colour: ▲ from 400, ■ from 500. */
export function HttpStatus({ status }: { status: number | null }) {
  if (status === null) return <span className={styles.none}>none</span>;
  const kind = status >= 500 ? 'failed' : status >= 400 ? 'refused' : 'answered';
  return (
    <span className={styles.status} data-kind={kind}>
      <i aria-hidden="true">{{ failed: '■', refused: '▲', answered: '' }[kind]}</i> {status}
    </span>
  );
}
