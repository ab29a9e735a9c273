import { type ReactNode, useEffect, useState } from 'react';
import { useServices } from '../api/queries.ts';
import { ageText, moment } from '../state/format.ts';
import { comparedName } from '../state/period.ts';
import { type Change, type Search, usePageSearch } from '../state/search.ts';
import { type Slice, sharedFilters, sliceFilters, sliceNames } from '../state/slice.ts';
import { plainText } from '../state/text.ts';
import { CopyButton } from './copy-button.tsx';
import styles from './filter-bar.module.css';
import { PeriodPicker, sharedAddress } from './period-picker.tsx';
import { statusWord } from './status.tsx';

/** What a page is narrowed to: services, environment, chips that can be taken off, and the time. */
export function FilterBar({
  updatedMs,
  children,
  withComparison = false,
  chips = usualChips,
}: {
  /** When the page's figures came. */
  updatedMs?: number | undefined;
  children?: ReactNode;
  /** `always`: a page that shows nothing else. */
  withComparison?: boolean | 'always';
  /** The filters that hold here and have no other control on the page. */
  chips?: readonly Chip[];
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
      <Chips search={search} change={change} shown={chips} />
      {children}
      <div className={styles.time}>
        {updatedMs !== undefined && updatedMs > 0 && <Age atMs={updatedMs} />}
        <PeriodPicker search={search} change={change} />
        {withComparison && (
          <select
            aria-label="Compare with"
            value={
              withComparison === 'always' && search.compare === 'off' ? 'previous' : search.compare
            }
            onChange={({ target }) => change({ compare: target.value as Search['compare'] })}
          >
            <option value="week">Against {comparedName(search.period, 'week')}</option>
            <option value="previous">Against {comparedName(search.period, 'previous')}</option>
            {withComparison !== 'always' && <option value="off">No comparison</option>}
          </select>
        )}
        <span
          className={styles.share}
          title="a link to what is shown, with the times as they are now"
        >
          <CopyButton name="Share" text={() => sharedAddress(search)} />
        </span>
      </div>
    </div>
  );
}

/** No service is called so: names come without control characters from the page itself. */
const allValue = '\u0000';

const withChosen = (names: readonly string[], chosen: string | undefined): readonly string[] =>
  chosen === undefined || names.includes(chosen) ? names : [chosen, ...names];

const usualChips = ['method', 'route', 'status', 'owner'] as const;
export const overviewChips = [...usualChips, ...sliceFilters] as const;
type Chip = (typeof overviewChips)[number];

/** Filters that hold, each a button that takes it off. */
function Chips({
  search,
  change,
  shown,
}: {
  search: Search;
  change: Change;
  shown: readonly Chip[];
}) {
  const { method, route, status, owner } = search;
  const values: Partial<Record<Chip, string | undefined>> = {
    method,
    route,
    status: status.map(statusWord).join(' or ') || undefined,
    owner: owner === '' ? 'none' : owner,
    ...sharedFilters(search.calls),
  };
  const chips = shown.flatMap((name) => {
    const value = values[name];
    return value === undefined
      ? []
      : [{ name, value, label: isSlice(name) ? sliceNames[name] : name }];
  });
  const off = (name: Chip) => {
    if (isSlice(name)) change({ calls: { ...search.calls, [name]: undefined } });
    else change({ [name]: name === 'status' ? [] : undefined });
  };
  return chips.map(({ name, value, label }) => (
    <button
      key={name}
      type="button"
      className={styles.chip}
      aria-label={`take off the filter ${label} ${value}`}
      title={plainText(value)}
      onClick={() => off(name)}
    >
      <b>{label}</b> {plainText(value)} <i aria-hidden="true">×</i>
    </button>
  ));
}

const isSlice = (name: Chip): name is Slice['filter'] =>
  (sliceFilters as readonly string[]).includes(name);

/** "15 s ago"; counts by itself. */
function Age({ atMs }: { atMs: number }) {
  const [, setNow] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 5_000);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <span className={styles.age} title={`figures of ${moment(atMs)}`}>
      {ageText(atMs)}
    </span>
  );
}
