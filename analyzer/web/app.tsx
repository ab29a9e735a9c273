import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Redirect, Route, Switch, useLocation, useSearch } from 'wouter';
import { useServices } from './api/queries.ts';
import { useSession } from './api/session.ts';
import { CallsPage } from './pages/calls/calls.tsx';
import { ClientsPage } from './pages/clients.tsx';
import { ComparePage } from './pages/compare/compare.tsx';
import { DeadPage } from './pages/dead/dead.tsx';
import { EndpointsPage } from './pages/endpoints/endpoints.tsx';
import { FirstRunPage } from './pages/first-run.tsx';
import { InventoryPage } from './pages/inventory.tsx';
import { OverviewPage } from './pages/overview/overview.tsx';
import { ServicesPage } from './pages/services.tsx';
import { OperatorPage } from './pages/settings/operator.tsx';
import { SettingsPage } from './pages/settings/settings.tsx';
import { SignInPage } from './pages/sign-in.tsx';
import { Failure, Loading, Notice } from './parts/notice.tsx';
import { Shell } from './shell.tsx';

/**
 * The page for the address. First comes the sign-in, if it is required, or the page that shows how to send
 * data, if there is none.
 */
export function App() {
  const session = useSession();
  const [path] = useLocation();
  const search = useSearch();
  if (session.data === undefined) {
    if (session.error) return <Failure error={session.error} retry={() => session.refetch()} />;
    return <Loading what="the dashboard" />;
  }
  const { user } = session.data;
  if (path === '/sign-in') return <SignInPage session={session.data} />;
  if (user === null) {
    const here = path + (search === '' ? '' : `?${search}`);
    return <Redirect to={`/sign-in?then=${encodeURIComponent(here)}`} replace />;
  }
  if (user.scope === 'operator') return <OperatorPage session={session.data} />;
  return <Pages />;
}

function Pages() {
  const session = useSession().data!;
  const services = useServices();
  const isEmpty = services.data?.services.length === 0;
  const [path] = useLocation();
  const client = useQueryClient();
  const wasEmpty = useRef(false);
  useEffect(() => {
    // The first call has arrived: earlier answers are requested again.
    if (wasEmpty.current && isEmpty === false) void client.invalidateQueries();
    wasEmpty.current = isEmpty === true;
  }, [client, isEmpty]);
  useEffect(() => {
    document.title = `${titles[path.split('/')[1] ?? ''] ?? 'Not found'} · Rollcall`;
  }, [path]);
  if (isEmpty && path !== '/settings') {
    return (
      <Shell session={session} services={services} isEmpty>
        <FirstRunPage session={session} />
      </Shell>
    );
  }
  return (
    <Shell session={session} services={services}>
      <Switch>
        <Route path="/">
          <OverviewPage />
        </Route>
        <Route path="/endpoints">
          <EndpointsPage />
        </Route>
        <Route path="/endpoints/:id">{({ id }) => <EndpointsPage id={id} />}</Route>
        <Route path="/dead">
          <DeadPage session={session} />
        </Route>
        <Route path="/inventory">
          <InventoryPage session={session} />
        </Route>
        <Route path="/clients">
          <ClientsPage session={session} />
        </Route>
        <Route path="/calls">
          <CallsPage />
        </Route>
        <Route path="/compare">
          <ComparePage />
        </Route>
        <Route path="/services">
          <ServicesPage />
        </Route>
        <Route path="/settings">
          <SettingsPage session={session} />
        </Route>
        <Route>
          <h1 className="visually-hidden">Not found</h1>
          <Notice title="There is no such page">
            <p>The address may have been cut short on its way.</p>
          </Notice>
        </Route>
      </Switch>
    </Shell>
  );
}

const titles: Record<string, string> = {
  '': 'Overview',
  endpoints: 'Endpoints',
  dead: 'Dead list',
  inventory: 'Inventory',
  clients: 'Clients',
  calls: 'Calls',
  compare: 'Compare',
  services: 'Services',
  settings: 'Settings',
};
