import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { useDecisionCommands } from '../../api/decisions.ts';
import { plainText } from '../../state/text.ts';
import { decisionWords } from './decision-sentence.tsx';
import styles from './decisions.module.css';

/** A decision that was made a moment ago; null where one was withdrawn. */
export interface Made {
  id: string;
  name: string;
  decision: keyof typeof decisionWords | null;
  by: string;
}

export type OnMade = (made: Made) => void;

/** Says what was decided last, since its endpoint leaves the list, and takes it back. */
export function useMade(): [ReactNode, OnMade] {
  const [made, setMade] = useState<Made>();
  const onMade = useCallback<OnMade>((latest) => setMade(latest), []);
  return [
    made && <MadeLine key={`${made.id} ${made.decision}`} made={made} onMade={onMade} />,
    onMade,
  ];
}

function MadeLine({ made, onMade }: { made: Made; onMade: OnMade }) {
  const { id, name, decision, by } = made;
  const { withdraw } = useDecisionCommands(id);
  const line = useRef<HTMLOutputElement>(null);
  // The button that had the focus has gone with its endpoint
  useEffect(() => line.current?.focus(), []);
  return (
    <output ref={line} tabIndex={-1} className={styles.made}>
      <span>
        {decision === null ? 'Withdrawn' : decisionWords[decision]}: <code>{plainText(name)}</code>
      </span>
      {decision !== null && (
        <button
          type="button"
          disabled={withdraw.isPending}
          onClick={() =>
            withdraw.mutate(by, { onSuccess: () => onMade({ ...made, decision: null }) })
          }
        >
          Undo
        </button>
      )}
      {withdraw.error && <span role="alert">{plainText(withdraw.error.message)}</span>}
    </output>
  );
}
