import { useMemo, useState } from 'react';
import type { EvidenceRow, ReportRow, Session } from '../../api/answers.ts';
import { evidenceText } from '../../api/evidence.ts';
import { useReport } from '../../api/queries.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { Notice } from '../../parts/notice.tsx';
import { periodName } from '../../parts/period-picker.tsx';
import { Marks, StatusWord } from '../../parts/status.tsx';
import { exact, plural } from '../../state/format.ts';
import { isRemovable, type RemovalStep, removalStep } from '../../state/removal-step.ts';
import { type Search, usePageSearch } from '../../state/search.ts';
import { plainText } from '../../state/text.ts';
import { cautions, type Siblings, verdict } from '../../state/verdict.ts';
import { DecisionActions } from '../decisions/decision-actions.tsx';
import { DecisionSentence } from '../decisions/decision-sentence.tsx';
import type { OnMade } from '../decisions/made.tsx';
import styles from './dead.module.css';
import { ItemHead } from './item-head.tsx';
import { Plan } from './plan.tsx';

/** Items of one service that are painted at first: a list of thousands is no list to read. */
const itemsShown = 50;

/** What is left to decide, by owner and service, longest silent first. */
export function DeadList({
  rows,
  whole,
  session,
  mayDecide,
  onMade,
}: {
  rows: readonly EvidenceRow[];
  /** Without the filters of the page. */
  whole: readonly EvidenceRow[];
  session: Session;
  mayDecide: boolean;
  onMade: OnMade;
}) {
  const [search] = usePageSearch();
  const report = useReport(search).data;
  const calls = useMemo(() => callsByService(report?.endpoints), [report]);
  const groups = useMemo(() => groupsOf(rows), [rows]);
  const { dead_after_days: deadDays } = session.settings!;
  return (
    <>
      <Plan rows={rows} />
      {groups.length === 0 && (
        <div className={styles.panel}>
          {whole.length === 0 ? (
            <Notice title="No endpoint is dead">
              <p>
                Each was called in the last {plural(deadDays, 'day')} in which its service was
                heard, or a decision on it holds.
              </p>
            </Notice>
          ) : (
            <Notice title="No endpoint like this">
              <p>The filters leave nothing of {plural(whole.length, 'dead endpoint')}.</p>
            </Notice>
          )}
        </div>
      )}
      {groups.map((group) => (
        <DeadGroup
          key={group.key}
          group={group}
          siblingsOf={(row) => siblingsOf(row, calls, search)}
          mayDecide={mayDecide}
          onMade={onMade}
        />
      ))}
    </>
  );
}

const serviceOf = ({ service, environment }: { service: string; environment: string }): string =>
  `${service}\n${environment}`;

function callsByService(rows: readonly ReportRow[] = []): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  for (const row of rows) {
    calls.set(serviceOf(row), (calls.get(serviceOf(row)) ?? 0) + row.total_calls);
  }
  return calls;
}

function siblingsOf(
  row: EvidenceRow,
  calls: ReadonlyMap<string, number>,
  { period, tz }: Search,
): Siblings | undefined {
  const ofService = calls.get(serviceOf(row));
  if (ofService === undefined || 'from' in period) return undefined;
  const otherCalls = Math.max(0, ofService - row.total_calls);
  return { otherCalls, periodName: periodName(period, tz).toLowerCase() };
}

interface Group {
  key: string;
  owner: string | null;
  place: string;
  items: EvidenceRow[];
}

/** By owner and service: owners by name and those without one last, the service with most items first. */
function groupsOf(rows: readonly EvidenceRow[]): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const key = `${row.owner ?? ''}\n${serviceOf(row)}`;
    const group = groups.get(key);
    if (group !== undefined) {
      group.items.push(row);
      continue;
    }
    const place = plainText(
      [row.service || 'unnamed', row.environment].filter(Boolean).join(' · '),
    );
    groups.set(key, { key, owner: row.owner, place, items: [row] });
  }
  const byOwner = (a: Group, b: Group) =>
    a.owner === b.owner
      ? b.items.length - a.items.length
      : a.owner === null
        ? 1
        : b.owner === null || a.owner < b.owner
          ? -1
          : 1;
  return [...groups.values()].sort(byOwner);
}

