import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Services, Session } from './api/answers.ts';
import { useReport } from './api/queries.ts';
import { addressOf, api } from './api/request.ts';
import { KeyHelp } from './parts/key-help.tsx';
import { StaleBanner } from './parts/notice.tsx';
import styles from './shell.module.css';
import { compact, day } from './state/format.ts';
import { useKeys } from './state/keys.ts';
import { carried, usePageSearch, writeSearch } from './state/search.ts';
import { carriedWithSlice } from './state/slice.ts';

declare const __BUILD__: string;

const pages = [
  ['/', 'Overview'],
  ['/endpoints', 'Endpoints'],
  ['/dead', 'Dead list'],
  ['/inventory', 'Inventory'],
  ['/clients', 'Clients'],
  ['/calls', 'Calls'],
  ['/compare', 'Compare'],
  ['/services', 'Services'],
] as const;

/** Pages that are narrowed to callers and status codes. */
const sliced: ReadonlySet<string> = new Set(['/', '/calls']);

/** The rail with all pages, and the page beside it. On a phone the rail is a strip above. */
export function Shell({
  session,
  services,
  isEmpty = false,
  children,
}: {
  session: Session;
  services: UseQueryResult<Services>;
  isEmpty?: boolean;
  children: ReactNode;
}) {
  const [search, change] = usePageSearch();
  const [showsHelp, setHelp] = useState(false);
  const goes = writeSearch(carried(search));
  const goesSliced = writeSearch(carriedWithSlice(search));
  const keys = useMemo(
    () => ({
      '?': () => setHelp(true),
      d: () => change({ period: { window: '24h' } }),
      w: () => change({ period: { window: '7d' } }),
      m: () => change({ period: { window: '30d' } }),
    }),
    [change],
  );
  useKeys(keys);
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#page">
        Skip to the page
      </a>
      <nav className={styles.rail} aria-label="Pages">
        <Link href="/" className={styles.brand}>
          Rollcall
        </Link>
        {pages.map(([path, name]) => (
          <RailLink key={path} path={path} search={sliced.has(path) ? goesSliced : goes}>
            {name}
            {!isEmpty && <PageCount path={path} services={services.data} />}
          </RailLink>
        ))}
        <span className={styles.gap} />
        <RailLink path="/settings" search={goes}>
          Settings
        </RailLink>
        <a href={addressOf(api('/openapi.json'))}>API</a>
        <button type="button" className={styles.help} onClick={() => setHelp(true)}>
          Shortcuts <kbd>?</kbd>
        </button>
        <p className={styles.foot}>
          project <b>{session.user?.project}</b>
          <br />
          {services.data?.observed_since
            ? `observed since ${day(services.data.observed_since)}`
            : 'nothing observed yet'}
        </p>
      </nav>
      <main className={styles.main} id="page" tabIndex={-1}>
        {session.build !== null && session.build !== __BUILD__ && <Updated />}
        {services.error && services.data && (
          <StaleBanner error={services.error} updatedMs={services.dataUpdatedAt} />
        )}
        {children}
      </main>
      {showsHelp && <KeyHelp onClose={() => setHelp(false)} />}
    </div>
  );
}

function RailLink({
  path,
  search,
  children,
}: {
  path: string;
  search: string;
  children: ReactNode;
}) {
  const [location] = useLocation();
  const isHere = path === '/' ? location === '/' : location.startsWith(path);
  return (
    <Link href={path + search} aria-current={isHere ? 'page' : undefined}>
      {children}
    </Link>
  );
}

function PageCount({ path, services }: { path: string; services: Services | undefined }) {
  const [search] = usePageSearch();
  const summary = useReport(search).data?.summary;
  const count =
    path === '/endpoints'
      ? summary?.total_endpoints
      : path === '/dead'
        ? summary && summary.dead + summary.never_called
        : path === '/services'
          ? services?.services.length
          : undefined;
  return count === undefined ? null : <span className={styles.count}>{compact(count)}</span>;
}

/** A newer build is served: this page's own files may be gone. */
function Updated() {
  useEffect(() => {
    const reload = () => window.location.reload();
    window.addEventListener('vite:preloadError', reload);
    return () => window.removeEventListener('vite:preloadError', reload);
  }, []);
  return (
    <output className={styles.updated}>
      The analyzer was updated.{' '}
      <button type="button" onClick={() => window.location.reload()}>
        Load the new dashboard
      </button>
    </output>
  );
}
