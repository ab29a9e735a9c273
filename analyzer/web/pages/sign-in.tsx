import { type FormEvent, useEffect, useState } from 'react';
import { Redirect, useSearch } from 'wouter';
import type { Session } from '../api/answers.ts';
import { useSessionCommands } from '../api/session.ts';
import styles from './sign-in.module.css';

/** Exchanges a key for a session, then returns to the requested page. */
export function SignInPage({ session }: { session: Session }) {
  const [key, setKey] = useState('');
  const { signIn } = useSessionCommands();
  const then = destination(new URLSearchParams(useSearch()).get('then'));
  useEffect(() => {
    document.title = 'Sign in · Rollcall';
  }, []);
  if (session.user !== null) return <Redirect to={then} replace />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key.trim() !== '') signIn.mutate(key.trim());
  };
  return (
    <main className={styles.page}>
      <form className={styles.form} onSubmit={submit}>
        <h1>Rollcall</h1>
        <p>
          Sign in with a key of scope read or admin; with ROLLCALL_ADMIN_KEY to make projects and
          keys.
        </p>
        <label>
          Key
          {/* Not a password of this site: no manager should offer to keep it. */}
          <input
            type="password"
            name="key"
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={({ target }) => setKey(target.value)}
            aria-describedby="refused"
          />
        </label>
        <p id="refused" role="alert" className={styles.refused}>
          {signIn.error?.message}
        </p>
        <button type="submit" disabled={signIn.isPending || key.trim() === ''}>
          Sign in
        </button>
        <p className={styles.how}>
          Whoever runs Rollcall makes keys:
          <br />
          <code>npm run -s rollcall -- keys create --project NAME --scope read</code>
        </p>
      </form>
    </main>
  );
}

/** Only a path of this page: never another host. */
function destination(then: string | null): string {
  return then !== null && /^\/(?![/\\])/.test(then) && !then.startsWith('/sign-in') ? then : '/';
}
