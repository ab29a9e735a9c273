import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Report, ReportRow, Summary } from '../../api/answers.ts';
import { useTopConsumers } from '../../api/queries.ts';
import { Value } from '../../parts/figure-value.tsx';
import { Failure, Loading } from '../../parts/notice.tsx';
import { type Tab, TabPanel } from '../../parts/panel.tsx';
import { Rank, type RankItem } from '../../parts/rank.tsx';
import { Name, Route } from '../../parts/route.tsx';
import { choiceOf } from '../../state/choice.ts';
import { ago, compact, duration, percent, plural } from '../../state/format.ts';
import { carried, usePageSearch, writeSearch } from '../../state/search.ts';
import { plainText } from '../../state/text.ts';
import { ConsumerName } from '../consumer-table.tsx';
import { useClientItem } from './slice-items.tsx';

/** How many rows a list on the first page has. */
const rowsMost = 8;
/** One slow call makes no slow endpoint. */
const callsLeast = 20;

interface ListsProps {
  report: UseQueryResult<Report>;
  /** What the page's filters leave of it. */
  rows: readonly ReportRow[];
}

/** The endpoints to look at first, by three measures. */
export function EndpointLists({ report, rows }: ListsProps) {
  const item = useItem(rows);
  const whole = rows.reduce((sum, row) => sum + row.total_calls, 0);
  const by = (value: (row: ReportRow) => number) =>
    rows
      .filter((row) => value(row) > 0)
      .sort((a, b) => value(b) - value(a))
      .slice(0, rowsMost);
  const busiest = by((row) => row.total_calls);
  const slowest = by((row) => (row.total_calls < callsLeast ? 0 : (row.p95_duration_ms ?? 0)));
  const failing = by((row) => row.error_5xx_count);
  const tabs: Tab[] = [
    {
      name: 'Busiest',
      hint: 'calls',
      content: () => (
        <Rank
          empty="No endpoint was called in this time."
          items={busiest.map((row) =>
            item(row, <Value of={row.total_calls} as={compact} />, row.total_calls / whole),
          )}
        />
      ),
    },
    {
      name: 'Slowest',
      hint: `p95, from ${callsLeast} calls`,
      content: () => (
        <Rank
          empty={`No endpoint was called ${callsLeast} times in this time.`}
          items={slowest.map((row) => {
            const share = (row.p95_duration_ms ?? 0) / (slowest[0]?.p95_duration_ms ?? 1);
            return item(row, <Value of={row.p95_duration_ms} as={duration} />, share);
          })}
        />
      ),
    },
    {
      name: 'Most failing',
      hint: 'statuses from 500',
      content: () => (
        <Rank
          empty="No call of this time failed with a status from 500."
          items={failing.map((row) => {
            const share = row.error_5xx_count / row.total_calls;
            const value = (
              <>
                <Value of={row.error_5xx_count} as={compact} />
                {` · ${percent(100 * share)}`}
              </>
            );
            return { ...item(row, value, share), bad: true };
          })}
        />
      ),
    },
  ];
  return (
    <Listed report={report} what="the endpoints">
      <TabPanel label="Endpoints to look at" tabs={tabs} />
    </Listed>
  );
}

/** Dead, cold, new and undocumented endpoints. */
export function LifecycleLists({ report, rows }: ListsProps) {
  const item = useItem(rows);
  const latest = (kept: ReportRow[], at: (row: ReportRow) => string | null) =>
    kept.sort((a, b) => ((at(a) ?? '') < (at(b) ?? '') ? 1 : -1)).slice(0, rowsMost);
  const tab = (
    name: string,
    hint: string,
    empty: string,
    shown: ReportRow[],
    value: (row: ReportRow) => ReactNode,
  ): Tab => ({
    name,
    hint,
    content: () => <Rank empty={empty} items={shown.map((row) => item(row, value(row)))} />,
  });
  const ofStatus = (status: string) =>
    latest(
      rows.filter((row) => row.status === status),
      // Robots may still call what is dead
      (row) => row.last_used_at,
    );
  const ofMark = (mark: string) =>
    latest(
      rows.filter(({ marks }) => (marks as readonly string[]).includes(mark)),
      (row) => row.first_called_at,
    );
  const silent = (row: ReportRow) =>
    row.last_used_at === null
      ? 'never used'
      : plural(Math.floor((Date.now() - Date.parse(row.last_used_at)) / 86_400_000), 'day');
  const calls = (row: ReportRow) => <Value of={row.total_calls} as={compact} />;
  const undocumented = ofMark('undocumented');
  const tabs = [
    tab('Dead', 'not used for', 'No endpoint is dead.', ofStatus('dead'), silent),
    tab('Cold', 'not used for', 'No endpoint is cold.', ofStatus('cold'), silent),
    tab('New', 'first called, ago', 'No endpoint is new.', ofMark('new'), (row) =>
      ago(row.first_called_at),
    ),
    // Marks of this kind exist only with an inventory.
    ...(undocumented.length > 0 ? [tab('Undocumented', 'calls', '', undocumented, calls)] : []),
  ];
  return (
    <Listed report={report} what="the lifecycle">
      <TabPanel label="What came and went" tabs={tabs} />
    </Listed>
  );
}

