import type { EvidenceRow } from '../../api/answers.ts';
import { day } from '../../state/format.ts';
import { plainText } from '../../state/text.ts';

export const decisionWords = {
  keep: 'Keep',
  deprecate: 'Deprecate',
  remove: 'Remove',
} as const;

export const returnedWords: Record<NonNullable<EvidenceRow['decision_returned']>, string> = {
  until_passed: 'Its date has come: decide again.',
  new_consumer: 'A consumer calls it that had not when this was decided: decide again.',
  called: 'It was answered again since: decide again.',
};

type Decided = Pick<
  EvidenceRow,
  | 'decision'
  | 'decision_reason'
  | 'decision_by'
  | 'decided_at'
  | 'decision_until'
  | 'decision_returned'
>;

/** "Keep until 1 Feb 2027: the yearly audit calls it. Decided by ada on 3 Nov 2026." */
export function DecisionSentence({ row }: { row: Decided }) {
  if (row.decision === null) return null;
  const until = row.decision_until === null ? '' : ` until ${day(row.decision_until, 'UTC')}`;
  const by = row.decision_by ? ` by ${plainText(row.decision_by)}` : '';
  const at = row.decided_at === null ? '' : ` on ${day(row.decided_at)}`;
  return (
    <>
      <b>{decisionWords[row.decision]}</b>
      {until}
      {row.decision_reason ? (
        <>
          : <bdi>{plainText(row.decision_reason)}</bdi>
        </>
      ) : null}
      . Decided{by}
      {at}.{row.decision_returned !== null && ` ${returnedWords[row.decision_returned]}`}
    </>
  );
}
