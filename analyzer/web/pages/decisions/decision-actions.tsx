import { useState } from 'react';
import type { DecisionAction, EvidenceRow } from '../../api/answers.ts';
import { useDecisionCommands } from '../../api/decisions.ts';
import { leastConfidence, safeConfidence } from '../../state/removal-step.ts';
import { DecisionDialog } from './decision-dialog.tsx';
import { decisionWords } from './decision-sentence.tsx';
import type { OnMade } from './made.tsx';

type Decidable = Pick<
  EvidenceRow,
  | 'id'
  | 'method'
  | 'route'
  | 'status'
  | 'confidence'
  | 'decision'
  | 'decision_reason'
  | 'decision_by'
>;

/**
 * What may be decided about an endpoint. With little confidence nothing suggests its removal: keeping it is
 * offered alone.
 */
export function DecisionActions({
  row,
  onMade,
  mayWithdraw = false,
}: {
  row: Decidable;
  onMade: OnMade;
  mayWithdraw?: boolean;
}) {
  const [asked, setAsked] = useState<DecisionAction>();
  const { withdraw } = useDecisionCommands(row.id);
  const name = `${row.method} ${row.route}`;
  return (
    <>
      {offered(row).map((action) => (
        <button
          key={action}
          type="button"
          aria-label={`${decisionWords[action]} ${name} …`}
          onClick={() => setAsked(action)}
        >
          {decisionWords[action]}…
        </button>
      ))}
      {mayWithdraw && row.decision !== null && (
        <button
          type="button"
          aria-label={`Withdraw the decision on ${name}`}
          disabled={withdraw.isPending}
          onClick={() =>
            withdraw.mutate('', {
              onSuccess: () => onMade({ id: row.id, name, decision: null, by: '' }),
            })
          }
        >
          Withdraw
        </button>
      )}
      {asked !== undefined && (
        <DecisionDialog
          id={row.id}
          name={name}
          action={asked}
          offered={offered(row)}
          onClose={() => setAsked(undefined)}
          onMade={onMade}
        />
      )}
    </>
  );
}

function offered({ status, confidence, decision }: Decidable): DecisionAction[] {
  const sure = status === 'removed' ? 1 : (confidence ?? 0);
  const isAnnounced = decision === 'deprecate' || decision === 'remove';
  if (sure >= safeConfidence || isAnnounced) return ['keep', 'deprecate', 'remove'];
  return sure >= leastConfidence ? ['keep', 'deprecate'] : ['keep'];
}
