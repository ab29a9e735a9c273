import type { ReactElement } from 'react';
import styles from './status.module.css';

/** An endpoint's status as a shape and a word: what is usual is quiet, what needs a decision is not. */
export function StatusWord({ status, quiet }: { status: string | null; quiet?: boolean }) {
  const isQuiet = quiet ?? (status === 'active' || status === null);
  return (
    <span className={isQuiet ? styles.quiet : styles.status} data-status={status}>
      {status !== null && <StatusShape status={status} />}
      {statusWord(status)}
    </span>
  );
}

/** A bucket holds calls that belong to no endpoint: it has no status. */
export const statusWord = (status: string | null): string =>
  status === null ? 'bucket' : status.replaceAll('_', ' ');

const shapes: Record<string, ReactElement> = {
  active: <circle cx="6" cy="6" r="4.4" className={styles.full} />,
  cold: (
    <>
      <circle cx="6" cy="6" r="4.2" className={styles.hollow} />
      <path d="M6 1.8a4.2 4.2 0 0 0 0 8.4Z" className={styles.half} />
    </>
  ),
  dead: <circle cx="6" cy="6" r="4.2" className={styles.hollow} />,
  never_called: <circle cx="6" cy="6" r="4.2" className={styles.dashed} />,
  removed: <path d="M2.5 2.5l7 7m0-7l-7 7" className={styles.hollow} />,
};

function StatusShape({ status }: { status: string }) {
  return (
    <svg viewBox="0 0 12 12" className={styles.shape} aria-hidden="true">
      {shapes[status] ?? <path d="M1.5 6h9" className={styles.hollow} />}
    </svg>
  );
}

/** Marks that need attention; the others only inform. */
const loud = new Set([
  'only_errors',
  'undocumented',
  'called_after_removal',
  'stale_version',
  'new',
]);

export function Marks({ marks }: { marks: readonly string[] }) {
  return marks.map((mark) => (
    <span key={mark} className={loud.has(mark) ? styles.loudMark : styles.mark}>
      {mark.replaceAll('_', ' ')}
    </span>
  ));
}
