import type { EvidenceRow } from '../../api/answers.ts';
import { Notice } from '../../parts/notice.tsx';
import { Name } from '../../parts/route.tsx';
import { agoText, day, exact, moment, plural } from '../../state/format.ts';
import styles from './dead.module.css';
import { ItemHead, ItemService } from './item-head.tsx';

/** Who still calls what was removed, or what is to be removed and is answered 404, 405 or 410. */
export function RemovedList({ rows }: { rows: readonly EvidenceRow[] }) {
  if (rows.length === 0) {
    return (
      <div className={styles.panel}>
        <Notice title="Nobody calls what was removed">
          <p>
            Here are routes that an inventory declared once and the newest one lacks, and endpoints
            that are decided to be removed, when calls to them come all the same.
          </p>
        </Notice>
      </div>
    );
  }
  return (
    <section className={styles.panel} aria-label="Removed, still called">
      <h2>
        Removed, still called <small>latest call first, with the last callers of each</small>
      </h2>
      <ul className={styles.items}>
        {rows.map((row) => (
          <li key={row.id} className={styles.item}>
            <ItemHead row={row}>
              <ItemService row={row} />
            </ItemHead>
            <div className={styles.reasons}>
              <p>{sentence(row)}</p>
              <LastKnocks row={row} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function sentence(row: EvidenceRow): string {
  const why =
    row.removed_at !== null
      ? `Gone from the inventory since ${day(row.removed_at)}.`
      : `To be removed, as was decided on ${day(row.decided_at)}.`;
  const missing =
    row.missing_count > 0 ? `, ${exact(row.missing_count)} of them answered 404, 405 or 410` : '';
  return `${why} ${plural(row.total_calls, 'call')} in this time${missing}; the last ${agoText(row.last_called_at)}.`;
}

/** The callers to talk to. */
function LastKnocks({ row }: { row: EvidenceRow }) {
  return (
    <ul className={styles.callers}>
      {row.last_callers.map(({ consumer, agent, client, called_at }) => (
        <li key={`${consumer} ${agent} ${client}`}>
          <Name text={consumer ?? agent ?? client ?? ''} empty="not told" />
          {client !== null && client !== (consumer ?? agent) && (
            <span>
              {' '}
              (<Name text={client} />)
            </span>
          )}{' '}
          <time dateTime={called_at} title={moment(called_at)}>
            {agoText(called_at)}
          </time>
        </li>
      ))}
    </ul>
  );
}
