import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useServices } from '../api/queries.ts';
import { ago, agoText, browserZone, moment } from '../state/format.ts';
import { useKeys } from '../state/keys.ts';
import { comparedName, lengthMs, type Period, presets } from '../state/period.ts';
import { type Change, type Search, usePageSearch, writeSearch } from '../state/search.ts';
import { plainText } from '../state/text.ts';
import { CopyButton } from './copy-button.tsx';
import styles from './filter-bar.module.css';
import { statusWord } from './status.tsx';

/** What a page is narrowed to: services, environment, chips that can be taken off, and the time. */
export function FilterBar({
  updatedMs,
  children,
  withComparison = false,
  withStatus = false,
}: {
  /** When the page's figures came. */
  updatedMs?: number | undefined;
  children?: ReactNode;
  withComparison?: boolean;
  withStatus?: boolean;
}) {
  const [search, change] = usePageSearch();
  const services = useServices().data?.services ?? [];
  const names = [...new Set(services.map(({ service }) => service))].sort();
  const environments = [...new Set(services.map(({ environment }) => environment))].sort();
  return (
    <div className={styles.bar}>
      <select
        aria-label="Service"
        value={search.service ?? allValue}
        onChange={({ target }) =>
          change({ service: target.value === allValue ? undefined : target.value })
        }
      >
        <option value={allValue}>All services</option>
        {withChosen(names, search.service).map((name) => (
          <option key={name} value={name}>
            {name === '' ? 'unnamed' : plainText(name)}
          </option>
        ))}
      </select>
      {(environments.length > 1 || search.environment !== undefined) && (
        <select
          aria-label="Environment"
          value={search.environment ?? allValue}
          onChange={({ target }) =>
            change({ environment: target.value === allValue ? undefined : target.value })
          }
        >
          <option value={allValue}>All environments</option>
          {withChosen(environments, search.environment).map((name) => (
            <option key={name} value={name}>
              {name === '' ? 'no environment' : plainText(name)}
            </option>
          ))}
        </select>
      )}
      <Chips search={search} change={change} withStatus={withStatus} />
      {children}
      <span className={styles.space} />
      {updatedMs !== undefined && updatedMs > 0 && <Age atMs={updatedMs} />}
      <PeriodPicker search={search} change={change} />
      {withComparison && (
        <select
          aria-label="Compare with"
          value={search.compare}
          onChange={({ target }) => change({ compare: target.value as Search['compare'] })}
        >
          <option value="week">Against {comparedName(search.period, 'week')}</option>
          <option value="previous">Against {comparedName(search.period, 'previous')}</option>
          <option value="off">No comparison</option>
        </select>
      )}
    </div>
  );
}

/** No service is called so: names come without control characters from the page itself. */
const allValue = '\u0000';

const withChosen = (names: readonly string[], chosen: string | undefined): readonly string[] =>
  chosen === undefined || names.includes(chosen) ? names : [chosen, ...names];

function Chips({
  search,
  change,
  withStatus,
}: {
  search: Search;
  change: Change;
  withStatus: boolean;
}) {
  const chips: { name: string; value: string; off: Partial<Search> }[] = [];
  if (search.method !== undefined) {
    chips.push({ name: 'method', value: search.method, off: { method: undefined } });
  }
  if (withStatus && search.status.length > 0) {
    const value = search.status.map(statusWord).join(', ');
    chips.push({ name: 'status', value, off: { status: [] } });
  }
  if (withStatus && search.mark !== undefined) {
    const value = search.mark.replaceAll('_', ' ');
    chips.push({ name: 'mark', value, off: { mark: undefined } });
  }
  return chips.map(({ name, value, off }) => (
    <button
      key={name}
      type="button"
      className={styles.chip}
      aria-label={`take off the filter ${name} ${value}`}
      onClick={() => change(off)}
    >
      <b>{name}</b> {plainText(value)} <i aria-hidden="true">×</i>
    </button>
  ));
}

