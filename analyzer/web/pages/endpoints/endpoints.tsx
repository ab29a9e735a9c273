import { useCallback, useMemo, useRef } from 'react';
import { useLocation } from 'wouter';
import type { Report, ReportRow } from '../../api/answers.ts';
import { useReport, useSparks } from '../../api/queries.ts';
import { addressOf, api } from '../../api/request.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { FilterBar } from '../../parts/filter-bar.tsx';
import { Failure, Loading, Notes, Notice, StaleBanner } from '../../parts/notice.tsx';
import { OwnerChoice } from '../../parts/owner-choice.tsx';
import { Segments } from '../../parts/segments.tsx';
import { StatusWord, statusWord } from '../../parts/status.tsx';
import { isChosen } from '../../state/choice.ts';
import { exact, plural } from '../../state/format.ts';
import { useKeys } from '../../state/keys.ts';
import { narrow, useMedia } from '../../state/media.ts';
import { periodParameters } from '../../state/period.ts';
import {
  type Group,
  groups,
  type Search,
  statuses,
  usePageSearch,
  writeSearch,
} from '../../state/search.ts';
import { plainText } from '../../state/text.ts';
import { DataTable } from '../../table/data-table.tsx';
import { ColumnChoice } from './column-choice.tsx';
import { endpointColumns } from './columns.tsx';
import { EndpointDrawer } from './drawer.tsx';
import styles from './endpoints.module.css';
import { markdownOf } from './markdown.ts';

/** The status has a control of its own over the table. */
const chips = ['method', 'route', 'owner'] as const;

/** Every endpoint in one table; one of them open beside it. */
export function EndpointsPage({ id }: { id?: string }) {
  const [search, change] = usePageSearch();
  const [, navigate] = useLocation();
  const report = useReport(search);
  const close = useCallback(() => navigate(`/endpoints${writeSearch(search)}`), [navigate, search]);
  return (
    <>
      <h1 className="visually-hidden">Endpoints</h1>
      <FilterBar updatedMs={report.dataUpdatedAt} chips={chips}>
        <SearchField search={search} report={report.data} onChange={change} />
      </FilterBar>
      {report.error && report.data && (
        <StaleBanner error={report.error} updatedMs={report.dataUpdatedAt} />
      )}
      <Notes notes={report.data?.notes} />
      {report.data !== undefined ? (
        <EndpointTable report={report.data} search={search} selected={id} onClose={close} />
      ) : report.error ? (
        <Failure error={report.error} retry={() => report.refetch()} />
      ) : (
        <Loading what="the endpoints" />
      )}
      {/* A link to one endpoint shows it without waiting for the list. */}
      {report.data === undefined && id !== undefined && <EndpointDrawer id={id} onClose={close} />}
    </>
  );
}

