import { type ReactNode, useEffect, useRef } from 'react';
import { Link } from 'wouter';
import type { CallRow } from '../../api/answers.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { Name, Route } from '../../parts/route.tsx';
import { duration, exact, momentMs } from '../../state/format.ts';
import { carried, usePageSearch, writeSearch } from '../../state/search.ts';
import styles from './calls.module.css';
import { HttpStatus } from './http-status.tsx';
import { TraceLink } from './trace-link.tsx';

/** Everything that is known of one call. Values are links that narrow the list to calls like it. */
export function CallDetail({
  call,
  tz,
  onClose,
}: {
  call: CallRow;
  tz: string | undefined;
  onClose: () => void;
}) {
  const [search, change] = usePageSearch();
  const heading = useRef<HTMLHeadingElement>(null);
  // Each call's heading gets the focus
  useEffect(() => heading.current?.focus(), [call.id]);
  const only = (patch: Record<string, string>, text: string, empty = 'not told'): ReactNode =>
    text === '' ? (
      <span className={styles.none}>{empty}</span>
    ) : (
      <button
        type="button"
        className={styles.only}
        title="only calls like this"
        onClick={() => change({ calls: { ...search.calls, ...patch } })}
      >
        <Name text={text} />
      </button>
    );
  const { consumer, agent, client, service_version: version, error_type: error } = call;
  const facts: [string, ReactNode][] = [
    [
      'ended',
      <time key="at" dateTime={call.ended_at}>
        {momentMs(call.ended_at, tz)}
      </time>,
    ],
    ['status', only({ http: String(call.status ?? 'none') }, String(call.status ?? 'none'))],
    ['duration', call.duration_ms === null ? 'no latency' : duration(call.duration_ms)],
    ['service', <Name key="service" text={call.service} />],
    ['environment', <Name key="environment" text={call.environment} empty="none" />],
    ['version', only({ version: version ?? '' }, version ?? '')],
    ['consumer', only({ consumer: consumer ?? '' }, consumer ?? '')],
    ['agent', only({ agent: agent ?? '' }, agent ?? '')],
    ['bot', call.bot ? 'yes' : 'no'],
    ['address', only({ client: client ?? '' }, client ?? '')],
    ['error', only({ error_type: error ?? '' }, error ?? '', 'none')],
    ['request', bytes(call.request_bytes)],
    ['answer', bytes(call.response_bytes)],
    ...(call.weight === undefined
      ? []
      : [['represents', `${call.weight} calls`] as [string, ReactNode]]),
    ['trace', <TraceLink key="trace" call={call} />],
  ];
  return (
    <aside className={styles.detail} aria-label="Call">
      <header>
        <h2 ref={heading} tabIndex={-1}>
          <Route method={call.method} route={call.route} /> <HttpStatus status={call.status} />
        </h2>
        <button type="button" onClick={onClose}>
          Close <kbd>Esc</kbd>
        </button>
      </header>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.actions}>
        <Link
          href={`/endpoints/${encodeURIComponent(call.endpoint)}${writeSearch(carried(search))}`}
        >
          Its endpoint
        </Link>
        {call.trace_id !== null && (
          <button type="button" onClick={() => change({ calls: { trace_id: call.trace_id! } })}>
            Calls of its trace
          </button>
        )}
        <CopyButton name="Copy as JSON" text={() => JSON.stringify(call, null, 2)} />
      </p>
    </aside>
  );
}

const bytes = (count: number | null): string =>
  count === null ? 'not told' : `${exact(count)} bytes`;
