import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useKeys } from '../state/keys.ts';
import styles from './data-table.module.css';

/** A column of a table of any kind of rows. */
export interface TableColumn<Row> {
  id: string;
  header: string;
  /** What the numbers are, where the header is too short for it. */
  about?: string;
  /** Of the grid: `96px`, `minmax(200px, 1fr)`. */
  width: string;
  isNumber?: boolean;
  cell: (row: Row) => ReactNode;
  /** Null stands last in either direction. Without it the column does not sort. */
  value?: (row: Row) => string | number | null;
}

export interface DataTableProps<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly TableColumn<Row>[];
  rowKey: (row: Row) => string;
  sort: { id: string; descending: boolean };
  onSort: (id: string, descending: boolean) => void;
  /** Rows of one group stand together under its heading. */
  groupOf?: ((row: Row) => string) | undefined;
  selectedKey?: string | undefined;
  /** Rows that can be opened have a link in their first cell; Enter follows it. */
  onOpen?: ((row: Row) => void) | undefined;
  onKeyEscape?: (() => void) | undefined;
  isDense?: boolean;
  isDim?: ((row: Row) => boolean) | undefined;
  empty: ReactNode;
}

type Item<Row> = { kind: 'group'; name: string; count: number } | { kind: 'row'; row: Row };

