import { type ReactNode, useState } from 'react';
import styles from './chart-figure.module.css';

/** A chart with its name, and the same numbers as a table for screen readers. */
export interface ChartTable {
  columns: readonly string[];
  rows: number;
  cell: (row: number, column: number) => string;
}

const pageRows = 50;

export function ChartFigure({
  name,
  table,
  legend,
  notes,
  children,
}: {
  name: string;
  table: ChartTable;
  legend?: ReactNode;
  /** Under the table. */
  notes?: ReactNode;
  children: ReactNode;
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <figure className={styles.figure} aria-label={name}>
      {children}
      <figcaption className={styles.legend}>
        {legend}
        <details className={styles.table} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>As a table</summary>
          {isOpen && <PagedTable name={name} table={table} />}
          {isOpen && notes}
        </details>
      </figcaption>
    </figure>
  );
}

function PagedTable({ name, table }: { name: string; table: ChartTable }) {
  const [page, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(table.rows / pageRows));
  const shown = Math.min(page, pages - 1);
  const first = shown * pageRows;
  const rows = Array.from({ length: Math.min(pageRows, table.rows - first) }, (_, n) => first + n);
  return (
    <div className={styles.paged}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <section className={styles.scroll} tabIndex={0} aria-label={`${name}, table`}>
        <table>
          <thead>
            <tr>
              {table.columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row}>
                {table.columns.map((column, index) => (
                  <td key={column}>{table.cell(row, index)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {pages > 1 && (
        <div className={styles.pages}>
          <button type="button" disabled={shown === 0} onClick={() => setPage(shown - 1)}>
            Earlier
          </button>
          <span>
            page {shown + 1} of {pages}
          </span>
          <button type="button" disabled={shown === pages - 1} onClick={() => setPage(shown + 1)}>
            Later
          </button>
        </div>
      )}
    </div>
  );
}

export function LegendItem({ color, children }: { color: string; children: ReactNode }) {
  return (
    <span className={styles.item}>
      <i className={styles[color]} />
      {children}
    </span>
  );
}
