import { useEffect, useMemo, useRef } from 'react';
import type { EndpointAnswer, EndpointRow } from '../../api/answers.ts';
import { evidenceText } from '../../api/evidence.ts';
import { useComparedEndpoint, useEndpoint, useReport, useTimeseries } from '../../api/queries.ts';
import { Heatmap } from '../../charts/heatmap.tsx';
import { PercentileCurve } from '../../charts/percentile-curve.tsx';
import { ShareBar } from '../../charts/share-bar.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { Value } from '../../parts/figure-value.tsx';
import { Failure, Loading, StaleBanner } from '../../parts/notice.tsx';
import { TabPanel } from '../../parts/panel.tsx';
import { periodName } from '../../parts/period-picker.tsx';
import { Rank } from '../../parts/rank.tsx';
import { Name, Route } from '../../parts/route.tsx';
import { Marks, StatusWord } from '../../parts/status.tsx';
import {
  ago,
  agoText,
  browserZone,
  compact,
  duration,
  exact,
  moment,
  percent,
  relativeChange,
} from '../../state/format.ts';
import { useKeys } from '../../state/keys.ts';
import { isLike } from '../../state/period.ts';
import { isRemovable } from '../../state/removal-step.ts';
import { usePageSearch } from '../../state/search.ts';
import { type Siblings, verdict } from '../../state/verdict.ts';
import { ConsumerName } from '../consumer-table.tsx';
import { EndpointDecision } from '../decisions/endpoint-decision.tsx';
import { CallsBars, GroupedBars, LatencyLines } from '../overview/charts.tsx';
import { CallList, CallsLink } from './call-list.tsx';
import styles from './drawer.module.css';
import { LifeLine } from './life-line.tsx';
import { Timeline } from './timeline.tsx';
import { Versions } from './versions.tsx';

/** One endpoint beside the list: its figures, its callers, and its verdict. */
export function EndpointDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const [search] = usePageSearch();
  const answer = useEndpoint(id, search.period);
  const heading = useRef<HTMLHeadingElement>(null);
  const keys = useMemo(() => ({ Escape: onClose }), [onClose]);
  useKeys(keys);
  const isThere = answer.data !== undefined;
  // Each endpoint's heading gets the focus once it is there
  useEffect(() => heading.current?.focus(), [id, isThere]);
  return (
    <aside className={styles.drawer} aria-label="Endpoint">
      <div className={styles.top}>
        <button type="button" onClick={onClose} className={styles.close}>
          Close <kbd>Esc</kbd>
        </button>
      </div>
      {answer.data !== undefined ? (
        <>
          <header className={styles.header}>
            <h2 ref={heading} tabIndex={-1}>
              <Route method={answer.data.endpoint.method} route={answer.data.endpoint.route} />
            </h2>
            <p>
              <StatusWord status={answer.data.endpoint.status} quiet={false} />
              <Marks marks={answer.data.endpoint.marks} />
              <span className={styles.where}>
                <Name text={answer.data.endpoint.service} />
                {answer.data.endpoint.environment !== '' && (
                  <>
                    , <Name text={answer.data.endpoint.environment} />
                  </>
                )}
              </span>
            </p>
          </header>
          {answer.error && <StaleBanner error={answer.error} updatedMs={answer.dataUpdatedAt} />}
          <Detail answer={answer.data} />
        </>
      ) : answer.error ? (
        <Failure error={answer.error} retry={() => answer.refetch()} />
      ) : (
        <Loading what="the endpoint" />
      )}
    </aside>
  );
}

const chartHeight = 130;