/**
 * A table that paints the rows in view only, for ten thousand of them and more. Its parts have the roles of a
 * table and are none: rows of a table element cannot be placed one by one.
 */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, rows, columns, rowKey, sort, onSort, groupOf, selectedKey, onOpen } = props;
  const { isDense = false, isDim, empty, onKeyEscape } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const sorted = useSorted(rows, columns, sort);
  const items = useMemo(() => itemsOf(sorted, groupOf), [sorted, groupOf]);
  const rowHeight = isDense ? 26 : 33;
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  // Another density has other heights.
  // Measured anew when the height changes
  useEffect(() => virtual.measure(), [rowHeight]);

  const [active, setActive] = useState<string | undefined>();
  const focusKey = useRef<string | undefined>(undefined);
  const indexOf = useCallback(
    (key: string | undefined) =>
      key === undefined
        ? -1
        : items.findIndex((item) => item.kind === 'row' && rowKey(item.row) === key),
    [items, rowKey],
  );
  const focus = (key: string) => {
    setActive(key);
    focusKey.current = key;
    virtual.scrollToIndex(indexOf(key), { align: 'auto' });
    focusRow(scroller.current, key);
  };
  const step = (by: 1 | -1) => {
    let index = indexOf(active ?? selectedKey);
    do index += by;
    while (items[index]?.kind === 'group');
    const item = items[Math.max(0, index)];
    if (item?.kind === 'row') focus(rowKey(item.row));
  };
  const latestStep = useRef(step);
  latestStep.current = step;
  const keys = useMemo(
    () => ({
      j: () => latestStep.current(1),
      k: () => latestStep.current(-1),
      ...(onKeyEscape && { Escape: onKeyEscape }),
    }),
    [onKeyEscape],
  );
  useKeys(keys);

  // A row that was out of view is there after the scrolling.
  useEffect(() => {
    if (focusKey.current !== undefined && focusRow(scroller.current, focusKey.current)) {
      focusKey.current = undefined;
    }
  });

  // Focus returns to the row that was open.
  const before = useRef(selectedKey);
  // Only when what is open changes
  useEffect(() => {
    if (before.current !== undefined && selectedKey === undefined) focus(before.current);
    before.current = selectedKey;
  }, [selectedKey]);

  const template = columns.map(({ width }) => width).join(' ');
  return (
    <div className={styles.frame}>
      <div
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        className={styles.scroller}
        ref={scroller}
      >
        <div role="rowgroup" className={styles.head}>
          <div
            role="row"
            aria-rowindex={1}
            className={styles.header}
            style={{ gridTemplateColumns: template }}
          >
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
        {items.length === 0 && <div className={styles.empty}>{empty}</div>}
        <div role="rowgroup" className={styles.body} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const item = items[index]!;
            if (item.kind === 'group') {
              return (
                <GroupRow key={`group ${item.name}`} top={start} height={rowHeight} {...item} />
              );
            }
            const key = rowKey(item.row);
            return (
              <TableRow
                key={key}
                rowId={key}
                index={index + 2}
                row={item.row as unknown}
                columns={columns as readonly TableColumn<unknown>[]}
                template={template}
                top={start}
                height={rowHeight}
                isSelected={key === selectedKey}
                isActive={key === active}
                isDim={isDim?.(item.row) ?? false}
                onOpen={onOpen as ((row: unknown) => void) | undefined}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function focusRow(scroller: HTMLElement | null, key: string): boolean {
  const row = scroller?.querySelector(`[data-row="${CSS.escape(key)}"]`);
  const target = row?.querySelector<HTMLElement>('a, button');
  target?.focus({ preventScroll: true });
  return target !== undefined && target !== null;
}

function useSorted<Row>(
  rows: readonly Row[],
  columns: readonly TableColumn<Row>[],
  { id, descending }: { id: string; descending: boolean },
): readonly Row[] {
  const value = columns.find((column) => column.id === id)?.value;
  return useMemo(() => {
    if (value === undefined) return rows;
    const keyed = rows.map((row) => ({ row, at: value(row) }));
    const sign = descending ? -1 : 1;
    keyed.sort(({ at: a }, { at: b }) => {
      if (a === b) return 0;
      if (a === null) return 1;
      if (b === null) return -1;
      return sign * (a < b ? -1 : 1);
    });
    return keyed.map(({ row }) => row);
  }, [rows, value, descending]);
}

/** Groups stand in the order of their first row. */
function itemsOf<Row>(
  rows: readonly Row[],
  groupOf: ((row: Row) => string) | undefined,
): readonly Item<Row>[] {
  if (groupOf === undefined) return rows.map((row) => ({ kind: 'row', row }));
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = groupOf(row);
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  const items: Item<Row>[] = [];
  for (const [name, group] of groups) {
    items.push({ kind: 'group', name, count: group.length });
    for (const row of group) items.push({ kind: 'row', row });
  }
  return items;
}

function HeaderCell<Row>({
  column: { id, header, about, isNumber, value },
  sort,
  onSort,
}: {
  column: TableColumn<Row>;
  sort: { id: string; descending: boolean };
  onSort: (id: string, descending: boolean) => void;
}) {
  const isSorted = sort.id === id;
  const direction = sort.descending ? 'descending' : 'ascending';
  const className = isNumber ? styles.number : undefined;
  return (
    <div
      role="columnheader"
      className={className}
      aria-sort={isSorted ? direction : undefined}
      title={about}
    >
      {value === undefined ? (
        header
      ) : (
        <button
          type="button"
          className={isSorted ? styles.sorted : undefined}
          onClick={() => onSort(id, isSorted ? !sort.descending : isNumber === true)}
        >
          {header}
          {isSorted && <span aria-hidden="true">{sort.descending ? ' ↓' : ' ↑'}</span>}
        </button>
      )}
    </div>
  );
}

function GroupRow({
  name,
  count,
  top,
  height,
}: {
  name: string;
  count: number;
  top: number;
  height: number;
}) {
  return (
    <div role="row" className={styles.group} style={{ transform: `translateY(${top}px)`, height }}>
      <div role="cell">
        {name} <small>{count}</small>
      </div>
    </div>
  );
}

interface TableRowProps {
  rowId: string;
  index: number;
  row: unknown;
  columns: readonly TableColumn<unknown>[];
  template: string;
  top: number;
  height: number;
  isSelected: boolean;
  isActive: boolean;
  isDim: boolean;
  onOpen: ((row: unknown) => void) | undefined;
}

/** Painted again only when something of it changed. */
const TableRow = memo(function TableRow(props: TableRowProps) {
  const { rowId, index, row, columns, template, top, height, onOpen } = props;
  const { isSelected, isActive, isDim } = props;
  const className = [
    styles.row,
    isSelected && styles.selected,
    isActive && styles.active,
    isDim && styles.dim,
    onOpen && styles.opens,
  ]
    .filter(Boolean)
    .join(' ');
  const open = (event: { target: EventTarget }) => {
    // A link or button within does its own.
    if (event.target instanceof Element && event.target.closest('a, button') !== null) return;
    onOpen?.(row);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') open(event);
  };
  return (
    <div
      role="row"
      aria-rowindex={index}
      data-row={rowId}
      className={className}
      style={{ transform: `translateY(${top}px)`, height, gridTemplateColumns: template }}
      onClick={open}
      onKeyDown={onKeyDown}
    >
      {columns.map(({ id, cell, isNumber }) => (
        <div role="cell" key={id} data-column={id} className={isNumber ? styles.number : undefined}>
          {cell(row)}
        </div>
      ))}
    </div>
  );
});
