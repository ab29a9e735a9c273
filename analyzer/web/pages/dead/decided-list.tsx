import type { EvidenceRow } from '../../api/answers.ts';
import { Notice } from '../../parts/notice.tsx';
import { StatusWord } from '../../parts/status.tsx';
import { DecisionActions } from '../decisions/decision-actions.tsx';
import { DecisionSentence } from '../decisions/decision-sentence.tsx';
import type { OnMade } from '../decisions/made.tsx';
import styles from './dead.module.css';
import { ItemHead, ItemService } from './item-head.tsx';

/** What people decided; a decision that holds no more says why, and is on the dead list again. */
export function DecidedList({
  rows,
  mayDecide,
  onMade,
}: {
  rows: readonly EvidenceRow[];
  mayDecide: boolean;
  onMade: OnMade;
}) {
  if (rows.length === 0) {
    return (
      <div className={styles.panel}>
        <Notice title="Nothing was decided yet">
          <p>
            On the dead list, or on an endpoint&apos;s page: keep, deprecate or remove, with a
            reason and a date. <code>rollcall decisions export</code> writes them to a file for
            review.
          </p>
        </Notice>
      </div>
    );
  }
  return (
    <section className={styles.panel} aria-label="Decisions">
      <h2>
        Decisions <small>latest first</small>
      </h2>
      <ul className={styles.items}>
        {rows.map((row) => (
          <li key={row.id} className={styles.item}>
            <ItemHead row={row}>
              <StatusWord status={row.status} />
              <ItemService row={row} />
            </ItemHead>
            <div className={styles.actions}>
              {mayDecide && <DecisionActions row={row} onMade={onMade} mayWithdraw />}
            </div>
            <p
              className={`${styles.reasons} ${row.decision_returned === null ? '' : styles.doubts}`}
            >
              <DecisionSentence row={row} />
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
