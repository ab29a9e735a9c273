import type { DecisionAnswer, EndpointRow } from '../../api/answers.ts';
import { useDecision } from '../../api/decisions.ts';
import { useSession } from '../../api/session.ts';
import { day } from '../../state/format.ts';
import { mayChange } from '../../state/permission.ts';
import { plainText } from '../../state/text.ts';
import { DecisionActions } from './decision-actions.tsx';
import { DecisionSentence, decisionWords } from './decision-sentence.tsx';
import styles from './decisions.module.css';
import { useMade } from './made.tsx';

/** The decision on one endpoint, the earlier ones, and deciding. */
export function EndpointDecision({ row }: { row: EndpointRow }) {
  const answer = useDecision(row.id);
  const [shownMade, onMade] = useMade();
  const session = useSession().data;
  const mayDecide = session !== undefined && mayChange(session);
  const history = answer.data?.history ?? [];
  if (row.decision === null && history.length === 0 && !mayDecide) return null;
  return (
    <>
      <h3>Decision</h3>
      {shownMade}
      <p>{row.decision === null ? 'None.' : <DecisionSentence row={row} />}</p>
      {mayDecide && (
        <div className={styles.actions}>
          <DecisionActions row={row} onMade={onMade} mayWithdraw />
        </div>
      )}
      {history.length > (row.decision === null ? 0 : 1) && (
        <details>
          <summary>History of decisions</summary>
          <ol className={styles.history}>
            {history.map((one) => (
              <li key={`${one.decided_at} ${one.decision}`}>{recordText(one)}</li>
            ))}
          </ol>
        </details>
      )}
    </>
  );
}

/** "3 Nov 2026, ada: keep until 1 Feb 2027, the yearly audit calls it". */
function recordText(record: DecisionAnswer['history'][number]): string {
  const who = record.by === '' ? '' : `, ${record.by}`;
  const what =
    record.decision === null
      ? 'withdrawn'
      : `${decisionWords[record.decision].toLowerCase()}${record.until === null ? '' : ` until ${day(record.until, 'UTC')}`}`;
  const why = record.reason === '' ? '' : `, ${record.reason}`;
  return plainText(`${day(record.decided_at)}${who}: ${what}${why}`);
}
