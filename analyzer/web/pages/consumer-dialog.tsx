import { type FormEvent, useState } from 'react';
import type { ConsumerRow } from '../api/answers.ts';
import { useConsumerCommands } from '../api/consumers.ts';
import { Dialog, DialogActions } from '../parts/dialog.tsx';
import { plainText } from '../state/text.ts';
import styles from './decisions/decisions.module.css';

/** As in core/limits.ts. */
const noteChars = 200;

/** Says who a consumer is: the name that pages show, its group, and whom to contact. */
export function ConsumerDialog({ row, onClose }: { row: ConsumerRow; onClose: () => void }) {
  const name = row.consumer ?? '';
  const { put, remove } = useConsumerCommands(name);
  const [note, setNote] = useState({
    display_name: row.display_name ?? '',
    group: row.group ?? '',
    contact: row.contact ?? '',
  });
  const error = put.error ?? remove.error;
  const isNoted = row.display_name !== null || row.group !== null || row.contact !== null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    put.mutate(note, { onSuccess: onClose });
  };
  const field = (key: keyof typeof note, label: string, hint: string) => (
    <label>
      {label} <small>{hint}</small>
      <input
        type="text"
        maxLength={noteChars}
        value={note[key]}
        onChange={({ target }) => setNote({ ...note, [key]: target.value })}
      />
    </label>
  );
  return (
    <Dialog title="Who is it?" onClose={onClose}>
      <form onSubmit={submit} className={styles.form}>
        <p>
          <code>{plainText(name)}</code> in its calls
        </p>
        {field('display_name', 'Name', 'as pages show it')}
        {field('group', 'Group', 'a team, a partner')}
        {field('contact', 'Contact', 'an address, a channel')}
        {error && (
          <p role="alert" className={styles.refused}>
            {plainText(error.message)}
          </p>
        )}
        <DialogActions>
          {isNoted && (
            <button
              type="button"
              disabled={remove.isPending}
              onClick={() => remove.mutate(undefined, { onSuccess: onClose })}
            >
              Forget it
            </button>
          )}
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={styles.primary} disabled={put.isPending}>
            Save
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
