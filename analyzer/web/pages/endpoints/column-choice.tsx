import { useId } from 'react';
import { type Search, usePageSearch } from '../../state/search.ts';
import styles from './column-choice.module.css';
import type { EndpointColumn } from './columns.tsx';

/** Which columns the table shows, and how dense it is. */
export function ColumnChoice({
  columns,
  search,
}: {
  columns: readonly EndpointColumn[];
  search: Search;
}) {
  const [, change] = usePageSearch();
  const id = useId();
  const usual = columns.filter((column) => column.usual).map((column) => column.id);
  const shown = search.columns ?? usual;
  const choose = (column: string, isShown: boolean) => {
    const next = isShown ? [...shown, column] : shown.filter((one) => one !== column);
    const isUsual = next.length === usual.length && usual.every((one) => next.includes(one));
    change({ columns: isUsual ? undefined : next }, { replace: true });
  };
  return (
    <span className={styles.choice}>
      <button type="button" popoverTarget={id} className={styles.pick}>
        Columns
      </button>
      <div id={id} popover="auto" className={styles.list}>
        {columns.map((column) => (
          <label key={column.id}>
            <input
              type="checkbox"
              checked={shown.includes(column.id)}
              // A table without endpoints tells nothing.
              disabled={column.id === 'route'}
              onChange={({ target }) => choose(column.id, target.checked)}
            />
            {column.header}
          </label>
        ))}
        <label className={styles.dense}>
          <input
            type="checkbox"
            checked={search.dense}
            onChange={({ target }) => change({ dense: target.checked }, { replace: true })}
          />
          Dense rows
        </label>
      </div>
    </span>
  );
}