/** "4 s ago"; counts by itself. */
function Age({ atMs }: { atMs: number }) {
  const [, setNow] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 10_000);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <span className={styles.age} title={`figures of ${moment(atMs)}`}>
      {ago(atMs) === 'now' ? 'live' : agoText(atMs)}
    </span>
  );
}

function PeriodPicker({ search, change }: { search: Search; change: Change }) {
  const { period } = search;
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const choose = (next: Period) => {
    list.current?.hidePopover();
    change({ period: next });
  };
  const zoomOut = useMemo(
    () => ({ o: () => change({ period: zoomedFrom() ?? { window: '7d' } }) }),
    [change],
  );
  useKeys('from' in period ? zoomOut : noKeys);
  return (
    <span className={styles.period}>
      <button type="button" className={styles.pick} popoverTarget={id}>
        {periodName(period, search.tz)}
      </button>
      <div id={id} popover="auto" ref={list} className={styles.list}>
        {presets.map(({ window, name, key }) => (
          <button
            key={window}
            type="button"
            aria-pressed={'window' in period && period.window === window}
            onClick={() => choose({ window })}
          >
            {name} {key && <kbd>{key}</kbd>}
          </button>
        ))}
        <CustomRange period={period} choose={choose} />
        <div className={styles.foot}>
          <label>
            <input
              type="checkbox"
              checked={search.tz === 'UTC'}
              onChange={({ target }) => change({ tz: target.checked ? 'UTC' : undefined })}
            />{' '}
            times in UTC
          </label>
          <CopyButton name="Copy link to this time" text={() => sharedAddress(search)} />
        </div>
      </div>
    </span>
  );
}

const noKeys = {};

/** The period before a range was dragged: kept with the step of the history that the drag made. */
function zoomedFrom(): Period | undefined {
  const state: unknown = window.history.state;
  if (typeof state !== 'object' || state === null || !('zoomedFrom' in state)) return undefined;
  return state.zoomedFrom as Period;
}

/** A link that shows the same figures tomorrow: with the time as it is now, and its zone. */
function sharedAddress(search: Search): string {
  const { period } = search;
  const toMs = Math.ceil(Date.now() / 60_000) * 60_000;
  const fixed =
    'from' in period
      ? period
      : {
          from: new Date(toMs - lengthMs(period)).toISOString(),
          to: new Date(toMs).toISOString(),
        };
  const { origin, pathname } = window.location;
  return (
    origin + pathname + writeSearch({ ...search, period: fixed, tz: search.tz ?? browserZone })
  );
}

function CustomRange({ period, choose }: { period: Period; choose: (period: Period) => void }) {
  const [from, setFrom] = useState('from' in period ? localTime(period.from) : '');
  const [to, setTo] = useState('from' in period ? localTime(period.to) : '');
  const isRight = from !== '' && to !== '' && from < to;
  return (
    <form
      className={styles.range}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isRight) return;
        choose({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
      }}
    >
      <label>
        from
        <input
          type="datetime-local"
          value={from}
          onChange={({ target }) => setFrom(target.value)}
        />
      </label>
      <label>
        to
        <input type="datetime-local" value={to} onChange={({ target }) => setTo(target.value)} />
      </label>
      <button type="submit" disabled={!isRight}>
        Show this range
      </button>
    </form>
  );
}

/** As `datetime-local` wants it, in the browser's own zone. */
function localTime(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function periodName(period: Period, tz: string | undefined): string {
  if ('from' in period) return `${moment(period.from, tz)} – ${moment(period.to, tz)}`;
  const preset = presets.find(({ window }) => window === period.window);
  if (preset !== undefined) return preset.name;
  const unit = { m: 'minutes', h: 'hours', d: 'days' }[period.window.slice(-1) as 'm' | 'h' | 'd'];
  return `Last ${period.window.slice(0, -1)} ${unit}`;
}