function Detail({ answer }: { answer: EndpointAnswer }) {
  const [search] = usePageSearch();
  const { endpoint: row } = answer;
  const siblings = useSiblings(row);
  const tz = search.tz ?? browserZone;
  const asked = {
    period: search.period,
    service: row.service,
    environment: row.environment,
    endpoint: row.id,
    tz,
  };
  const series = useTimeseries({ ...asked, enabled: row.total_calls > 0 });
  // Nothing is to be decided on what is in use: its figures come first
  const isLater = row.status === 'active' && row.decision === null;
  const decision = row.status !== null && (
    <section className={styles.part}>
      <EndpointDecision row={row} />
    </section>
  );
  const statuses = Object.entries(answer.status_codes).sort(([, a], [, b]) => b - a);
  return (
    <>
      <Facts answer={answer} />
      <section className={styles.part}>
        <h3>Life</h3>
        <LifeLine row={row} nowMs={Date.parse(answer.generated_at)} />
        <p className={styles.verdict}>{verdict(row, siblings).join(' ')}</p>
        <Timeline row={row} nowMs={Date.parse(answer.generated_at)} />
        <CopyButton
          name={isRemovable(row) ? 'Copy for pull request' : 'Copy as text'}
          text={() => evidenceText(row.id)}
        />
      </section>
      {!isLater && decision}
      {row.total_calls > 0 && (
        <>
          {series.data && (
            <>
              <div className={styles.tabs}>
                <TabPanel
                  label="Calls over time"
                  tabs={[
                    {
                      name: 'Calls and errors',
                      content: () => (
                        <CallsBars series={series.data} tz={search.tz} height={chartHeight} />
                      ),
                    },
                    ...(['outcome', 'status_class'] as const).map((by) => ({
                      name: by === 'outcome' ? 'Outcomes' : 'Statuses',
                      content: () => (
                        <GroupedBars asked={asked} by={by} tz={search.tz} height={chartHeight} />
                      ),
                    })),
                  ]}
                />
              </div>
              <section className={styles.chart}>
                <h3>Latency</h3>
                <LatencyLines series={series.data} tz={search.tz} height={150} />
              </section>
            </>
          )}
          {answer.latency_heatmap.bounds_ms.length > 1 && (
            <section className={styles.chart}>
              <h3>All calls by duration</h3>
              <Heatmap
                data={answer.latency_heatmap}
                endMs={Date.parse(answer.window.to)}
                events={series.data?.events}
                tz={search.tz}
              />
            </section>
          )}
          <section className={styles.chart}>
            <h3>Percentiles</h3>
            <PercentileCurve curve={answer.percentile_curve} />
          </section>
          <Outcomes row={row} />
          <section className={styles.list}>
            <h3>Answers by status</h3>
            <Rank
              empty="None in this time."
              items={statuses.map(([status, count]) => ({
                key: status,
                name: (
                  <CallsLink row={row} filter={{ http: status === '0' ? 'none' : status }}>
                    {status === '0' ? 'none' : status}
                  </CallsLink>
                ),
                value: (
                  <>
                    <Value of={count} as={compact} />
                    {` · ${percent((100 * count) / row.total_calls)}`}
                  </>
                ),
                share: count / row.total_calls,
                bad: Number(status) >= 500,
              }))}
            />
          </section>
          <Versions versions={answer.versions} row={row} />
          <section className={styles.list}>
            <h3>Consumers</h3>
            <Rank
              empty="No call of this time tells who made it."
              items={answer.consumers.slice(0, 10).map((consumer) => ({
                key: `${consumer.named_by} ${consumer.consumer}`,
                name: <ConsumerName row={consumer} />,
                value: (
                  <>
                    <Value of={consumer.calls} as={compact} />
                    {consumer.errors > 0 && <small>{` · ${exact(consumer.errors)} errors`}</small>}
                  </>
                ),
                share: consumer.calls / row.total_calls,
              }))}
            />
          </section>
          <section className={styles.list}>
            <h3>Clients</h3>
            <Rank
              empty="No call of this time tells where it came from."
              items={answer.clients.slice(0, 10).map(({ client, calls, errors }) => ({
                key: client,
                name: (
                  <CallsLink row={row} filter={{ client }}>
                    <Name text={client} />
                  </CallsLink>
                ),
                value: (
                  <>
                    <Value of={calls} as={compact} />
                    {errors > 0 && <small>{` · ${exact(errors)} errors`}</small>}
                  </>
                ),
                share: calls / row.total_calls,
              }))}
            />
          </section>
        </>
      )}
      <CallList
        title="Slowest calls"
        calls={answer.slowest_calls}
        row={row}
        filter={{}}
        sort="duration_ms"
      />
      <CallList
        title="Latest errors"
        calls={answer.latest_errors}
        row={row}
        filter={{ http: '4xx,5xx' }}
      />
      <LastCallers row={row} />
      {isLater && decision}
    </>
  );
}

