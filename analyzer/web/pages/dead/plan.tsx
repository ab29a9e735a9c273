import { useMemo } from 'react';
import type { EvidenceRow } from '../../api/answers.ts';
import { useDeadHistory } from '../../api/queries.ts';
import { BurnDown } from '../../charts/burn-down.tsx';
import { Count, Counts } from '../../parts/count.tsx';
import { type RemovalStep, removalStep, safeConfidence } from '../../state/removal-step.ts';
import styles from './dead.module.css';

/** The steps of the removal plan, each with its number of endpoints, and how dead endpoints became fewer. */
export function Plan({ rows }: { rows: readonly EvidenceRow[] }) {
  const history = useDeadHistory().data;
  const counts = useMemo(() => {
    const found: Record<RemovalStep, number> = { safe: 0, again: 0, deprecate: 0, watch: 0 };
    for (const row of rows) found[removalStep(row)] += 1;
    return found;
  }, [rows]);
  return (
    <div className={styles.plan}>
      <Counts label="Removal plan">
        <Count name="Safe to remove" count={counts.safe}>
          confidence {safeConfidence} and more
        </Count>
        <Count name="Decide again" count={counts.again}>
          an earlier decision holds no more
        </Count>
        <Count name="Deprecate first" count={counts.deprecate}>
          silent, less sure: ask the last callers
        </Count>
        <Count name="Watch" count={counts.watch}>
          deprecated: wait for the sunset
        </Count>
      </Counts>
      <section className={styles.burn} aria-label="Dead over time">
        {history !== undefined && <BurnDown days={history.days} />}
      </section>
    </div>
  );
}
