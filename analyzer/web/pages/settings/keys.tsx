import { useState } from 'react';
import type { Key } from '../../api/answers.ts';
import { type MadeKey, useKeyCommands, useKeyList } from '../../api/keys.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { Dialog, DialogActions } from '../../parts/dialog.tsx';
import { Failure, Loading } from '../../parts/notice.tsx';
import { ago, agoText, day, moment } from '../../state/format.ts';
import styles from './settings.module.css';

/** The keys of one project: made, shown once, rotated and revoked. @param project the user's own unless told */
export function Keys({ project }: { project?: string }) {
  const keys = useKeyList(project);
  const { create, rotate, revoke } = useKeyCommands(project);
  const [scope, setScope] = useState<Key['scope']>('ingest');
  const [asked, setAsked] = useState<{ deed: 'rotate' | 'revoke'; key: Key } | undefined>();
  const [made, setMade] = useState<MadeKey | undefined>();
  const error = create.error ?? rotate.error ?? revoke.error;
  const confirm = async () => {
    if (asked === undefined) return;
    setAsked(undefined);
    if (asked.deed === 'revoke') revoke.mutate(asked.key.id);
    else rotate.mutate(asked.key.id, { onSuccess: setMade });
  };
  return (
    <section className={styles.panel} aria-label="Keys">
      <h2>{project === undefined ? 'Keys' : `Keys of ${project}`}</h2>
      <div className={styles.make}>
        <label>
          Scope{' '}
          <select value={scope} onChange={({ target }) => setScope(target.value as Key['scope'])}>
            <option value="ingest">ingest: a service sends spans</option>
            <option value="read">read: asks for reports, signs in here</option>
            <option value="admin">admin: reads and makes keys</option>
          </select>
        </label>
        <button
          type="button"
          disabled={create.isPending}
          onClick={() => create.mutate(scope, { onSuccess: setMade })}
        >
          Make a key
        </button>
      </div>
      {error && (
        <p role="alert" className={styles.refused}>
          {error.message}
        </p>
      )}
      {keys.data !== undefined ? (
        <KeyTable keys={keys.data.keys} ask={(deed, key) => setAsked({ deed, key })} />
      ) : keys.error ? (
        <Failure error={keys.error} retry={() => keys.refetch()} />
      ) : (
        <Loading what="the keys" />
      )}
      {made !== undefined && <ShownOnce made={made} onClose={() => setMade(undefined)} />}
      {asked !== undefined && (
        <Dialog
          title={asked.deed === 'revoke' ? 'Revoke this key?' : 'Rotate this key?'}
          onClose={() => setAsked(undefined)}
        >
          <p>
            <code>{asked.key.prefix}…</code> with scope {asked.key.scope}
            {asked.key.last_used_at
              ? `, last used ${agoText(asked.key.last_used_at)}`
              : ', never used'}
            .
          </p>
          <p>
            {asked.deed === 'revoke'
              ? 'Whatever uses it is refused within a second. This cannot be undone.'
              : 'It gets another secret, and the present one is refused within a second.'}
          </p>
          <DialogActions>
            <button type="button" onClick={() => setAsked(undefined)}>
              Cancel
            </button>
            <button type="button" className={styles.danger} onClick={confirm}>
              {asked.deed === 'revoke' ? 'Revoke' : 'Rotate'}
            </button>
          </DialogActions>
        </Dialog>
      )}
    </section>
  );
}

/** The only time that the key itself is on the page. */
function ShownOnce({ made, onClose }: { made: MadeKey; onClose: () => void }) {
  return (
    <Dialog title="The key, this once" onClose={onClose}>
      <p>Copy it now: Rollcall keeps only its SHA-256 and cannot show it again.</p>
      <pre className={styles.key}>{made.key}</pre>
      <DialogActions>
        <CopyButton text={() => made.key} />
        <button type="button" onClick={onClose}>
          Done
        </button>
      </DialogActions>
    </Dialog>
  );
}

function KeyTable({
  keys,
  ask,
}: {
  keys: readonly Key[];
  ask: (deed: 'rotate' | 'revoke', key: Key) => void;
}) {
  return (
    <div className={styles.scroll}>
      <table>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Scope</th>
            <th scope="col">Made</th>
            <th scope="col">Last used</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id} className={key.revoked_at ? styles.revoked : undefined}>
              <td>
                <code>{key.prefix}…</code>
              </td>
              <td>{key.scope}</td>
              <td title={moment(key.created_at)}>{day(key.created_at)}</td>
              <td>{key.revoked_at ? `revoked ${day(key.revoked_at)}` : ago(key.last_used_at)}</td>
              <td className={styles.actions}>
                {!key.revoked_at && (
                  <>
                    <button
                      type="button"
                      aria-label={`rotate ${key.prefix}`}
                      onClick={() => ask('rotate', key)}
                    >
                      Rotate
                    </button>
                    <button
                      type="button"
                      aria-label={`revoke ${key.prefix}`}
                      onClick={() => ask('revoke', key)}
                    >
                      Revoke
                    </button>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
