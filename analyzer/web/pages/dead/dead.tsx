import type { UseQueryResult } from '@tanstack/react-query';
import type { EvidenceList, EvidenceRow, Session } from '../../api/answers.ts';
import { useDeadList, useDecided, useRemoved } from '../../api/queries.ts';
import { addressOf, api } from '../../api/request.ts';
import { FilterBar } from '../../parts/filter-bar.tsx';
import { Failure, Loading, StaleBanner } from '../../parts/notice.tsx';
import { OwnerChoice } from '../../parts/owner-choice.tsx';
import { Segments } from '../../parts/segments.tsx';
import { isChosen } from '../../state/choice.ts';
import { exact } from '../../state/format.ts';
import { mayChange } from '../../state/permission.ts';
import { type Search, usePageSearch } from '../../state/search.ts';
import { useMade } from '../decisions/made.tsx';
import styles from './dead.module.css';
import { DeadList } from './dead-list.tsx';
import { DecidedList } from './decided-list.tsx';
import { RemovedList } from './removed-list.tsx';

/** Code that can go: the dead list with its plan, what was decided, and who still calls what was removed. */
export function DeadPage({ session }: { session: Session }) {
  const [search, change] = usePageSearch();
  const lists = {
    list: useDeadList(search),
    removed: useRemoved(search),
    decisions: useDecided(search),
  };
  const [shownMade, onMade] = useMade();
  const shown = lists[search.view];
  const filtered = {
    list: useFiltered(lists.list, search),
    removed: useFiltered(lists.removed, search),
    decisions: useFiltered(lists.decisions, search),
  };
  const count = (view: keyof typeof lists) =>
    filtered[view] === undefined ? undefined : exact(filtered[view].length);
  const mayDecide = mayChange(session);
  return (
    <>
      <h1 className="visually-hidden">Dead list</h1>
      <FilterBar updatedMs={shown.dataUpdatedAt}>
        <OwnerChoice rows={Object.values(lists).flatMap(({ data }) => data?.endpoints ?? [])} />
        {search.view === 'list' && <ConfidenceChoice />}
      </FilterBar>
      <div className={styles.tools}>
        <Segments
          label="List"
          segments={[
            { value: 'list', name: 'Dead list', count: count('list') },
            { value: 'removed', name: 'Removed, still called', count: count('removed') },
            { value: 'decisions', name: 'Decisions', count: count('decisions') },
          ]}
          chosen={search.view}
          onChoose={(view) => change({ view })}
        />
        <span className={styles.space} />
        <Downloads search={search} />
      </div>
      {shownMade}
      {shown.error && shown.data && (
        <StaleBanner error={shown.error} updatedMs={shown.dataUpdatedAt} />
      )}
      {filtered[search.view] === undefined ? (
        shown.error ? (
          <Failure error={shown.error} retry={() => shown.refetch()} />
        ) : (
          <Loading what="the list" />
        )
      ) : (
        <>
          {search.view === 'list' && (
            <DeadList
              rows={filtered.list!}
              whole={lists.list.data!.endpoints}
              session={session}
              mayDecide={mayDecide}
              onMade={onMade}
            />
          )}
          {search.view === 'removed' && <RemovedList rows={filtered.removed!} />}
          {search.view === 'decisions' && (
            <DecidedList rows={filtered.decisions!} mayDecide={mayDecide} onMade={onMade} />
          )}
        </>
      )}
    </>
  );
}

/** Owner and confidence are filtered in the page: their choices come from the whole list. */
function useFiltered(
  { data }: UseQueryResult<EvidenceList>,
  { owner, confidence, view }: Search,
): readonly EvidenceRow[] | undefined {
  const least = view === 'list' ? confidence : undefined;
  const isOwned = isChosen({ method: undefined, route: undefined, status: [], owner });
  return data?.endpoints.filter(
    (row) => isOwned(row) && (least === undefined || (row.confidence ?? 0) >= least),
  );
}

const confidences = [0.5, 0.75, 0.9, 0.95];

function ConfidenceChoice() {
  const [{ confidence }, change] = usePageSearch();
  const shown =
    confidence === undefined || confidences.includes(confidence)
      ? confidences
      : [...confidences, confidence].sort();
  return (
    <select
      aria-label="Confidence"
      value={confidence ?? ''}
      onChange={({ target: { value } }) =>
        change({ confidence: value === '' ? undefined : Number(value) })
      }
    >
      <option value="">Any confidence</option>
      {shown.map((least) => (
        <option key={least} value={least}>
          {exact(least * 100)} % sure and more
        </option>
      ))}
    </select>
  );
}

/** The list as files, narrowed as the page is. */
function Downloads({ search }: { search: Search }) {
  const path = search.view === 'removed' ? '/report/removed' : '/report/dead';
  const parameters = {
    service: search.service,
    environment: search.environment,
    method: search.method,
    route: search.route,
    status: search.status.join(',') || undefined,
    owner: search.owner,
    ...(search.view === 'list' && { min_confidence: search.confidence?.toString() }),
  };
  const file = (format: string, name: string) => (
    <a
      className={styles.file}
      href={addressOf(api(path), { ...parameters, format })}
      download={`rollcall-${search.view === 'removed' ? 'removed' : 'removal-plan'}.${format}`}
    >
      {name}
    </a>
  );
  if (search.view === 'decisions') {
    const { service, environment } = search;
    return (
      <a
        className={styles.file}
        href={addressOf(api('/decisions'), { service, environment, format: 'csv' })}
        download="rollcall-decisions.csv"
      >
        CSV
      </a>
    );
  }
  return (
    <>
      {search.view === 'list' ? (
        <>
          <span className={styles.label}>Removal plan</span>
          {file('md', 'Markdown')}
          {file('pdf', 'PDF')}
        </>
      ) : (
        file('md', 'Markdown')
      )}
      {file('csv', 'CSV')}
    </>
  );
}
