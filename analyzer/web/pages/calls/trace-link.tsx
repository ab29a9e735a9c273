import type { CallRow } from '../../api/answers.ts';
import styles from './calls.module.css';

/** The trace id, and a link to the trace where ROLLCALL_TRACE_URL names its system. */
export function TraceLink({
  call,
  isShort = false,
}: {
  call: Pick<CallRow, 'trace_id' | 'trace_url'>;
  /** The first digits alone. */
  isShort?: boolean;
}) {
  const { trace_id: id, trace_url: url } = call;
  if (id === null) return <span className={styles.none}>not told</span>;
  const shown = (
    <code className={styles.trace} title={id}>
      {isShort ? `${id.slice(0, 8)}…` : id}
    </code>
  );
  if (url === undefined || !/^https?:\/\//i.test(url)) return shown;
  return (
    <a href={url} target="_blank" rel="noreferrer">
      <span className="visually-hidden">trace </span>
      {shown}
    </a>
  );
}
