import type { Window } from '../../core/window.ts';
import type { Head, Note, QueryContext } from './answer-head.ts';
import type { FormatName } from './formats.ts';
import { type Order, type Position, readCursor, SortedList, writeCursor } from './page.ts';
import { type RequestedWindow, requestedWindow } from './window.ts';

export interface ListParameters extends RequestedWindow {
  limit: number;
  cursor?: string | undefined;
  format: FormatName | 'pdf';
  bom: 'true' | 'false';
}

/** All rows of a list at one moment, under the head that its pages share. */
export interface CollectedList<H extends Head, Row> {
  head: H;
  rows: readonly Row[];
  order: Order<Row>;
}

export interface ListPage<H extends Head, Row> {
  head: H;
  rows: Row[];
  next_cursor: string | null;
}

/**
 * One page of a list. A page with a cursor is cut from the list of the first page while that is remembered.
 * Later it is cut from a list of the present, behind the position of the page before, and says so.
 * @param path of the query: a cursor of one query does not continue another
 * @param collect reads the whole list of a window; not called while the list is remembered
 * @throws AppError `invalid` for a wrong window or cursor
 */
export async function listPage<H extends Head, Row>(
  context: QueryContext,
  path: string,
  parameters: ListParameters,
  collect: (window: Window) => Promise<CollectedList<H, Row>>,
): Promise<ListPage<H, Row>> {
  const { project, lists, nowMs } = context;
  const { limit, cursor: text, format: _format, bom: _bom, ...rest } = parameters;
  const query = JSON.stringify([path, rest]);
  const requested = requestedWindow(parameters, context);
  const cursor = readCursor(query, text);
  const window = cursor?.window ?? requested;
  const remembered = cursor && lists.find(cursor.list, project, query, nowMs);
  if (remembered) {
    const page = remembered.sorted.page(limit, cursor.after);
    return {
      head: remembered.head as H,
      rows: page.rows as Row[],
      next_cursor: page.last
        ? writeCursor(query, { ...cursor, after: positionOf(page.last) })
        : null,
    };
  }
  const { head, rows, order } = await collect(window);
  const sorted = new SortedList(rows, order);
  const page = sorted.page(limit, cursor?.after);
  let nextCursor: string | null = null;
  if (page.last) {
    const list = lists.remember({ project, query, head, sorted }, nowMs);
    nextCursor = writeCursor(query, { window, list, after: positionOf(page.last) });
  }
  const isRenewed = cursor !== undefined;
  return {
    head: isRenewed ? { ...head, notes: [...(head.notes ?? []), renewedNote] } : head,
    rows: page.rows,
    next_cursor: nextCursor,
  };
}

const renewedNote: Note = {
  code: 'list_renewed',
  message:
    'The list of the earlier pages is no longer remembered; this page is of a later moment: a row whose place changed may be missing or come twice.',
  field: 'cursor',
};

const positionOf = ({ value, key }: Position): Position => ({ value, key });
