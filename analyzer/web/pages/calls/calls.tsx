import { useCallback, useMemo, useState } from 'react';
import type { CallRow } from '../../api/answers.ts';
import { isSlowest, useArrivals, useCalls } from '../../api/calls.ts';
import { addressOf, api } from '../../api/request.ts';
import { FilterBar } from '../../parts/filter-bar.tsx';
import { Failure, Loading, Notes, Notice, StaleBanner } from '../../parts/notice.tsx';
import { exact, plural } from '../../state/format.ts';
import { narrow, useMedia } from '../../state/media.ts';
import { periodParameters } from '../../state/period.ts';
import { type Search, usePageSearch } from '../../state/search.ts';
import { DataTable } from '../../table/data-table.tsx';
import { callColumns } from './call-columns.tsx';
import { CallDetail } from './call-detail.tsx';
import { CallFilterForm } from './call-filters.tsx';
import styles from './calls.module.css';

/** Raw calls, newest or slowest first; one of them open beside the list. */
export function CallsPage() {
  const [search] = usePageSearch();
  const calls = useCalls(search);
  const [isLive, setLive] = useState(false);
  const first = calls.data?.pages[0];
  const canBeLive = !isSlowest(search) && !('from' in search.period);
  const arrivals = useArrivals(search, first?.follow_cursor, isLive && canBeLive);
  return (
    <>
      <h1 className="visually-hidden">Calls</h1>
      <FilterBar chips={['method']} updatedMs={Math.max(calls.dataUpdatedAt, arrivals.updatedMs)}>
        <button
          type="button"
          className={styles.live}
          aria-pressed={isLive && canBeLive}
          disabled={!canBeLive}
          title={canBeLive ? undefined : 'newest first, up to now'}
          onClick={() => setLive(!isLive)}
        >
          <i aria-hidden="true" /> Live
        </button>
      </FilterBar>
      <CallFilterForm key={JSON.stringify([search.route, search.calls])} />
      {(calls.error ?? arrivals.error) && calls.data && (
        <StaleBanner
          error={calls.error ?? (arrivals.error as Error)}
          updatedMs={calls.dataUpdatedAt}
        />
      )}
      <Notes notes={first?.notes} />
      {calls.data !== undefined ? (
        <CallTable calls={calls} arrived={arrivals.calls} search={search} isLive={isLive} />
      ) : calls.error ? (
        <Failure error={calls.error} retry={() => calls.refetch()} />
      ) : (
        <Loading what="the calls" />
      )}
    </>
  );
}

function CallTable({
  calls,
  arrived,
  search,
  isLive,
}: {
  calls: ReturnType<typeof useCalls>;
  arrived: readonly CallRow[];
  search: Search;
  isLive: boolean;
}) {
  const [, change] = usePageSearch();
  const isNarrow = useMedia(narrow);
  const [openId, setOpenId] = useState<string | undefined>();
  const pages = calls.data!.pages;
  const rows = useMemo(
    () => [...arrived, ...pages.flatMap((page) => page.calls)],
    [arrived, pages],
  );
  const open = rows.find(({ id }) => id === openId);
  const columns = useMemo(() => callColumns(search.tz, setOpenId, isNarrow), [search.tz, isNarrow]);
  const isOpen = open !== undefined;
  const visible = columns.filter(
    ({ narrow: isKept, open: isKeptBeside }) => isKept || (!isNarrow && (isKeptBeside || !isOpen)),
  );
  const close = useCallback(() => setOpenId(undefined), []);
  const onOpen = useCallback(({ id }: CallRow) => setOpenId(id), []);
  const sort = { id: isSlowest(search) ? 'duration_ms' : 'ended_at', descending: true };
  const onSort = useCallback(
    (id: string) => change({ sort: id === 'duration_ms' ? id : undefined }),
    [change],
  );
  const { http, ...filters } = search.calls;
  const csv = addressOf(api('/calls'), {
    ...periodParameters(search.period),
    ...filters,
    status: http,
    service: search.service,
    environment: search.environment,
    method: search.method,
    route: search.route,
    limit: '2000',
    format: 'csv',
  });
  return (
    <>
      <div className={styles.tools}>
        <p aria-live="polite">
          {plural(rows.length, 'call')}
          {calls.hasNextPage ? ', and more' : ''}
          {isLive && arrived.length > 0
            ? `, ${exact(arrived.length)} of them arrived while you look`
            : ''}
        </p>
        <span className={styles.space} />
        <a className={styles.button} href={csv} download="rollcall-calls.csv">
          CSV
        </a>
      </div>
      <div className={isOpen ? styles.withDetail : undefined}>
        <div>
          <DataTable
            label="Calls"
            rows={rows}
            columns={visible}
            rowKey={keyOf}
            sort={sort}
            onSort={onSort}
            selectedKey={open?.id}
            onOpen={onOpen}
            onKeyEscape={isOpen ? close : undefined}
            empty={
              <Notice title="No call like this">
                <p>
                  Raw calls are kept for some days; reports count longer.
                  {calls.hasNextPage && ' The search is not at its end.'}
                </p>
              </Notice>
            }
          />
          {calls.hasNextPage && (
            <button
              type="button"
              className={styles.more}
              disabled={calls.isFetchingNextPage}
              onClick={() => calls.fetchNextPage()}
            >
              {calls.isFetchingNextPage ? 'Looking …' : 'Show more'}
            </button>
          )}
        </div>
        {open && <CallDetail call={open} tz={search.tz} onClose={close} />}
      </div>
    </>
  );
}

const keyOf = ({ id }: CallRow): string => id;