/** Who called, with which methods, and what the answers were. */
export function CallerLists({ summary }: { summary: Summary }) {
  const [search, change] = usePageSearch();
  const clientItem = useClientItem();
  const { total_requests: whole } = summary.summary;
  const share = (count: number) => count / Math.max(1, whole);
  const statuses = Object.entries(summary.status_codes).sort(([, a], [, b]) => b - a);
  const methods = Object.entries(summary.method_usage);
  const tabs: Tab[] = [
    {
      name: 'Clients',
      content: () => (
        <Rank
          empty="No call of this time tells where it came from."
          items={summary.top_ips.slice(0, rowsMost).map(({ ip, requests }) => ({
            ...clientItem(ip),
            value: <Value of={requests} as={compact} />,
            share: share(requests),
          }))}
        />
      ),
    },
    {
      name: 'Consumers',
      content: () => <TopConsumers />,
    },
    {
      name: 'Status codes',
      content: () => (
        <Rank
          empty="No answer in this time."
          items={statuses.slice(0, rowsMost).map(([status, count]) => ({
            key: status,
            name: (
              <button type="button" onClick={() => change({ calls: { http: codeOf(status) } })}>
                {codeOf(status)}
              </button>
            ),
            open: {
              href: `/calls${writeSearch({ ...carried(search), calls: { http: codeOf(status) } })}`,
              label: `calls with the status ${codeOf(status)}`,
            },
            value: <Value of={count} as={compact} />,
            share: share(count),
            bad: Number(status) >= 500,
          }))}
        />
      ),
    },
    {
      name: 'Methods',
      content: () => (
        <Rank
          empty="No call in this time."
          items={methods.map(([method, count]) => ({
            key: method,
            name: (
              <button type="button" onClick={() => change({ method })}>
                <Name text={method} />
              </button>
            ),
            value: <Value of={count} as={compact} />,
            share: share(count),
          }))}
        />
      ),
    },
  ];
  return <TabPanel label="Callers and answers" tabs={tabs} />;
}

/** Calls without a status are counted under 0. */
const codeOf = (status: string): string => (status === '0' ? 'none' : status);

/** Asked for when their tab is opened. */
function TopConsumers() {
  const [search, change] = usePageSearch();
  const answer = useTopConsumers(search);
  const goes = carried(search);
  if (answer.data === undefined) {
    if (answer.error) return <Failure error={answer.error} retry={() => answer.refetch()} />;
    return <Loading what="the consumers" />;
  }
  const items = answer.data.consumers.map((row): RankItem => {
    const { consumer, named_by, calls, share_pct } = row;
    const filter = named_by === 'agent' ? { agent: consumer! } : { consumer: consumer! };
    const isOne = consumer !== null && named_by !== 'other';
    return {
      key: `${named_by} ${consumer}`,
      name: isOne ? (
        <button type="button" onClick={() => change({ calls: filter })}>
          <ConsumerName row={row} />
        </button>
      ) : (
        <ConsumerName row={row} />
      ),
      value: <Value of={calls} as={compact} />,
      share: (share_pct ?? 0) / 100,
      ...(isOne && {
        open: {
          href: `/clients${writeSearch({ ...goes, callers: 'consumers', q: consumer })}`,
          label: `open ${plainText(consumer)}`,
        },
      }),
    };
  });
  return <Rank empty="No call in this time." items={items} />;
}

/** An endpoint's item: its name narrows the page to it, and a link opens it. */
export function useItem(rows: readonly ReportRow[]) {
  const [search, change] = usePageSearch();
  const goes = writeSearch(carried(search));
  return (row: ReportRow, value: ReactNode, share = 0): RankItem => ({
    key: row.id,
    name: (
      <button type="button" onClick={() => change(choiceOf(row, rows))}>
        <Route method={row.method} route={row.route} />
      </button>
    ),
    value,
    share,
    open: {
      href: `/endpoints/${encodeURIComponent(row.id)}${goes}`,
      label: `open ${row.method} ${plainText(row.route)}`,
    },
  });
}

function Listed({
  report,
  what,
  children,
}: {
  report: UseQueryResult<Report>;
  what: string;
  children: ReactNode;
}) {
  if (report.data !== undefined) return children;
  if (report.error) return <Failure error={report.error} retry={() => report.refetch()} />;
  return <Loading what={what} />;
}
