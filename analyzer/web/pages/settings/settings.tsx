import { Link } from 'wouter';
import type { Session, Settings } from '../../api/answers.ts';
import { plural } from '../../state/format.ts';
import { Keys } from './keys.tsx';
import { Sessions } from './sessions.tsx';
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

export function Configured({ settings, version }: { settings: Settings; version: string }) {
  const { retention } = settings;
  const rows: [string, string, string][] = [
    ['Cold after', plural(settings.cold_after_days, 'day'), 'ROLLCALL_COLD_AFTER_DAYS'],
    ['Dead after', plural(settings.dead_after_days, 'day'), 'ROLLCALL_DEAD_AFTER_DAYS'],
    ['Single calls are kept', kept(retention.calls), 'ROLLCALL_RETAIN_CALLS'],
    ['Exact to the minute', kept(retention.minutes), 'ROLLCALL_RETAIN_MINUTES'],
    ['Exact to the hour', kept(retention.hours), 'ROLLCALL_RETAIN_HOURS'],
    ['Exact to the day', kept(retention.days), 'ROLLCALL_RETAIN_DAYS'],
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

/** "3d", as it is configured, in words. */
function kept(text: string): string {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  const noun = { m: 'minute', h: 'hour', d: 'day' }[unit as 'm' | 'h' | 'd'];
  return noun === undefined ? text : plural(Number(count), noun);
}
