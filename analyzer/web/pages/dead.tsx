import { useMemo } from 'react';
import { Link } from 'wouter';
import type {
  EndpointRow,
  RemovableEndpoints,
  Report,
  ReportRow,
  Session,
} from '../api/answers.ts';
import { evidenceText } from '../api/evidence.ts';
import { useRemovable, useReport } from '../api/queries.ts';
import { addressOf, api } from '../api/request.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Value } from '../parts/figure-value.tsx';
import { FilterBar } from '../parts/filter-bar.tsx';
import { Failure, Loading, Notice, StaleBanner } from '../parts/notice.tsx';
import { periodName } from '../parts/period-picker.tsx';
import { Route } from '../parts/route.tsx';
import { Marks, StatusWord } from '../parts/status.tsx';
import { exact, plural } from '../state/format.ts';
import { carried, type Search, usePageSearch, writeSearch } from '../state/search.ts';
import { plainText } from '../state/text.ts';
import { cautions, type Siblings, verdict } from '../state/verdict.ts';
import styles from './dead.module.css';

/** What can go, and why: dead and never called endpoints by service, longest silent first. */
export function DeadPage({ session }: { session: Session }) {
  const [search] = usePageSearch();
  const report = useReport(search);
  const removable = useRemovable(search);
  const error = report.error ?? removable.error;
  return (
    <>
      <h1 className="visually-hidden">Dead list</h1>
      <FilterBar updatedMs={report.dataUpdatedAt}>
        <a
          className={styles.csv}
          href={addressOf(api('/report/dead'), {
            service: search.service,
            environment: search.environment,
            method: search.method,
            format: 'csv',
          })}
          download="rollcall-dead.csv"
        >
          CSV
        </a>
      </FilterBar>
      {error && report.data && removable.data && (
        <StaleBanner error={error} updatedMs={removable.dataUpdatedAt} />
      )}
      {report.data !== undefined && removable.data !== undefined ? (
        <DeadList
          report={report.data}
          removable={removable.data}
          search={search}
          session={session}
        />
      ) : error ? (
        <Failure error={error} retry={() => Promise.all([report.refetch(), removable.refetch()])} />
      ) : (
        <Loading what="the dead list" />
      )}
    </>
  );
}

function DeadList({
  report,
  removable,
  search,
  session,
}: {
  report: Report;
  removable: RemovableEndpoints;
  search: Search;
  session: Session;
}) {
  const { method } = search;
  const isShown = useMemo(
    () => (row: { method: string }) => method === undefined || row.method === method,
    [method],
  );
  const rows = useMemo(() => report.endpoints.filter(isShown), [report, isShown]);
  const whole = useMemo(() => removable.endpoints.filter(isShown), [removable, isShown]);
  const listed = useMemo(() => whole.filter(isListed).sort(bySilence), [whole]);
  const knocked = useMemo(
    () =>
      whole.filter(({ marks }) => (marks as readonly string[]).includes('called_after_removal')),
    [whole],
  );
  const calls = useMemo(() => callsByService(report.endpoints), [report]);
  const groups = useMemo(() => groupsOf(listed), [listed]);
  const { dead_after_days: deadDays, cold_after_days: coldDays } = session.settings!;
  const itemOf = (row: (typeof whole)[number]) => (
    <DeadItem
      key={row.id}
      row={row}
      search={search}
      otherCalls={(calls.get(serviceOf(row)) ?? 0) - row.total_calls}
    />
  );
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  return (
    <>
      <section className={styles.plan} aria-label="Counts">
        <Count name="Dead" count={count('dead')}>
          silent for {plural(deadDays, 'day')} while their service was heard
        </Count>
        <Count name="Never called" count={count('never_called')}>
          declared, and no call since observation began
        </Count>
        <Count name="Cold" count={count('cold')}>
          silent for {plural(coldDays, 'day')}: watch them
        </Count>
        <Count name="Unknown" count={count('unknown')}>
          their service is silent too, which says nothing of them
        </Count>
      </section>
      {listed.length === 0 ? (
        <div className={styles.panel}>
          <Notice title="No endpoint is dead">
            <p>
              Every one was called in the last {plural(deadDays, 'day')} in which its service was
              heard.
            </p>
          </Notice>
        </div>
      ) : (
        groups.map(({ key, name, items }) => (
          <section key={key} className={styles.panel} aria-label={name}>
            <h2>
              {name} <small>{plural(items.length, 'endpoint')}, longest silent first</small>
            </h2>
            <ul className={styles.items}>{items.map(itemOf)}</ul>
          </section>
        ))
      )}
      {knocked.length > 0 && (
        <section className={styles.panel} aria-label="Removed, still called">
          <h2>
            Removed, still called <small>gone from the inventory, and called after that</small>
          </h2>
          <ul className={styles.items}>{knocked.map(itemOf)}</ul>
        </section>
      )}
    </>
  );
}

