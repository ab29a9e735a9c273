import type { Session } from '../../api/answers.ts';
import { useSessionCommands, useSessionList } from '../../api/session.ts';
import { Name } from '../../parts/route.tsx';
import { agoText, moment } from '../../state/format.ts';
import styles from './settings.module.css';

/** The browsers that signed in with this key. */
export function Sessions({ session }: { session: Session }) {
  const sessions = useSessionList(true);
  const { signOut, end } = useSessionCommands();
  const { user } = session;
  return (
    <section className={styles.panel} aria-label="Sessions">
      <h2>Signed in with this key</h2>
      {user?.expires_at && (
        <p>
          {user.project === null ? (
            'All projects, ROLLCALL_ADMIN_KEY.'
          ) : (
            <>
              Project <b>{user.project}</b>, scope {user.scope}.
            </>
          )}{' '}
          Unless used, this session ends {moment(user.expires_at)}.
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
