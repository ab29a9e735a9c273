import { type FormEvent, useState } from 'react';
import type { DecisionAction } from '../../api/answers.ts';
import { useDecisionCommands } from '../../api/decisions.ts';
import { Dialog, DialogActions } from '../../parts/dialog.tsx';
import { plainText } from '../../state/text.ts';
import { decisionWords } from './decision-sentence.tsx';
import styles from './decisions.module.css';
import type { OnMade } from './made.tsx';

const meanings: Record<DecisionAction, string> = {
  keep: 'It stays. It comes back to the dead list on the date, or when a new consumer calls it.',
  deprecate: 'It is to go, and its callers are told. It comes back to the dead list on the date.',
  remove: 'Its code is to be deleted. It comes back to the dead list when it is answered again.',
};

/** As in core/limits.ts. */
const reasonChars = 2_000;
const authorChars = 100;

/** The name that was given last: the next decision of this page is mostly made by the same person. */
let lastBy = '';

/** Decides on one endpoint: what, why, until when, and who says so. */
export function DecisionDialog({
  id,
  name,
  action,
  offered,
  onClose,
  onMade,
}: {
  id: string;
  /** Method and route. */
  name: string;
  action: DecisionAction;
  offered: readonly DecisionAction[];
  onClose: () => void;
  onMade: OnMade;
}) {
  const [decision, setDecision] = useState(action);
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const [by, setBy] = useState(lastBy);
  const { decide } = useDecisionCommands(id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    lastBy = by;
    decide.mutate(
      { decision, reason: reason.trim(), until: until || null, by: by.trim() },
      {
        onSuccess: () => {
          onClose();
          onMade({ id, name, decision, by: by.trim() });
        },
      },
    );
  };
  return (
    <Dialog title="Decide" onClose={onClose}>
      <form onSubmit={submit} className={styles.form}>
        <p>
          <code>{plainText(name)}</code>
        </p>
        <fieldset>
          <legend className="visually-hidden">Decision</legend>
          {offered.map((one) => (
            <label key={one} className={styles.option}>
              <input
                type="radio"
                name="decision"
                value={one}
                checked={one === decision}
                onChange={() => setDecision(one)}
              />
              <span>
                <b>{decisionWords[one]}</b> {meanings[one]}
              </span>
            </label>
          ))}
        </fieldset>
        <label>
          Reason
          <textarea
            rows={3}
            maxLength={reasonChars}
            value={reason}
            onChange={({ target }) => setReason(target.value)}
          />
        </label>
        <div className={styles.pair}>
          <label>
            Until <small>optional</small>
            <input
              type="date"
              min={new Date().toISOString().slice(0, 10)}
              value={until}
              onChange={({ target }) => setUntil(target.value)}
            />
          </label>
          <label>
            By <small>your name</small>
            <input
              type="text"
              maxLength={authorChars}
              value={by}
              onChange={({ target }) => setBy(target.value)}
            />
          </label>
        </div>
        {decide.error && (
          <p role="alert" className={styles.refused}>
            {plainText(decide.error.message)}
          </p>
        )}
        <DialogActions>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={styles.primary} disabled={decide.isPending}>
            {decisionWords[decision]}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
