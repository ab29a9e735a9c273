import { useState } from 'react';
import { Link } from 'wouter';
import type { Key, Session, Settings } from '../api/answers.ts';
import { type MadeKey, useKeyCommands, useKeyList } from '../api/keys.ts';
import { useSessionCommands, useSessionList } from '../api/session.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Dialog, DialogActions } from '../parts/dialog.tsx';
import { Failure, Loading } from '../parts/notice.tsx';
import { Name } from '../parts/route.tsx';
import { ago, agoText, day, moment, plural } from '../state/format.ts';
import styles from './settings.module.css';

/** Keys of the project, who is signed in, and what this Rollcall is configured to do. */
export function SettingsPage({ session }: { session: Session }) {
  const isAdmin = session.user?.scope === 'admin';
  return (
    <div className={styles.page}>
      <h1>Settings</h1>
      {session.auth === 'off' ? (
        <section className={styles.panel} aria-label="Keys">
          <h2>Keys</h2>
          <p>
            Authentication is off: whoever reaches this address may read, and whoever reaches the
            collector may send. <code>ROLLCALL_AUTH=keys</code> turns it on.
          </p>
        </section>
      ) : (
        <>
          {isAdmin ? (
            <Keys />
          ) : (
            <section className={styles.panel} aria-label="Keys">
              <h2>Keys</h2>
              <p>You are signed in with a read key. Keys are made with a key of scope admin.</p>
            </section>
          )}
          <Sessions session={session} />
        </>
      )}
      {session.settings && <Configured settings={session.settings} version={session.version} />}
    </div>
  );
}

function Keys() {
  const keys = useKeyList(true);
  const { create, rotate, revoke } = useKeyCommands();
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
      <h2>Keys</h2>
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

function Sessions({ session }: { session: Session }) {
  const sessions = useSessionList(true);
  const { signOut, end } = useSessionCommands();
  const { user } = session;
  return (
    <section className={styles.panel} aria-label="Sessions">
      <h2>Signed in with this key</h2>
      {user?.expires_at && (
        <p>
          Project <b>{user.project}</b>, scope {user.scope}. Unless used, this session ends{' '}
          {moment(user.expires_at)}.
        </p>
      )}
      {sessions.data && (
        <ul className={styles.sessions}>
          {sessions.data.sessions.map(({ id, agent, address, used_at, current }) => (
            <li key={id}>
              <span>
                <Name text={agent} empty="a browser without a name" />
              </span>
              <span>
                {address}, {current ? 'this one' : `last used ${agoText(used_at)}`}
              </span>
              {!current && (
                <button type="button" onClick={() => end.mutate(id)}>
                  End
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <button type="button" onClick={() => signOut.mutate()}>
        Sign out
      </button>
    </section>
  );
}

function Configured({ settings, version }: { settings: Settings; version: string }) {
  const { retention } = settings;
  const rows: [string, string, string][] = [
    ['Cold after', plural(settings.cold_after_days, 'day'), 'ROLLCALL_COLD_AFTER_DAYS'],
    ['Dead after', plural(settings.dead_after_days, 'day'), 'ROLLCALL_DEAD_AFTER_DAYS'],
    ['Single calls are kept', retention.calls, 'ROLLCALL_RETAIN_CALLS'],
    ['Exact to the minute', retention.minutes, 'ROLLCALL_RETAIN_MINUTES'],
    ['Exact to the hour', retention.hours, 'ROLLCALL_RETAIN_HOURS'],
    ['Exact to the day', retention.days, 'ROLLCALL_RETAIN_DAYS'],
    ['Addresses of clients', settings.client_privacy, 'ROLLCALL_CLIENT_PRIVACY'],
    ['Consumers named by', settings.consumer_attributes.join(', '), 'ROLLCALL_CONSUMER_ATTRIBUTES'],
  ];
  return (
    <section className={styles.panel} aria-label="Configuration">
      <h2>Configuration</h2>
      <p>Set by environment variables where Rollcall is started. Version {version}.</p>
      <p>
        Names of consumers are given on the page{' '}
        <Link href="/clients?callers=consumers" className={styles.link}>
          Clients
        </Link>
        .
      </p>
      <dl className={styles.configured}>
        {rows.map(([name, value, variable]) => (
          <div key={variable}>
            <dt>{name}</dt>
            <dd>{value}</dd>
            <dd>
              <code>{variable}</code>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