function DeadGroup({
  group: { owner, place, items },
  siblingsOf: siblings,
  mayDecide,
  onMade,
}: {
  group: Group;
  siblingsOf: (row: EvidenceRow) => Siblings | undefined;
  mayDecide: boolean;
  onMade: OnMade;
}) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? items : items.slice(0, itemsShown);
  const safe = items.filter((row) => removalStep(row) === 'safe').length;
  const name = owner === null ? place : `${plainText(owner)}: ${place}`;
  return (
    <section className={styles.panel} aria-label={name}>
      <h2>
        {owner !== null && <bdi>{plainText(owner)}</bdi>}
        {owner !== null && ' · '}
        {place}{' '}
        <small>
          {plural(items.length, 'endpoint')}
          {safe > 0 && `, ${exact(safe)} safe to remove`}
        </small>
      </h2>
      <ul className={styles.items}>
        {shown.map((row) => (
          <DeadItem
            key={row.id}
            row={row}
            siblings={siblings(row)}
            mayDecide={mayDecide}
            onMade={onMade}
          />
        ))}
      </ul>
      {shown.length < items.length && (
        <button type="button" className={styles.more} onClick={() => setWhole(true)}>
          Show {exact(items.length - shown.length)} more
        </button>
      )}
    </section>
  );
}

const stepWords: Record<RemovalStep, string> = {
  safe: 'safe to remove',
  again: 'decide again',
  deprecate: 'deprecate first',
  watch: 'watch',
};

/** The other reasons are told in the sentences above them. */
const isFurther = ({ code }: EvidenceRow['reasons'][number]): boolean =>
  !['silent', 'never_called', 'uses', 'sampled'].includes(code);

function DeadItem({
  row,
  siblings,
  mayDecide,
  onMade,
}: {
  row: EvidenceRow;
  siblings: Siblings | undefined;
  mayDecide: boolean;
  onMade: OnMade;
}) {
  const doubts = cautions(row);
  const reasons = verdict(row, siblings).filter((sentence) => !doubts.includes(sentence));
  return (
    <li className={styles.item}>
      <ItemHead row={row}>
        <StatusWord status={row.status} />
        <Marks marks={row.marks} />
      </ItemHead>
      <Confidence row={row} />
      <div className={styles.actions}>
        {mayDecide && <DecisionActions row={row} onMade={onMade} />}
        <CopyButton
          name={isRemovable(row) ? 'Copy for pull request' : 'Copy the evidence'}
          text={() => evidenceText(row.id)}
        />
      </div>
      <div className={styles.reasons}>
        {row.decision !== null && (
          <p className={styles.doubts}>
            <DecisionSentence row={row} />
          </p>
        )}
        <p>
          {[...reasons, ...row.reasons.filter(isFurther).map(({ message }) => message)].join(' ')}
          {doubts.length > 0 && <span className={styles.doubts}> {doubts.join(' ')}</span>}
        </p>
      </div>
    </li>
  );
}

/** How sure the verdict is, as a number and a bar, and the step of the plan that follows. */
function Confidence({ row }: { row: EvidenceRow }) {
  const { confidence } = row;
  const step = stepWords[removalStep(row)];
  if (confidence === null) return <div className={styles.confidence}>{step}</div>;
  return (
    <div className={styles.confidence}>
      <span>
        <b>{exact(Math.floor(confidence * 100))} %</b> sure
      </span>
      <i className={styles.track}>
        <i style={{ inlineSize: `${confidence * 100}%` }} />
      </i>
      <span>{step}</span>
    </div>
  );
}