/** Calls to other endpoints of the same service in the time shown, from the list that is there anyway. */
function useSiblings(row: EndpointRow): Siblings | undefined {
  const [search] = usePageSearch();
  const report = useReport(search).data;
  return useMemo(() => {
    if (report === undefined || 'from' in search.period) return undefined;
    const otherCalls = report.endpoints.reduce(
      (sum, other) =>
        other.service === row.service &&
        other.environment === row.environment &&
        other.id !== row.id
          ? sum + other.total_calls
          : sum,
      0,
    );
    return { otherCalls, periodName: periodName(search.period, search.tz).toLowerCase() };
  }, [report, row, search]);
}

function Facts({ answer }: { answer: EndpointAnswer }) {
  const [search] = usePageSearch();
  const { endpoint: row } = answer;
  const earlier = useComparedEndpoint(row.id, answer, search.period, search.compare).data;
  const before =
    search.compare !== 'off' && earlier && isLike(earlier.window, answer.window)
      ? earlier.endpoint
      : undefined;
  const failed = row.error_rate_pct !== null && row.error_5xx_count / row.total_calls >= 0.01;
  return (
    <dl className={styles.facts}>
      <div>
        <dt>calls</dt>
        <dd>
          <Value of={row.total_calls} as={compact} />
        </dd>
        <dd className={styles.small}>
          {before ? (relativeChange(row.total_calls, before.total_calls) ?? 'none before') : ''}
        </dd>
      </div>
      <div>
        <dt>errors</dt>
        <dd className={failed ? styles.bad : undefined}>
          <Value of={row.error_rate_pct} as={percent} />
        </dd>
        <dd className={styles.small}>
          {before && before.error_rate_pct !== null ? `was ${percent(before.error_rate_pct)}` : ''}
        </dd>
      </div>
      <div>
        <dt>p95</dt>
        <dd>
          <Value of={row.p95_duration_ms} as={duration} />
        </dd>
        <dd className={styles.small}>
          {before && before.p95_duration_ms !== null
            ? `was ${duration(before.p95_duration_ms)}`
            : ''}
        </dd>
      </div>
      <div>
        <dt>clients</dt>
        <dd>
          <Value of={row.unique_clients} as={compact} />
        </dd>
        <dd className={styles.small}>last call {agoText(row.last_called_at)}</dd>
      </div>
    </dl>
  );
}

/** What became of the calls, as one bar and in words. */
function Outcomes({ row }: { row: EndpointRow }) {
  const parts = [
    { key: 'answered', name: 'answered', count: row.answered_count },
    { key: 'refused', name: 'refused (401, 403, 429)', count: row.refused_count },
    { key: 'missing', name: 'missing (404, 405, 410)', count: row.missing_count },
    { key: 'failed', name: 'failed', count: row.failed_count },
  ];
  return (
    <section className={styles.part}>
      <h3>Outcomes</h3>
      <ShareBar parts={parts} label="calls" />
      <ul className={styles.outcomes}>
        {parts.map(({ key, name, count }) => (
          <li key={key} data-part={key}>
            {name} <Value of={count} as={compact} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function LastCallers({ row }: { row: EndpointRow }) {
  if (row.last_callers.length === 0) return null;
  return (
    <section className={styles.part}>
      <h3>Last callers, of all time</h3>
      <table className={styles.callers}>
        <thead>
          <tr>
            <th scope="col">caller</th>
            <th scope="col">address</th>
            <th scope="col">when</th>
          </tr>
        </thead>
        <tbody>
          {row.last_callers.map(({ client, consumer, agent, called_at }) => (
            <tr key={`${client} ${consumer} ${agent}`}>
              <td>
                <Name text={[consumer, agent].filter(Boolean).join(', ')} empty="not told" />
              </td>
              <td>
                <Name text={client ?? ''} empty="not told" />
              </td>
              <td>
                <time dateTime={called_at} title={moment(called_at)}>
                  {ago(called_at)}
                </time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
