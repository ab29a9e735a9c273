import type { FormEvent } from 'react';
import { type CallFilters, callFilters, usePageSearch } from '../../state/search.ts';
import styles from './calls.module.css';

const statuses = [
  ['', 'Any status'],
  ['2xx', '2xx'],
  ['3xx', '3xx'],
  ['4xx', '4xx'],
  ['5xx', '5xx'],
  ['4xx,5xx', '4xx and 5xx'],
  ['none', 'No status'],
] as const;

const texts = [
  ['consumer', 'Consumer', '', 200],
  ['client', 'Address', '', 64],
  ['trace_id', 'Trace id', '', 32],
] as const;

const moreTexts = [
  ['agent', 'User agent', 'curl', 512],
  ['version', 'Service version', '', 100],
  ['error_type', 'Error type', '', 200],
] as const;

/** The filters of raw calls. They hold from Enter or the button on, and are in the address. */
export function CallFilterForm() {
  const [{ calls, route, sort }, change] = usePageSearch();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const given = callFilters.flatMap((name) => {
      const value = String(data.get(name) ?? '').trim();
      return value === '' ? [] : [[name, value] as const];
    });
    const chosen = String(data.get('route') ?? '').trim();
    change({ route: chosen || undefined, calls: Object.fromEntries(given) as CallFilters });
  };
  const field = ([name, label, placeholder, most]: readonly [
    keyof CallFilters,
    string,
    string,
    number,
  ]) => (
    <label key={name}>
      {label}
      <input name={name} defaultValue={calls[name]} placeholder={placeholder} maxLength={most} />
    </label>
  );
  const number = (name: 'duration_min' | 'duration_max', label: string) => (
    <label className={styles.short}>
      {label}
      <input
        name={name}
        defaultValue={calls[name]}
        inputMode="decimal"
        pattern="\d{1,10}(\.\d{1,6})?"
        placeholder="ms"
      />
    </label>
  );
  const isMore = moreTexts.some(([name]) => calls[name]) || calls.bot !== undefined;
  const known = statuses.some(([value]) => value === (calls.http ?? ''));
  return (
    <form className={styles.form} onSubmit={submit} aria-label="Filters of calls">
      <label>
        Route
        <input name="route" defaultValue={route} placeholder="/orders/*" maxLength={512} />
      </label>
      <label className={styles.choice}>
        Status
        <select
          name="http"
          defaultValue={calls.http ?? ''}
          onChange={({ currentTarget }) => currentTarget.form?.requestSubmit()}
        >
          {statuses.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
          {!known && <option value={calls.http}>{calls.http}</option>}
        </select>
      </label>
      {number('duration_min', 'At least')}
      {number('duration_max', 'At most')}
      {texts.map(field)}
      {calls.endpoint !== undefined && (
        <input type="hidden" name="endpoint" value={calls.endpoint} />
      )}
      <details open={isMore}>
        <summary>More</summary>
        <div className={styles.moreFields}>
          {moreTexts.map(field)}
          <label>
            Callers
            <select name="bot" defaultValue={calls.bot ?? ''}>
              <option value="">People and bots</option>
              <option value="false">People</option>
              <option value="true">Bots</option>
            </select>
          </label>
        </div>
      </details>
      <span className={styles.buttons}>
        <button type="submit">Search</button>
        {(Object.keys(calls).length > 0 || route !== undefined) && (
          <button type="button" onClick={() => change({ calls: {}, route: undefined })}>
            Clear
          </button>
        )}
        <label className={styles.order}>
          Order
          <select
            value={sort === 'duration_ms' ? sort : ''}
            onChange={({ target }) => change({ sort: target.value || undefined })}
          >
            <option value="">Newest first</option>
            <option value="duration_ms">Slowest first</option>
          </select>
        </label>
      </span>
    </form>
  );
}