function SearchField({
  search,
  report,
  onChange,
}: {
  search: Search;
  report: Report | undefined;
  onChange: (patch: Partial<Search>, how?: { replace?: boolean }) => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  const keys = useMemo(() => ({ '/': () => field.current?.focus() }), []);
  useKeys(keys);
  const count = report === undefined ? '' : `${exact(report.summary.total_endpoints)} `;
  return (
    <span className={styles.search}>
      <input
        ref={field}
        type="search"
        aria-label="Search endpoints"
        placeholder={`Search ${count}endpoints`}
        value={search.q}
        maxLength={200}
        onChange={({ target }) => onChange({ q: target.value }, { replace: true })}
        onKeyDown={({ key }) => {
          if (key === 'Escape' || key === 'Enter') field.current?.blur();
        }}
      />
      <kbd>/</kbd>
    </span>
  );
}

function EndpointTable({
  report,
  search,
  selected,
  onClose,
}: {
  report: Report;
  search: Search;
  selected: string | undefined;
  onClose: () => void;
}) {
  const [, change] = usePageSearch();
  const [, navigate] = useLocation();
  const isNarrow = useMedia(narrow);
  const goes = writeSearch(search);
  const found = useFound(report, search);
  const shown = useMemo(
    () =>
      search.status.length === 0
        ? found
        : found.filter(({ status }) => status !== null && search.status.includes(status)),
    [found, search.status],
  );
  const callsMost = useMemo(
    () => report.endpoints.reduce((most, row) => Math.max(most, row.total_calls), 0),
    [report],
  );
  const sparks = useSparks(search).data;
  const columns = useMemo(
    () => endpointColumns(goes, callsMost, sparks),
    [goes, callsMost, sparks],
  );
  const chosen = search.columns;
  const visible = useMemo(() => {
    // Beside an open endpoint, and on a phone, there is room for three.
    if (isNarrow || selected !== undefined) {
      const kept = columns.filter((column) => column.narrow);
      return isNarrow
        ? kept.map((column) => ({ ...column, width: phoneWidths[column.id] ?? column.width }))
        : kept;
    }
    return columns.filter(({ id, usual }) => (chosen === undefined ? usual : chosen.includes(id)));
  }, [columns, chosen, isNarrow, selected]);
  const sort = {
    id: search.sort ?? 'total_calls',
    descending: search.descending ?? (search.sort === undefined || search.sort === 'total_calls'),
  };
  const onSort = useCallback(
    (sortId: string, descending: boolean) => change({ sort: sortId, descending }),
    [change],
  );
  const onOpen = useCallback(
    (row: ReportRow) => navigate(`/endpoints/${encodeURIComponent(row.id)}${goes}`),
    [navigate, goes],
  );
  const csv = addressOf(api('/report'), {
    ...periodParameters(search.period),
    service: search.service,
    environment: search.environment,
    method: search.method,
    route: search.route,
    owner: search.owner,
    status: search.status.join(',') || undefined,
    q: search.q || undefined,
    format: 'csv',
  });
  return (
    <>
      <div className={styles.tools}>
        <StatusChoice rows={found} search={search} />
        <MarkChoice rows={report.endpoints} search={search} />
        <OwnerChoice rows={report.endpoints} />
        <div className={styles.actions}>
          <label className={styles.group}>
            Group
            <select
              value={search.group}
              onChange={({ target }) => change({ group: target.value as Group })}
            >
              {groups.map((group) => (
                <option key={group} value={group}>
                  {
                    {
                      none: 'none',
                      service: 'service',
                      owner: 'owner',
                      prefix: 'path prefix',
                      status: 'status',
                    }[group]
                  }
                </option>
              ))}
            </select>
          </label>
          <ColumnChoice columns={columns} search={search} />
          <a className={styles.button} href={csv} download="rollcall-endpoints.csv">
            CSV
          </a>
          <CopyButton name="Copy as Markdown" text={() => markdownOf(shown)} />
        </div>
      </div>
      <div className={selected === undefined ? undefined : styles.withDrawer}>
        <DataTable
          label="Endpoints"
          rows={shown}
          columns={visible}
          rowKey={keyOf}
          sort={sort}
          onSort={onSort}
          groupOf={groupFunctions[search.group]}
          selectedKey={selected}
          onOpen={onOpen}
          onKeyEscape={selected === undefined ? undefined : onClose}
          isDense={search.dense}
          empty={<Nothing search={search} />}
        />
        {selected !== undefined && <EndpointDrawer id={selected} onClose={onClose} />}
      </div>
      <p className="visually-hidden" aria-live="polite">
        {plural(shown.length, 'endpoint')} shown
      </p>
    </>
  );
}

const phoneWidths: Record<string, string> = {
  route: 'minmax(0, 1fr)',
  status: '84px',
  total_calls: '66px',
};

const keyOf = ({ id }: ReportRow): string => id;

const groupFunctions: Record<Group, ((row: ReportRow) => string) | undefined> = {
  none: undefined,
  service: ({ service, environment }) =>
    plainText(
      environment === '' ? service || 'unnamed' : `${service || 'unnamed'} · ${environment}`,
    ),
  owner: ({ owner }) => plainText(owner ?? 'without an owner'),
  prefix: ({ route }) => plainText(/^\/[^/]*(?:\/v\d+)?(?:\/[^/{]+)?/.exec(route)?.[0] ?? route),
  status: ({ status }) => statusWord(status),
};

/** Rows that everything but the status leaves: the status choice counts them. */
function useFound(report: Report, { q, method, route, mark, owner }: Search): ReportRow[] {
  // Made once for each answer: a keystroke only looks through it.
  const texts = useMemo(
    () =>
      report.endpoints.map((row) =>
        `${row.service} ${row.method} ${row.route} ${row.route_display}`.toLowerCase(),
      ),
    [report],
  );
  return useMemo(() => {
    const words = q.toLowerCase().split(/\s+/).filter(Boolean);
    const passes = isChosen({ method, route, status: [], owner });
    return report.endpoints.filter(
      (row, index) =>
        passes(row) &&
        (mark === undefined || (row.marks as readonly string[]).includes(mark)) &&
        words.every((word) => texts[index]!.includes(word)),
    );
  }, [report, texts, q, method, route, mark, owner]);
}

function StatusChoice({ rows, search }: { rows: readonly ReportRow[]; search: Search }) {
  const [, change] = usePageSearch();
  const counts = useMemo(() => {
    const found = new Map<string | null, number>();
    for (const { status } of rows) found.set(status, (found.get(status) ?? 0) + 1);
    return found;
  }, [rows]);
  const shown = statuses.filter((status) => counts.has(status) || search.status.includes(status));
  return (
    <Segments
      label="Status"
      segments={[
        {
          value: '',
          name: 'All',
          count: exact(rows.filter(({ status }) => status !== null).length),
        },
        ...shown.map((status) => ({
          value: status,
          name: <StatusWord status={status} quiet={false} />,
          count: exact(counts.get(status) ?? 0),
        })),
      ]}
      chosen={search.status.length === 0 ? '' : search.status}
      onChoose={(status) => change({ status: status === '' ? [] : toggled(search.status, status) })}
    />
  );
}

const toggled = (chosen: readonly string[], status: string): string[] =>
  chosen.includes(status) ? chosen.filter((one) => one !== status) : [...chosen, status];

function MarkChoice({ rows, search }: { rows: readonly ReportRow[]; search: Search }) {
  const [, change] = usePageSearch();
  const marks = useMemo(
    () => [...new Set(rows.flatMap((row) => row.marks as string[]))].sort(),
    [rows],
  );
  if (marks.length === 0 && search.mark === undefined) return null;
  const shown =
    search.mark === undefined || marks.includes(search.mark) ? marks : [...marks, search.mark];
  return (
    <select
      aria-label="Mark"
      value={search.mark ?? ''}
      onChange={({ target }) => change({ mark: target.value || undefined })}
    >
      <option value="">Any mark</option>
      {shown.map((mark) => (
        <option key={mark} value={mark}>
          {mark.replaceAll('_', ' ')}
        </option>
      ))}
    </select>
  );
}

function Nothing({ search }: { search: Search }) {
  const [, change] = usePageSearch();
  return (
    <Notice title="No endpoint like this">
      <p>
        {search.q === ''
          ? 'The filters leave nothing.'
          : `Nothing has “${plainText(search.q)}” in its service, method or route.`}
      </p>
      <button
        type="button"
        onClick={() =>
          change({
            q: '',
            status: [],
            mark: undefined,
            method: undefined,
            route: undefined,
            owner: undefined,
          })
        }
      >
        Take off all filters
      </button>
    </Notice>
  );
}
