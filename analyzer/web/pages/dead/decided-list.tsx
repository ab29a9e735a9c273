import { Link } from 'wouter';
import type { EvidenceRow } from '../../api/answers.ts';
import { Notice } from '../../parts/notice.tsx';
import { Name, Route } from '../../parts/route.tsx';
import { StatusWord } from '../../parts/status.tsx';
import { carried, usePageSearch, writeSearch } from '../../state/search.ts';
import { DecisionActions } from '../decisions/decision-actions.tsx';
import { DecisionSentence } from '../decisions/decision-sentence.tsx';
import type { OnMade } from '../decisions/made.tsx';
import styles from './dead.module.css';

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
  const [search] = usePageSearch();
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
            <div className={styles.what}>
              <Link
                href={`/endpoints/${encodeURIComponent(row.id)}${writeSearch(carried(search))}`}
              >
                <Route method={row.method} route={row.route} />
              </Link>
              <StatusWord status={row.status} />
              <span className={styles.label}>
                <Name text={row.service} />
              </span>
            </div>
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
