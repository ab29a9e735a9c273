import { useCallback, useMemo } from 'react';
import { useLocation } from 'wouter';
import type { ComparisonAnswer, ComparisonRow } from '../../api/answers.ts';
import { useComparison } from '../../api/compare.ts';
import { FilterBar } from '../../parts/filter-bar.tsx';
import { Failure, Loading, Notes, Notice, StaleBanner } from '../../parts/notice.tsx';
import { Segments } from '../../parts/segments.tsx';
import { exact, moment } from '../../state/format.ts';
import { narrow, useMedia } from '../../state/media.ts';
import {
  carried,
  comparisonVerdicts,
  type Search,
  usePageSearch,
  writeSearch,
} from '../../state/search.ts';
import { plainText } from '../../state/text.ts';
import { DataTable } from '../../table/data-table.tsx';
import { compareColumns, isNoise } from './columns.tsx';
import styles from './compare.module.css';
import { verdictWords } from './verdict-word.tsx';
import { VersionChoice } from './version-choice.tsx';

/** What got worse or better: every endpoint in two windows or of two versions. What chance explains is grey. */
export function ComparePage() {
  const [search, change] = usePageSearch();
  const answer = useComparison(search);
  return (
    <>
      <h1 className="visually-hidden">Compare</h1>
      <FilterBar
        updatedMs={answer.dataUpdatedAt}
        withComparison={search.by === 'window' && 'always'}
      >
        <Segments
          label="Compare by"
          segments={[
            { value: 'window', name: 'Two windows' },
            { value: 'version', name: 'Two versions' },
          ]}
          chosen={search.by}
          onChoose={(by) => change({ by })}
        />
        {search.by === 'version' && <VersionChoice />}
      </FilterBar>
      {answer.error && answer.data && (
        <StaleBanner error={answer.error} updatedMs={answer.dataUpdatedAt} />
      )}
      <Notes notes={answer.data?.notes} />
      {answer.data !== undefined && answer.data.by === search.by ? (
        <Compared answer={answer.data} search={search} />
      ) : answer.error ? (
        <Failure error={answer.error} retry={() => answer.refetch()} />
      ) : (
        <Loading what="the comparison" />
      )}
    </>
  );
}

function Compared({ answer, search }: { answer: ComparisonAnswer; search: Search }) {
  const [, change] = usePageSearch();
  const [, navigate] = useLocation();
  const isNarrow = useMedia(narrow);
  const goes = writeSearch(carried(search));
  const { verdict: chosen } = search;
  const rows = useMemo(
    () => answer.endpoints.filter(({ verdict }) => chosen.length === 0 || chosen.includes(verdict)),
    [answer, chosen],
  );
  const columns = useMemo(() => compareColumns(goes), [goes]);
  const shown = isNarrow
    ? columns
        .filter((column) => column.narrow)
        .map((column) => ({ ...column, width: phoneWidths[column.id] ?? column.width }))
    : columns.filter(({ id }) => id !== 'service' || search.service === undefined);
  // Without a sort the order is the API's: what got worse first
  const sort = { id: search.sort ?? '', descending: search.descending ?? false };
  const onSort = useCallback(
    (id: string, descending: boolean) => change({ sort: id, descending }),
    [change],
  );
  const onOpen = useCallback(
    (row: ComparisonRow) => navigate(`/endpoints/${encodeURIComponent(row.id)}${goes}`),
    [navigate, goes],
  );
  const whole = answer.endpoints.length;
  return (
    <>
      <div className={styles.tools}>
        <Segments
          label="Verdict"
          segments={[
            { value: 'all', name: 'All', count: exact(whole) },
            ...comparisonVerdicts.map((verdict) => ({
              value: verdict,
              name: verdictWords[verdict],
              count: exact(answer.summary[verdict]),
            })),
          ]}
          chosen={chosen.length === 1 ? (chosen[0] as (typeof comparisonVerdicts)[number]) : 'all'}
          onChoose={(verdict) => change({ verdict: verdict === 'all' ? [] : [verdict] })}
        />
        <p className={styles.about}>{sentence(answer, search.tz)}</p>
      </div>
      <DataTable
        label="Comparison"
        rows={rows}
        columns={shown}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={onSort}
        onOpen={onOpen}
        isDim={isNoise}
        empty={<Nothing answer={answer} />}
      />
    </>
  );
}

const phoneWidths: Record<string, string> = {
  route: 'minmax(0, 1fr)',
  verdict: '124px',
  p95_change_pct: '76px',
};

/** "2.5.0 against 2.4.0 (orders). Of what is called worse or better, 1 % is a false alarm." */
function sentence(answer: ComparisonAnswer, tz: string | undefined): string {
  const { by, versions = [], window, before_window: before } = answer;
  const range = (one: { from: string; to: string }) =>
    `${moment(one.from, tz)} to ${moment(one.to, tz)}`;
  const named = versions
    .slice(0, 3)
    .map(({ service, version, before_version: old }) =>
      plainText(`${service} ${version} against ${old}`),
    );
  const left = versions.length - named.length;
  const what =
    by === 'window'
      ? `${range(window)}, against ${range(before)}`
      : `${[...named, ...(left > 0 ? [`${left} more services`] : [])].join(', ')}, ${range(window)}`;
  return `${what}. Grey is what chance explains; of what is called worse or better, ${answer.false_discovery_rate_pct} % is expected to be a false alarm.`;
}

function Nothing({ answer }: { answer: ComparisonAnswer }) {
  if (answer.endpoints.length > 0) {
    return (
      <Notice title="No endpoint with this verdict">
        <p>That is a result too.</p>
      </Notice>
    );
  }
  return (
    <Notice title="Nothing to compare">
      <p>
        {answer.by === 'version'
          ? 'No service has calls of two versions here. A version is what its spans have as service.version.'
          : 'No endpoint was called in either window.'}
      </p>
    </Notice>
  );
}