const isListed = ({ status }: EndpointRow): boolean =>
  status === 'dead' || status === 'never_called';

const bySilence = (a: EndpointRow, b: EndpointRow): number =>
  (b.days_since_last_call ?? Infinity) - (a.days_since_last_call ?? Infinity);

const serviceOf = ({ service, environment }: ReportRow): string => `${service}\n${environment}`;

function callsByService(rows: readonly ReportRow[]): Map<string, number> {
  const calls = new Map<string, number>();
  for (const row of rows) {
    calls.set(serviceOf(row), (calls.get(serviceOf(row)) ?? 0) + row.total_calls);
  }
  return calls;
}

function groupsOf(rows: readonly EndpointRow[]) {
  const groups = new Map<string, { key: string; name: string; items: EndpointRow[] }>();
  for (const row of rows) {
    const key = serviceOf(row);
    const group = groups.get(key);
    if (group !== undefined) {
      group.items.push(row);
      continue;
    }
    const { service, environment } = row;
    const name = plainText([service || 'unnamed', environment].filter(Boolean).join(' · '));
    groups.set(key, { key, name, items: [row] });
  }
  return [...groups.values()].sort((a, b) => b.items.length - a.items.length);
}

function Count({
  name,
  count,
  children,
}: {
  name: string;
  count: number;
  children: React.ReactNode;
}) {
  return (
    <div>
      <span className={styles.label}>{name}</span>
      <b>
        <Value of={count} as={exact} />
      </b>
      <span className={styles.about}>{children}</span>
    </div>
  );
}

/** The other reasons are told in the sentences above. */
const isFurther = ({ code }: EndpointRow['reasons'][number]): boolean =>
  !['silent', 'never_called', 'uses', 'sampled'].includes(code);

/** How sure the verdict is, in per cent. */
function Confidence({ of }: { of: number | null }) {
  if (of === null) return null;
  return <span className={styles.label}>{exact(Math.floor(of * 100))} % sure</span>;
}

function DeadItem({
  row,
  search,
  otherCalls,
}: {
  row: EndpointRow;
  search: Search;
  otherCalls: number;
}) {
  const siblings: Siblings | undefined =
    'from' in search.period
      ? undefined
      : { otherCalls, periodName: periodName(search.period, search.tz).toLowerCase() };
  const doubts = cautions(row);
  const reasons = verdict(row, siblings).filter((sentence) => !doubts.includes(sentence));
  return (
    <li className={styles.item}>
      <div className={styles.what}>
        <Link href={`/endpoints/${encodeURIComponent(row.id)}${writeSearch(carried(search))}`}>
          <Route method={row.method} route={row.route} />
        </Link>
        <StatusWord status={row.status} />
        <Confidence of={row.confidence} />
        <Marks marks={row.marks} />
      </div>
      <div className={styles.actions}>
        <CopyButton name="Copy for pull request" text={() => evidenceText(row.id)} />
      </div>
      <p className={styles.reasons}>
        {[...reasons, ...row.reasons.filter(isFurther).map(({ message }) => message)].join(' ')}
        {doubts.length > 0 && <span className={styles.doubts}> {doubts.join(' ')}</span>}
      </p>
    </li>
  );
}
