import type { EndpointRow } from '../../api/answers.ts';
import { useVerdicts } from '../../api/verdicts.ts';
import { StatusWord } from '../../parts/status.tsx';
import { day, exact, moment } from '../../state/format.ts';
import { decisionWords } from '../decisions/decision-sentence.tsx';
import styles from './timeline.module.css';

interface Moment {
  at: string;
  text: string;
  status?: string;
}

/** The life of an endpoint as dated facts, oldest first, and the reasons of its verdict. */
export function Timeline({ row, nowMs }: { row: EndpointRow; nowMs: number }) {
  const verdicts = useVerdicts(row.id).data?.changes ?? [];
  const moments = momentsOf(row, verdicts).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return (
    <>
      {row.reasons.length > 0 && (
        <ul className={styles.reasons} aria-label="Reasons of the verdict">
          {row.reasons.map(({ code, message }) => (
            <li key={code}>{message}</li>
          ))}
        </ul>
      )}
      {moments.length > 0 && (
        <ol className={styles.timeline} aria-label="Timeline">
          {moments.map(({ at, text, status }) => (
            <li
              key={`${at} ${text}`}
              className={Date.parse(at) > nowMs ? styles.future : undefined}
            >
              <time dateTime={at} title={moment(at)}>
                {day(at)}
              </time>{' '}
              {status === undefined ? text : <StatusWord status={status} quiet={false} />}
              {status !== undefined && ` ${text}`}
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

function momentsOf(
  row: EndpointRow,
  verdicts: readonly { day: string; status: string | null; confidence: number | null }[],
): Moment[] {
  // Its last call is a moment ago, and another one the next time
  const isUsed = row.status === 'active';
  const dated: [string | null, string][] = [
    [row.first_called_at, 'first call'],
    [isUsed ? null : row.last_used_at, 'last use'],
    [isUsed || row.last_called_at === row.last_used_at ? null : row.last_called_at, 'last call'],
    [row.dead_since, 'dead from here on'],
    [row.removed_at, 'gone from the inventory'],
    [
      row.decided_at,
      row.decision === null ? '' : `decided: ${decisionWords[row.decision].toLowerCase()}`,
    ],
    [row.decision_until, 'the decision is to be taken again'],
    [row.sunset_at, 'sunset'],
    [row.expected_at, 'next use expected'],
  ];
  const facts = dated.flatMap(([at, text]) => (at === null || text === '' ? [] : [{ at, text }]));
  const changes = verdicts.map(({ day: at, status, confidence }) => ({
    at: `${at}T00:00:00Z`,
    ...(status !== null && { status }),
    text:
      status === null
        ? `in no list any more`
        : confidence === null
          ? 'is the verdict'
          : `is the verdict, ${exact(Math.floor(confidence * 100))} % sure`,
  }));
  // One verdict, which has not changed yet, is above already
  return changes.length > 1 ? [...facts, ...changes] : facts;
}
