import { useId, useMemo, useRef, useState } from 'react';
import { browserZone, moment } from '../state/format.ts';
import { useKeys } from '../state/keys.ts';
import { lengthMs, type Period, presets } from '../state/period.ts';
import { type Change, type Search, writeSearch } from '../state/search.ts';
import styles from './filter-bar.module.css';

/** The time a page shows: a list of usual periods, a range of one's own, and the zone. */
export function PeriodPicker({ search, change }: { search: Search; change: Change }) {
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
export function sharedAddress(search: Search): string {
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
